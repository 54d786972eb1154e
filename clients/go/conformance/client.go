package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

// clientRole has a client for each that was connected.
type clientRole struct {
	mutex   sync.Mutex
	clients map[string]*caraway.Client
}

func newClientRole() *clientRole { return &clientRole{clients: map[string]*caraway.Client{}} }

func (r *clientRole) answer(asked request) (object, error) {
	ctx := context.Background()
	if asked.Timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, seconds(asked.Timeout))
		defer cancel()
		ctx = limited
	}
	if asked.Do == "connect" {
		client, err := connect(asked)
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.clients[asked.Client] = client
		return object{}, err
	}
	r.mutex.Lock()
	client := r.clients[asked.Client]
	r.mutex.Unlock()
	return ask(ctx, client, asked)
}

func ask(ctx context.Context, client *caraway.Client, asked request) (object, error) {
	switch asked.Do {
	case "close":
		return object{}, client.Close()
	case "submit", "run":
		return submit(ctx, client, asked)
	case "submit_many":
		return submitMany(ctx, client, asked.Tasks)
	case "read":
		return taskObject(client.Get(ctx, asked.TaskID))
	case "wait":
		return taskObject(client.Wait(ctx, asked.TaskID))
	case "result":
		return resultOf(ctx, client.Handle(asked.TaskID))
	case "watch":
		return object{}, watch(ctx, client, asked)
	case "list":
		return list(ctx, client, asked)
	case "revoke":
		return outcomes(client.Revoke(ctx, asked.TaskIDs, revokeOptions(asked)...))
	case "retry":
		return outcomes(client.Retry(ctx, asked.TaskIDs))
	case "delete":
		return outcomes(client.Delete(ctx, asked.TaskIDs))
	case "canvas":
		return runCanvas(ctx, client, asked)
	}
	return nil, fmt.Errorf("a client can't %q", asked.Do)
}

func submit(ctx context.Context, client *caraway.Client, asked request) (object, error) {
	call, err := asked.Task.call()
	if err != nil {
		return nil, err
	}
	if asked.Do == "run" {
		return taskObject(client.Run(ctx, call))
	}
	handle, err := client.Submit(ctx, call)
	if err != nil {
		return nil, err
	}
	return object{"task_id": handle.ID()}, nil
}

func submitMany(ctx context.Context, client *caraway.Client, specs []spec) (object, error) {
	calls := make([]caraway.Call, len(specs))
	for i, each := range specs {
		call, err := each.call()
		if err != nil {
			return nil, err
		}
		calls[i] = call
	}
	handles, err := client.SubmitMany(ctx, calls)
	var refused *caraway.BatchError
	if err != nil && !errors.As(err, &refused) {
		return nil, err
	}
	results := make([]object, len(calls))
	for i, handle := range handles {
		if handle != nil {
			results[i] = object{"task_id": handle.ID()}
		} else {
			results[i] = object{"error": failureOf(refused.Errors[i])}
		}
	}
	return object{"results": results}, nil
}

func resultOf(ctx context.Context, handle *caraway.Handle) (object, error) {
	value, err := caraway.Result[any](ctx, handle)
	if err != nil {
		return nil, err
	}
	text, err := caraway.Marshal(value)
	return object{"result": string(text)}, err
}

func runCanvas(ctx context.Context, client *caraway.Client, asked request) (object, error) {
	workflow, err := asked.Canvas.workflow()
	if err != nil {
		return nil, err
	}
	if asked.OnError != nil {
		errback, err := asked.OnError.call()
		if err != nil {
			return nil, err
		}
		workflow = workflow.OnError(errback)
	}
	handle, err := client.Start(ctx, workflow)
	if err != nil {
		return nil, err
	}
	return resultOf(ctx, handle)
}

func watch(ctx context.Context, client *caraway.Client, asked request) error {
	for event, err := range client.Watch(ctx, asked.TaskIDs...) {
		if err != nil {
			return err
		}
		if event.Task != nil {
			told, err := taskObject(event.Task, nil)
			if err != nil {
				return err
			}
			say(object{"id": asked.ID, "event": told})
		}
		if event.Gap {
			say(object{"id": asked.ID, "event": object{"gap": true}})
		}
		if len(event.Missing) > 0 {
			say(object{"id": asked.ID, "event": object{"missing": event.Missing}})
		}
	}
	return nil
}

func list(ctx context.Context, client *caraway.Client, asked request) (object, error) {
	filter := caraway.Filter{Names: asked.Names, Queues: asked.Queues, PageSize: asked.PageSize}
	for _, state := range asked.States {
		filter.States = append(filter.States, caraway.State(state))
	}
	tasks := []object{}
	for task, err := range client.List(ctx, filter) {
		if err != nil {
			return nil, err
		}
		told, err := taskObject(task, nil)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, told)
	}
	return object{"tasks": tasks}, nil
}

func revokeOptions(asked request) []caraway.RevokeOption {
	options := []caraway.RevokeOption{caraway.WithReason(asked.Reason)}
	switch asked.Mode {
	case "CANCEL":
		options = append(options, caraway.Cancel())
	case "TERMINATE":
		options = append(options, caraway.Terminate(seconds(asked.Grace), asked.Signal))
	}
	return options
}

func outcomes(told []caraway.Outcome, err error) (object, error) {
	return object{"outcomes": told}, err
}

func taskObject(task *caraway.Task, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	told := object{
		"task_id": task.ID, "state": task.State, "name": task.Name, "queue": task.Queue, "priority": task.Priority,
		"attempt": task.Attempt, "delivery_count": task.DeliveryCount, "lost_count": task.LostCount, "revision": task.Revision,
	}
	if task.CustomState != "" {
		told["custom_state"] = task.CustomState
	}
	if task.CancelReason != "" {
		told["cancel_reason"] = task.CancelReason
	}
	var failure *caraway.TaskError
	if errors.As(task.LastError(), &failure) && task.Proto().GetError() != nil {
		told["error"] = errorObject(failure)
	}
	var progress, result any
	if has, err := task.Progress(&progress); err != nil {
		return nil, err
	} else if has {
		text, err := caraway.Marshal(progress)
		if err != nil {
			return nil, err
		}
		told["progress"] = string(text)
	}
	if task.State == caraway.StateSucceeded && task.Proto().GetResult() != nil {
		if err := task.Result(&result); err != nil {
			return nil, err
		}
		text, err := caraway.Marshal(result)
		if err != nil {
			return nil, err
		}
		told["result"] = string(text)
	}
	return told, nil
}

func errorObject(failure *caraway.TaskError) object {
	told := object{"kind": failure.Kind, "type": failure.Type, "message": failure.Message, "language": failure.Language}
	if failure.FailedTaskID != "" {
		told["failed_task_id"] = failure.FailedTaskID
	}
	return told
}

// failureOf gives the members of an answer's error.
func failureOf(err error) object {
	var refusal *caraway.Error
	var ended *caraway.TaskError
	var payload *caraway.PayloadError
	switch {
	case errors.As(err, &ended):
		told := errorObject(ended)
		told["code"], told["state"] = "TASK", ended.State
		return told
	case errors.Is(err, context.DeadlineExceeded):
		return object{"code": "TIMEOUT"}
	case errors.As(err, &payload):
		return object{"code": "PAYLOAD", "message": err.Error()}
	case errors.Is(err, caraway.ErrInvalid):
		return object{"code": "INVALID", "message": err.Error()}
	case errors.As(err, &refusal):
		return object{"code": codeName(refusal.Code), "reason": refusal.Reason, "metadata": refusal.Metadata, "message": err.Error()}
	}
	return object{"code": "UNEXPECTED", "message": err.Error()}
}

// codeName gives a status code's name as protobuf has it: NOT_FOUND for NotFound.
func codeName(code codes.Code) string {
	var name strings.Builder
	for i, c := range code.String() {
		if i > 0 && c >= 'A' && c <= 'Z' {
			name.WriteByte('_')
		}
		name.WriteRune(c)
	}
	return strings.ToUpper(name.String())
}
