package caraway

import (
	"context"
	"iter"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// Outcome says what became of one task of a call.
type Outcome string

// What may become of a task: of Revoke the first four, of Retry Queued, NotRetryable and NotFound, of Delete the others.
const (
	Revoked         Outcome = "REVOKED"
	CancelRequested Outcome = "CANCEL_REQUESTED" // a worker holds it and is told
	AlreadyTerminal Outcome = "ALREADY_TERMINAL"
	NotFound        Outcome = "NOT_FOUND"
	Queued          Outcome = "QUEUED"
	NotRetryable    Outcome = "NOT_RETRYABLE"
	Deleted         Outcome = "DELETED"
	NotTerminal     Outcome = "NOT_TERMINAL"
	Needed          Outcome = "NEEDED" // its workflow still runs
)

// RevokeOption changes what a revocation does to tasks that run.
type RevokeOption func(*carawaypb.RevokeTasksRequest)

// WithReason says why; it is shown as the task's cancel reason, and a handler's context has it.
func WithReason(reason string) RevokeOption {
	return func(r *carawaypb.RevokeTasksRequest) { r.Reason = reason }
}

// Cancel tells a task that runs that it should stop. By default one that runs goes on.
func Cancel() RevokeOption {
	return func(r *carawaypb.RevokeTasksRequest) { r.Mode = carawaypb.RevokeTasksRequest_MODE_CANCEL }
}

// Terminate tells a task that runs that it should stop, and has it killed after the grace. The signal that is sent to its
// process first, for example "SIGTERM", may be empty. Go can't kill a handler: see [Worker].
func Terminate(grace time.Duration, signal string) RevokeOption {
	return func(r *carawaypb.RevokeTasksRequest) {
		r.Mode, r.Grace, r.Signal = carawaypb.RevokeTasksRequest_MODE_TERMINATE, durationpb.New(grace), signal
	}
}

// Revoke revokes tasks, in parts of a call's size. It works with no worker up; a task that has not started never starts. The
// outcomes are in the order of the ids.
func (c *Client) Revoke(ctx context.Context, ids []string, options ...RevokeOption) ([]Outcome, error) {
	return c.each(ids, func(selector *carawaypb.TaskSelector) ([]outcome, error) {
		request := &carawaypb.RevokeTasksRequest{Selector: selector, Mode: carawaypb.RevokeTasksRequest_MODE_PENDING_ONLY}
		for _, option := range options {
			option(request)
		}
		response, err := invoke(ctx, c, c.tasks.RevokeTasks, request)
		return outcomesOf(response.GetResults()), err
	})
}

// Retry sends tasks that ended without success back to their queues, each under its id and as it was submitted.
func (c *Client) Retry(ctx context.Context, ids []string) ([]Outcome, error) {
	return c.each(ids, func(selector *carawaypb.TaskSelector) ([]outcome, error) {
		response, err := invoke(ctx, c, c.tasks.RetryTasks, &carawaypb.RetryTasksRequest{Selector: selector})
		return outcomesOf(response.GetResults()), err
	})
}

// Delete forgets ended tasks with their results.
func (c *Client) Delete(ctx context.Context, ids []string) ([]Outcome, error) {
	return c.each(ids, func(selector *carawaypb.TaskSelector) ([]outcome, error) {
		response, err := invoke(ctx, c, c.tasks.DeleteTasks, &carawaypb.DeleteTasksRequest{Selector: selector})
		return outcomesOf(response.GetResults()), err
	})
}

// outcome is the contract's enum of any of these calls.
type outcome interface{ String() string }

func outcomesOf[E outcome, R interface{ GetOutcome() E }](results []R) []outcome {
	made := make([]outcome, len(results))
	for i, result := range results {
		made[i] = result.GetOutcome()
	}
	return made
}

func (c *Client) each(ids []string, call func(*carawaypb.TaskSelector) ([]outcome, error)) ([]Outcome, error) {
	outcomes := make([]Outcome, 0, len(ids))
	for len(ids) > 0 {
		now := ids[:min(len(ids), batchItems)]
		ids = ids[len(now):]
		results, err := call(&carawaypb.TaskSelector{TaskIds: now})
		if err != nil {
			return outcomes, err
		}
		for _, result := range results {
			outcomes = append(outcomes, Outcome(strings.TrimPrefix(result.String(), "OUTCOME_")))
		}
	}
	return outcomes, nil
}

// Filter says which tasks to list. What is set must all hold; what is empty does not matter. Naming states makes it cheap.
type Filter struct {
	States        []State
	Names         []string
	Queues        []string
	WorkerIDs     []string
	ErrorKinds    []Kind
	CreatedAfter  time.Time // at this time or later
	CreatedBefore time.Time
	Stamps        map[string][]any // stamped with at least one of these values, under each name
	ParentTaskID  string           // submitted by this task
	PageSize      int              // tasks that one call reads; 0 is 50
}

// List lists tasks, page after page as they are wanted, without results. It ends at the first error.
func (c *Client) List(ctx context.Context, filter Filter) iter.Seq2[*Task, error] {
	return func(yield func(*Task, error) bool) {
		chosen, err := filter.proto()
		if err != nil {
			yield(nil, err)
			return
		}
		request := &carawaypb.ListTasksRequest{Filter: chosen, PageSize: int32(filter.PageSize)}
		for {
			page, err := invoke(ctx, c, c.tasks.ListTasks, request)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, each := range page.GetTasks() {
				if !yield(newTask(each), nil) {
					return
				}
			}
			if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
				return
			}
		}
	}
}

func (f Filter) proto() (*carawaypb.TaskFilter, error) {
	made := &carawaypb.TaskFilter{
		States: statesFrom(f.States), Names: f.Names, Queues: f.Queues, WorkerIds: f.WorkerIDs, ParentTaskId: f.ParentTaskID,
	}
	for name, values := range f.Stamps {
		list, err := structpb.NewList(values)
		if err != nil {
			return nil, invalid("the stamp %q: %v", name, err)
		}
		if made.Stamps == nil {
			made.Stamps = map[string]*structpb.ListValue{}
		}
		made.Stamps[name] = list
	}
	for _, kind := range f.ErrorKinds {
		made.ErrorKinds = append(made.ErrorKinds, carawaypb.TaskError_Kind(carawaypb.TaskError_Kind_value["KIND_"+string(kind)]))
	}
	if !f.CreatedAfter.IsZero() {
		made.CreatedAfter = timestamppb.New(f.CreatedAfter)
	}
	if !f.CreatedBefore.IsZero() {
		made.CreatedBefore = timestamppb.New(f.CreatedBefore)
	}
	return made, nil
}

// CountByState counts tasks by their state.
func (c *Client) CountByState(ctx context.Context) (map[State]int64, error) {
	response, err := invoke(ctx, c, c.tasks.CountTasks, &carawaypb.CountTasksRequest{})
	if err != nil {
		return nil, err
	}
	counts := make(map[State]int64, len(response.GetCounts()))
	for state, count := range response.GetCounts() {
		counts[State(state)] = count
	}
	return counts, nil
}
