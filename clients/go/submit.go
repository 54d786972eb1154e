package caraway

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

const (
	batchItems = 500
	batchBytes = 3_670_016 // 3.5 MiB: below a message's 4 MiB, with room for what frames the items
	itemFrame  = 8         // bytes, at most, that an item costs in a request beside its own
)

// Submit has a task run. When it returns without error, the task is kept as durably as the gateway says. A submit that is
// repeated after an outage, or by you with the same id, is one task.
func (c *Client) Submit(ctx context.Context, call Call, options ...CallOption) (*Handle, error) {
	if len(call.callbacks)+len(call.errbacks) > 0 {
		return c.Start(ctx, call.With(options...))
	}
	spec, err := c.spec(ctx, call, options)
	if err != nil {
		return nil, err
	}
	response, err := invoke(ctx, c, c.tasks.SubmitTask, &carawaypb.SubmitTaskRequest{Task: spec})
	if err != nil {
		return nil, err
	}
	return c.submitted(response), nil
}

func (c *Client) submitted(response *carawaypb.SubmitTaskResponse) *Handle {
	return &Handle{client: c, id: response.GetTask().GetTaskId(), disposition: response.GetDisposition()}
}

// BatchError says which calls of [Client.SubmitMany] were not accepted.
type BatchError struct {
	// Errors has one element for each call, nil for those that were accepted.
	Errors []error
}

func (e *BatchError) Error() string {
	refused := e.Unwrap()
	return fmt.Sprintf("caraway: %d of %d calls were not accepted; the first: %v", len(refused), len(e.Errors), refused[0])
}

// Unwrap gives the errors, for errors.Is and errors.As.
func (e *BatchError) Unwrap() []error {
	var refused []error
	for _, err := range e.Errors {
		if err != nil {
			refused = append(refused, err)
		}
	}
	return refused
}

// part is one request of a batch; first is the place of its first item in the whole.
type part struct {
	first int
	items []*carawaypb.SubmitTaskRequest
}

// SubmitMany has many tasks run, in order, in as few messages as their number and size allow. Each is accepted or refused
// for itself: the handle of one that was refused is nil, and the error is a [*BatchError] that tells each.
func (c *Client) SubmitMany(ctx context.Context, calls []Call, options ...CallOption) ([]*Handle, error) {
	handles, errs := make([]*Handle, len(calls)), make([]error, len(calls))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// While one part is on its way, the next is written.
	parts := make(chan part, 2)
	go func() {
		defer close(parts)
		c.cut(ctx, calls, options, errs, parts)
	}()
	var lost error
	for next := range parts {
		if lost == nil {
			lost = c.submitPart(ctx, next, handles, errs)
		}
		if lost != nil { // every later part would wait as long for the same gateway
			for i := range next.items {
				errs[next.first+i] = lost
			}
		}
	}
	for _, err := range errs {
		if err != nil {
			return handles, &BatchError{errs}
		}
	}
	return handles, nil
}

// cut writes calls into parts that a message takes. A call that can't be written has its error, and the part ends there.
func (c *Client) cut(ctx context.Context, calls []Call, options []CallOption, errs []error, parts chan<- part) {
	var now part
	size := 0
	flush := func(next int) {
		if len(now.items) > 0 {
			parts <- now
		}
		now, size = part{first: next}, 0
	}
	for i, call := range calls {
		spec, err := c.spec(ctx, call, options)
		if err == nil && len(call.callbacks)+len(call.errbacks) > 0 {
			err = invalid("a call with callbacks is a workflow: submit it by Start")
		}
		if err != nil {
			errs[i] = err
			flush(i + 1)
			continue
		}
		more := proto.Size(spec) + itemFrame
		if len(now.items) == batchItems || (size+more > batchBytes && len(now.items) > 0) {
			flush(i)
		}
		now.items = append(now.items, &carawaypb.SubmitTaskRequest{Task: spec})
		size += more
	}
	flush(len(calls))
}

func (c *Client) submitPart(ctx context.Context, now part, handles []*Handle, errs []error) error {
	response, err := invoke(ctx, c, c.tasks.BatchSubmitTasks, &carawaypb.BatchSubmitTasksRequest{Requests: now.items})
	if err == nil && len(response.GetResults()) != len(now.items) {
		err = fmt.Errorf("caraway: %d tasks were answered by %d results", len(now.items), len(response.GetResults()))
	}
	var refusal *Error
	if errors.As(err, &refusal) && !refusal.isTransient() {
		for i := range now.items {
			errs[now.first+i] = err
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i, result := range response.GetResults() {
		if result.GetError() != nil {
			errs[now.first+i] = fromStatus(result.GetError())
		} else {
			handles[now.first+i] = c.submitted(result.GetResponse())
		}
	}
	return nil
}

// Run submits a task and waits for its end, in one round trip where it is quick. The context's deadline ends the wait; the
// task then goes on. A task that failed is no error here: see [Task.Err].
func (c *Client) Run(ctx context.Context, call Call, options ...CallOption) (*Task, error) {
	if len(call.callbacks)+len(call.errbacks) > 0 {
		handle, err := c.Start(ctx, call.With(options...))
		if err != nil {
			return nil, err
		}
		return handle.Wait(ctx)
	}
	spec, err := c.spec(ctx, call, options)
	if err != nil {
		return nil, err
	}
	wait := nextWait(ctx)
	request := &carawaypb.RunTaskRequest{Task: spec, MaxWait: durationpb.New(wait)}
	response, err := invokeFor(ctx, c, c.tasks.RunTask, request, wait+attemptTimeout)
	if err != nil {
		return nil, err
	}
	if response.GetDone() {
		return newTask(response.GetTask()), nil
	}
	return c.Wait(ctx, response.GetTask().GetTaskId())
}
