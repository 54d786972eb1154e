package caraway_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

// stage is what a test plays on: a client of a real gateway, and a queue of its own.
type stage struct {
	*testing.T
	ctx    context.Context
	client *caraway.Client
	queue  string
}

// newStage needs the gateway that CARAWAY_TARGET names. tests/clients/test_go.py starts one, and lets no test be skipped.
func newStage(t *testing.T, options ...caraway.ClientOption) *stage {
	t.Helper()
	if os.Getenv("CARAWAY_TARGET") == "" {
		t.Skip("it needs a gateway: start one (caraway server) and name it by CARAWAY_TARGET")
	}
	client, err := caraway.NewClient("", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return &stage{T: t, ctx: ctx, client: client, queue: "go-" + uuid.NewString()}
}

// work runs a worker on the stage's queue until the test ends. add registers its handlers.
func (s *stage) work(add func(*caraway.Worker), options ...caraway.WorkerOption) *caraway.Worker {
	s.Helper()
	options = append([]caraway.WorkerOption{caraway.WithQueues(s.queue), caraway.WithConcurrency(4)}, options...)
	worker := caraway.NewWorker(s.client, options...)
	add(worker)
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(context.Background()) }()
	select {
	case <-worker.Ready():
	case err := <-ended:
		s.Fatalf("the worker ended: %v", err)
	case <-s.ctx.Done():
		s.Fatal("the worker did not become ready")
	}
	s.Cleanup(func() {
		worker.Stop()
		if err := <-ended; err != nil {
			s.Errorf("the worker ended by %v", err)
		}
	})
	return worker
}

// call makes a call on the stage's queue.
func (s *stage) call(name string, args ...any) caraway.Call {
	return caraway.NewCall(name, args...).With(caraway.WithQueue(s.queue))
}

func (s *stage) submit(call caraway.Call, options ...caraway.CallOption) *caraway.Handle {
	s.Helper()
	handle, err := s.client.Submit(s.ctx, call, options...)
	if err != nil {
		s.Fatal(err)
	}
	return handle
}

func (s *stage) wait(handle *caraway.Handle) *caraway.Task {
	s.Helper()
	task, err := handle.Wait(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	return task
}

// fails checks that a task has failed, and gives why.
func (s *stage) fails(handle *caraway.Handle, kind caraway.Kind) *caraway.TaskError {
	s.Helper()
	var failure *caraway.TaskError
	if err := s.wait(handle).Err(); !errors.As(err, &failure) || !errors.Is(err, kind) {
		s.Fatalf("it ended by %v, not by %s", err, kind)
	}
	return failure
}

func equal[T comparable](t testing.TB, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("it is %v, not %v", got, want)
	}
}

type pair struct {
	X int `json:"x"`
	Y int `json:"y"`
}

func addition(w *caraway.Worker) {
	caraway.Register(w, "add", func(_ context.Context, in pair) (int, error) { return in.X + in.Y, nil })
	caraway.Register(w, "sum", func(_ context.Context, numbers []int) (int, error) {
		total := 0
		for _, number := range numbers {
			total += number
		}
		return total, nil
	})
	caraway.Register(w, "fail", func(_ context.Context, text string) (int, error) { return 0, errors.New(text) })
	caraway.Register(w, "echo", func(_ context.Context, value any) (any, error) { return value, nil })
}

// block registers a handler that tells when it starts, and waits for the end of its context.
func block(w *caraway.Worker, options ...caraway.HandlerOption) (started chan string) {
	started = make(chan string, 100)
	caraway.Register(w, "block", func(ctx context.Context, _ caraway.Arguments) (any, error) {
		started <- caraway.AttemptFrom(ctx).ID
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}, options...)
	return started
}
