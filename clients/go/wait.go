package caraway

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// Get reads a task as it stands. It fails with ReasonTaskNotFound if there is none of this id.
func (c *Client) Get(ctx context.Context, id string) (*Task, error) {
	request := &carawaypb.GetTaskRequest{TaskId: id, View: carawaypb.TaskView_TASK_VIEW_FULL}
	response, err := invoke(ctx, c, c.tasks.GetTask, request)
	if err != nil {
		return nil, err
	}
	return newTask(response.GetTask()), nil
}

// GetMany reads many tasks, with results, in as few calls as their size allows; missing are the ids of which there is no task.
func (c *Client) GetMany(ctx context.Context, ids []string) (tasks []*Task, missing []string, err error) {
	for len(ids) > 0 {
		now := ids[:min(len(ids), batchItems)]
		ids = ids[len(now):]
		request := &carawaypb.BatchGetTasksRequest{TaskIds: now, View: carawaypb.TaskView_TASK_VIEW_FULL}
		response, err := invoke(ctx, c, c.tasks.BatchGetTasks, request)
		if err != nil {
			return tasks, missing, err
		}
		for _, each := range response.GetTasks() {
			tasks = append(tasks, newTask(each))
		}
		missing = append(missing, response.GetMissingTaskIds()...)
		ids = append(append([]string(nil), response.GetUnreadTaskIds()...), ids...)
	}
	return tasks, missing, nil
}

// Wait waits until a task has ended, through outages of the gateway, for as long as ctx lasts: when that ends, its error is
// returned, and the task goes on. A task that failed is no error here: see [Task.Err].
func (c *Client) Wait(ctx context.Context, id string) (*Task, error) {
	return c.WaitRevision(ctx, id, 0)
}

// WaitRevision waits until a task has ended, or has changed to a revision above this one.
func (c *Client) WaitRevision(ctx context.Context, id string, after int64) (*Task, error) {
	var pause delays
	for {
		wait := nextWait(ctx)
		request := &carawaypb.WaitTaskRequest{
			TaskId: id, MaxWait: durationpb.New(wait), AfterRevision: after, View: carawaypb.TaskView_TASK_VIEW_FULL,
		}
		response, err := attempt(ctx, c, c.tasks.WaitTask, request, wait+attemptTimeout)
		if err != nil {
			if !c.mayRetry(err) {
				return nil, err
			}
			if err := sleep(ctx, pause.next()); err != nil {
				return nil, err
			}
			continue
		}
		if response.GetDone() || (after > 0 && response.GetTask().GetRevision() > after) {
			return newTask(response.GetTask()), nil
		}
		if err := sleep(ctx, 0); err != nil {
			return nil, err
		}
		pause = 0
	}
}

// nextWait is how long one call waits: until ctx ends, but no longer than the gateway does.
func nextWait(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return longestWait
	}
	return min(longestWait, max(0, time.Until(deadline)))
}
