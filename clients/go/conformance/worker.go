package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

// workerRole has workers, which may run at a time.
type workerRole struct {
	mutex   sync.Mutex
	running map[string]*running
	holds   map[string]chan struct{} // by worker and task; closed by release
}

type running struct {
	worker *caraway.Worker
	ended  chan error
}

func newWorkerRole() *workerRole {
	return &workerRole{running: map[string]*running{}, holds: map[string]chan struct{}{}}
}

func (r *workerRole) answer(asked request) (object, error) {
	if asked.Do == "start" {
		return object{}, r.start(asked)
	}
	r.mutex.Lock()
	now := r.running[asked.Worker]
	r.mutex.Unlock()
	switch asked.Do {
	case "drain":
		now.worker.Drain()
		return object{}, <-now.ended
	case "stop":
		now.worker.Stop()
		return object{}, <-now.ended
	case "release":
		close(r.hold(asked.Worker, asked.TaskID))
		return object{}, nil
	}
	return nil, fmt.Errorf("a worker can't %q", asked.Do)
}

func (r *workerRole) start(asked request) error {
	client, err := connect(asked)
	if err != nil {
		return err
	}
	worker := caraway.NewWorker(client,
		caraway.WithName(asked.Worker), caraway.WithQueues(asked.Queues...), caraway.WithConcurrency(asked.Concurrency),
	)
	handlers{r, asked.Worker, worker, asked.HandlerNames}.register()
	now := &running{worker, make(chan error, 1)}
	go func() {
		err := worker.Run(context.Background())
		_ = client.Close()
		now.ended <- err
	}()
	select {
	case <-worker.Ready():
	case err := <-now.ended:
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.running[asked.Worker] = now
	return nil
}

// hold gives what a release of this task in this worker closes.
func (r *workerRole) hold(worker, task string) chan struct{} {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	key := worker + " " + task
	if r.holds[key] == nil {
		r.holds[key] = make(chan struct{})
	}
	return r.holds[key]
}

// handlers registers what every language has.
type handlers struct {
	role   *workerRole
	name   string
	worker *caraway.Worker
	wanted []string // empty: all
}

// PlayedError is what a handler fails by.
type PlayedError struct{ text string }

func (e *PlayedError) Error() string { return e.text }

func register[In, Out any](h handlers, name string, function func(context.Context, In) (Out, error), options ...caraway.HandlerOption) {
	if len(h.wanted) == 0 || slices.Contains(h.wanted, name) {
		caraway.Register(h.worker, name, function, options...)
	}
}

type message struct {
	Message string `json:"message"`
}

type pair struct {
	X int64 `json:"x"`
	Y int64 `json:"y"`
}

type value struct {
	Value any `json:"value,omitempty"`
}

func (h handlers) register() {
	register(h, "echo", func(_ context.Context, in value) (any, error) { return in.Value, nil })
	register(h, "arguments", func(_ context.Context, in caraway.Arguments) (any, error) {
		return map[string]any{"args": append([]any{}, in.Args...), "kwargs": in.Kwargs}, nil
	})
	register(h, "add", func(_ context.Context, in pair) (int64, error) { return in.X + in.Y, nil })
	register(h, "total", func(_ context.Context, numbers []int64) (total int64, _ error) {
		for _, number := range numbers {
			total += number
		}
		return total, nil
	})
	register(h, "describe", describe)
	register(h, "mark", func(ctx context.Context, _ caraway.Arguments) (any, error) {
		h.note(ctx, "called")
		return nil, nil
	})
	register(h, "text", func(_ context.Context, size int) (string, error) { return strings.Repeat("x", size), nil })
	register(h, "unwritable", func(context.Context, struct{}) (any, error) { return func() {}, nil })
	h.registerFailing()
	register(h, "hold", func(ctx context.Context, in value) (any, error) { return h.hold(ctx, in.Value) })
	register(h, "once", func(ctx context.Context, in value) (any, error) { return h.hold(ctx, in.Value) }, caraway.AtMostOnce())
	register(h, "stubborn", h.stubborn)
	register(h, "progress", h.progress)
}

func (h handlers) registerFailing() {
	register(h, "fail", func(_ context.Context, in message) (any, error) { return nil, &PlayedError{in.Message} })
	register(h, "fail_for_good", func(_ context.Context, in message) (any, error) {
		return nil, caraway.NonRetryable(&PlayedError{in.Message})
	})
	register(h, "fail_until", func(ctx context.Context, attempt int) (int, error) {
		if now := caraway.AttemptFrom(ctx).Number; now < attempt {
			return 0, &PlayedError{fmt.Sprintf("attempt %d", now)}
		}
		return caraway.AttemptFrom(ctx).Number, nil
	})
	register(h, "retry_until", func(ctx context.Context, in struct {
		Attempt int     `json:"attempt"`
		Delay   float64 `json:"delay"`
	}) (int, error) {
		now := caraway.AttemptFrom(ctx).Number
		if now < in.Attempt {
			return 0, caraway.Retry(&PlayedError{fmt.Sprintf("attempt %d", now)}, seconds(in.Delay))
		}
		return now, nil
	})
	register(h, "crash", func(_ context.Context, in message) (any, error) { panic(in.Message) })
	register(h, "reject", func(_ context.Context, reason string) (any, error) { return nil, caraway.Reject(reason) })
	register(h, "ignore", func(context.Context, struct{}) (any, error) { return nil, caraway.Ignore() })
}

func describe(ctx context.Context, _ struct{}) (any, error) {
	attempt := caraway.AttemptFrom(ctx)
	headers := map[string]string{}
	for key, value := range attempt.Headers {
		if strings.HasPrefix(key, "x-") {
			headers[key] = value
		}
	}
	return map[string]any{
		"task_id": attempt.ID, "attempt": attempt.Number, "delivery_count": attempt.Delivery, "headers": headers, "fence": attempt.Fence,
	}, nil
}

func (h handlers) note(ctx context.Context, what string) {
	say(object{"note": object{"worker": h.name, "task_id": caraway.AttemptFrom(ctx).ID, "what": what}})
}

func (h handlers) released(ctx context.Context) <-chan struct{} {
	return h.role.hold(h.name, caraway.AttemptFrom(ctx).ID)
}

// hold waits until it is released, or its context ends.
func (h handlers) hold(ctx context.Context, value any) (any, error) {
	h.note(ctx, "started")
	select {
	case <-h.released(ctx):
		return value, nil
	case <-ctx.Done():
	}
	if errors.Is(context.Cause(ctx), caraway.KindSoftTimeLimit) {
		h.note(ctx, "soft_limit")
	} else {
		h.note(ctx, "cancelled")
	}
	return nil, context.Cause(ctx)
}

func (h handlers) stubborn(ctx context.Context, in value) (any, error) {
	h.note(ctx, "started")
	select {
	case <-h.released(ctx):
	case <-ctx.Done():
		h.note(ctx, "cancelled")
		select {
		case <-h.released(ctx):
		case <-time.After(time.Minute): // a case that is over releases it no more
		}
	}
	return in.Value, nil
}

func (h handlers) progress(ctx context.Context, in struct {
	Detail any    `json:"detail"`
	State  string `json:"custom_state,omitempty"`
}) (any, error) {
	if err := caraway.AttemptFrom(ctx).ProgressAs(in.State, in.Detail); err != nil {
		return nil, err
	}
	return h.hold(ctx, nil)
}
