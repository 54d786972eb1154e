// Package caraway submits tasks to a Caraway gateway, waits for them, watches and revokes them, and runs them.
//
// A program needs one [Client]. It submits a [Call], the name of a task with its arguments:
//
//	client, err := caraway.NewClient("localhost:50051")
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	sum, err := caraway.Run[int](ctx, client, caraway.NewCall("tasks.add", 2, 2))
//
// [Client.Submit] returns as soon as the task is kept, with a [Handle] to ask by later, from this program or another one:
// by [Handle.Wait], [Handle.Result], [Handle.Watch] or [Handle.Revoke]. [Client.SubmitMany] submits many at once. Options say
// when and how a task is run, for example [WithQueue], [WithDelay], [WithRetries] and [WithUnique].
//
// # Workflows
//
// [Chain], [Group] and [Chord] put calls together; [Client.Start] submits the whole, and gives the handle of its outcome:
//
//	handle, err := client.Start(ctx, caraway.Chord(
//		[]caraway.Step{caraway.NewCall("count", "a.txt"), caraway.NewCall("count", "b.txt")},
//		caraway.NewCall("tasks.sum"),
//	))
//
// # Workers
//
// A [Worker] runs Go functions as tasks, for callers in any language. [Register] gives it one:
//
//	type Add struct {
//		X int `json:"x"`
//		Y int `json:"y"`
//	}
//
//	worker := caraway.NewWorker(client, caraway.WithQueues("math"))
//	caraway.Register(worker, "tasks.add", func(ctx context.Context, in Add) (int, error) {
//		return in.X + in.Y, nil
//	})
//	err := worker.RunUntilSignal(ctx)
//
// A handler's context ends when its task is to stop, and [context.Cause] tells why: a [*Cancellation], [KindSoftTimeLimit],
// [KindTimeLimit], [ErrLeaseLost] or [ErrStopped]. [AttemptFrom] gives its id, its attempt, its fence, and takes its progress.
// A task may run again after its worker was lost: make it safe to repeat, or register it with [AtMostOnce].
//
// # Values
//
// Arguments, results and progress cross between languages unchanged: [Marshal] and [Unmarshal] say how. Integers of any size,
// decimals, times, durations and bytes stay what they are; what does not fit into a Go type is refused, never rounded.
//
// # Errors
//
// That a task failed is a [*TaskError], which is a [Kind] for errors.Is. That a call failed is an [*Error], which is a
// [Reason], or [ErrUnavailable]:
//
//	var failed *caraway.TaskError
//	switch {
//	case errors.Is(err, caraway.ReasonTaskNotFound):
//	case errors.Is(err, caraway.KindTimeLimit):
//	case errors.As(err, &failed):
//		fmt.Println(failed.Type, failed.Message, failed.Traceback)
//	}
package caraway
