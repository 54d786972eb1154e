package caraway

import (
	"context"
	"iter"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// Handle stands for a task that was submitted, or that is known by its id.
type Handle struct {
	client      *Client
	id          string
	disposition carawaypb.SubmitDisposition
}

// Handle gives the handle of a task by its id; the gateway is not asked.
func (c *Client) Handle(id string) *Handle { return &Handle{client: c, id: id} }

// ID is the task's id. Of a unique task that was there already it is that one's.
func (h *Handle) ID() string { return h.id }

// Created tells whether the submit made a new task: false if the same id, or the unique key's holder, was there before.
func (h *Handle) Created() bool {
	return h.disposition == carawaypb.SubmitDisposition_SUBMIT_DISPOSITION_CREATED ||
		h.disposition == carawaypb.SubmitDisposition_SUBMIT_DISPOSITION_REPLACED
}

// Get reads the task as it stands.
func (h *Handle) Get(ctx context.Context) (*Task, error) { return h.client.Get(ctx, h.id) }

// Wait is [Client.Wait].
func (h *Handle) Wait(ctx context.Context) (*Task, error) { return h.client.Wait(ctx, h.id) }

// Watch is [Client.Watch] of this task, until it has ended.
func (h *Handle) Watch(ctx context.Context) iter.Seq2[Event, error] { return h.client.Watch(ctx, h.id) }

// Revoke is [Client.Revoke] of this task.
func (h *Handle) Revoke(ctx context.Context, options ...RevokeOption) (Outcome, error) {
	return one(h.client.Revoke(ctx, []string{h.id}, options...))
}

// Retry is [Client.Retry] of this task.
func (h *Handle) Retry(ctx context.Context) (Outcome, error) {
	return one(h.client.Retry(ctx, []string{h.id}))
}

// Delete is [Client.Delete] of this task.
func (h *Handle) Delete(ctx context.Context) (Outcome, error) {
	return one(h.client.Delete(ctx, []string{h.id}))
}

func one(outcomes []Outcome, err error) (Outcome, error) {
	if err != nil || len(outcomes) == 0 {
		return "", err
	}
	return outcomes[0], nil
}

// Result waits for the task's end and reads what it returned into what target points to, as [Unmarshal] does. It fails with a
// [*TaskError] if the task did not succeed. The outcome of a group is the list of its members'.
func (h *Handle) Result(ctx context.Context, target any) error {
	task, err := h.Wait(ctx)
	if err != nil {
		return err
	}
	if task.proto.GetCollected() == nil || task.Err() != nil {
		return task.Result(target)
	}
	list, err := h.client.collected(ctx, task)
	if err != nil {
		return err
	}
	return assignTo(target, list)
}

// Result is [Handle.Result] with the type that is wanted: sum, err := caraway.Result[int](ctx, handle).
func Result[T any](ctx context.Context, h *Handle) (T, error) {
	var result T
	err := h.Result(ctx, &result)
	return result, err
}

// Run submits a task, waits for its end and gives what it returned: sum, err := caraway.Run[int](ctx, client, call). It
// fails with a [*TaskError] if the task did not succeed.
func Run[T any](ctx context.Context, c *Client, call Call, options ...CallOption) (T, error) {
	var result T
	task, err := c.Run(ctx, call, options...)
	if err == nil {
		err = task.Result(&result)
	}
	return result, err
}

// collected lists the outcomes of what a collect has collected, in the order of its edges.
func (c *Client) collected(ctx context.Context, task *Task) ([]any, error) {
	list := []any{}
	request := &carawaypb.ListWorkflowNodesRequest{
		WorkflowId: task.WorkflowID, CollectNodeId: task.NodeID, View: carawaypb.TaskView_TASK_VIEW_FULL, PageSize: 250,
	}
	for {
		page, err := invoke(ctx, c, c.workflows.ListWorkflowNodes, request)
		if err != nil {
			return nil, err
		}
		for _, node := range page.GetNodes() {
			member := newTask(node.GetTask())
			var value any
			if member.proto.GetCollected() != nil {
				value, err = c.collected(ctx, member)
			} else {
				err = member.Result(&value)
			}
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return list, nil
		}
	}
}
