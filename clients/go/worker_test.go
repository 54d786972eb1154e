package caraway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

func TestArgumentsThatDoNotFitFailTheTask(t *testing.T) {
	s := newStage(t)
	s.work(func(w *caraway.Worker) {
		addition(w)
		caraway.Register(w, "optional", func(_ context.Context, in struct {
			Name  string `json:"name"`
			Count *int   `json:"count"`
			Note  string `json:"note,omitempty"`
		}) (string, error) {
			return fmt.Sprint(in.Name, in.Count == nil, in.Note), nil
		})
		caraway.Register(w, "none", func(context.Context, struct{}) (any, error) { return nil, nil })
	})
	for text, call := range map[string]caraway.Call{
		`argument "y" is missing`:          s.call("add", 1),
		`it takes 2 arguments`:             s.call("add", 1, 2, 3),
		`no argument "z"`:                  s.call("add", 1, 2).Kwargs(map[string]any{"z": 3}),
		`got "y" twice`:                    s.call("add", 1, 2).Kwargs(map[string]any{"y": 3}),
		`does not fit into a int`:          s.call("add", 1, "two"),
		`it takes 0 arguments`:             s.call("none", 1),
		`takes one argument, and got none`: s.call("fail"),
	} {
		failure := s.fails(s.submit(call), caraway.KindPayload)
		if !strings.Contains(failure.Message, text) || !failure.NonRetryable || failure.Language != "go" {
			t.Errorf("%q: %+v", text, failure)
		}
	}
	said, err := caraway.Run[string](s.ctx, s.client, s.call("optional", "a"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, said, "atrue")
	if _, err := caraway.Run[any](s.ctx, s.client, s.call("none")); err != nil {
		t.Fatal(err)
	}
}

type shortage struct{ Screws int }

func (s *shortage) Error() string { return fmt.Sprintf("%d screws left", s.Screws) }

func TestErrorsTellTypeAndCauses(t *testing.T) {
	s := newStage(t)
	var attempts atomic.Int32
	s.work(func(w *caraway.Worker) {
		caraway.Register(w, "short", func(context.Context, struct{}) (any, error) {
			attempts.Add(1)
			return nil, fmt.Errorf("the chair: %w", &shortage{3})
		})
		caraway.Register(w, "panic", func(context.Context, struct{}) (any, error) { panic("no hammer") })
		caraway.Register(w, "final", func(context.Context, struct{}) (any, error) {
			attempts.Add(1)
			return nil, caraway.NonRetryable(&shortage{0})
		})
		caraway.Register(w, "refused", func(context.Context, struct{}) (any, error) { return nil, caraway.Reject("not ours") })
		caraway.Register(w, "left", func(context.Context, struct{}) (any, error) { return nil, caraway.Ignore() })
		caraway.Register(w, "again", func(ctx context.Context, _ struct{}) (int, error) {
			if now := caraway.AttemptFrom(ctx).Number; now < 3 {
				return 0, caraway.Retry(&shortage{now}, time.Millisecond)
			}
			return caraway.AttemptFrom(ctx).Number, nil
		})
		caraway.Register(w, "large", func(context.Context, struct{}) (any, error) { return strings.Repeat("x", 4<<20), nil })
	})
	quick := caraway.WithRetries(caraway.RetryPolicy{MaxAttempts: 3, InitialBackoff: time.Millisecond})
	failure := s.fails(s.submit(s.call("short"), quick), caraway.KindApplication)
	equal(t, failure.Type, "github.com/caraway-tasks/caraway/clients/go_test.shortage")
	equal(t, failure.Message, "the chair: 3 screws left")
	equal(t, attempts.Swap(0), 3)
	s.fails(s.submit(s.call("final"), quick), caraway.KindApplication)
	equal(t, attempts.Load(), 1)
	failure = s.fails(s.submit(s.call("panic")), caraway.KindApplication)
	equal(t, failure.Message, "no hammer")
	equal(t, strings.Contains(failure.Traceback, "worker_test.go"), true)
	equal(t, s.fails(s.submit(s.call("refused")), caraway.KindRejected).State, caraway.StateRejected)
	equal(t, s.wait(s.submit(s.call("left"))).State, caraway.StateIgnored)
	equal(t, strings.Contains(s.fails(s.submit(s.call("large")), caraway.KindPayload).Message, "bytes"), true)
	number, err := caraway.Run[int](s.ctx, s.client, s.call("again"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, number, 3)
}

func TestTimeLimitsStrike(t *testing.T) {
	s := newStage(t)
	var started chan string
	deaf := make(chan struct{})
	defer close(deaf)
	s.work(func(w *caraway.Worker) {
		addition(w)
		started = block(w, caraway.TimeLimits(20*time.Millisecond, 0))
		caraway.Register(w, "deaf", func(context.Context, struct{}) (any, error) { <-deaf; return nil, nil })
		caraway.Register(w, "deadline", func(ctx context.Context, _ struct{}) (bool, error) {
			_, has := ctx.Deadline()
			return has, nil
		})
	}, caraway.WithConcurrency(1), caraway.WithStopGrace(time.Millisecond))
	s.fails(s.submit(s.call("block")), caraway.KindSoftTimeLimit)
	<-started
	s.fails(s.submit(s.call("block"), caraway.WithTimeLimits(0, time.Minute)), caraway.KindSoftTimeLimit) // the handler's stays
	failure := s.fails(s.submit(s.call("deaf"), caraway.WithTimeLimits(0, 30*time.Millisecond)), caraway.KindTimeLimit)
	equal(t, failure.Message, "the hard time limit of 30ms struck")
	// The stuck handler's slot is given on, once.
	if _, err := caraway.Run[int](s.ctx, s.client, s.call("add", 1, 2)); err != nil {
		t.Fatal(err)
	}
	has, err := caraway.Run[bool](s.ctx, s.client, s.call("deadline"), caraway.WithTimeLimits(time.Minute, 0))
	if err != nil || !has {
		t.Fatal(has, err)
	}
}

func TestACancellationReachesTheHandler(t *testing.T) {
	s := newStage(t)
	var started chan string
	causes := make(chan error, 1)
	s.work(func(w *caraway.Worker) {
		started = block(w)
		caraway.Register(w, "tell", func(ctx context.Context, _ struct{}) (any, error) {
			started <- ""
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return nil, errors.New("of its own")
		})
	})
	handle := s.submit(s.call("tell"))
	<-started
	if _, err := handle.Revoke(s.ctx); err != nil { // pending only
		t.Fatal(err)
	}
	if _, err := handle.Revoke(s.ctx, caraway.Cancel(), caraway.WithReason("enough")); err != nil {
		t.Fatal(err)
	}
	s.fails(handle, caraway.KindRevoked)
	var told *caraway.Cancellation
	if cause := <-causes; !errors.As(cause, &told) || !errors.Is(cause, caraway.KindRevoked) {
		t.Fatal(cause)
	}
	equal(t, told.Reason, "enough")
}

func TestProgressIsTold(t *testing.T) {
	s := newStage(t)
	told := make(chan struct{})
	s.work(func(w *caraway.Worker) {
		caraway.Register(w, "steps", func(ctx context.Context, _ struct{}) (any, error) {
			if err := caraway.AttemptFrom(ctx).ProgressAs("SAWING", map[string]int{"done": 3}); err != nil {
				return nil, err
			}
			<-told
			return nil, caraway.AttemptFrom(ctx).Progress(func() {})
		})
	})
	handle := s.submit(s.call("steps"))
	for event, err := range handle.Watch(s.ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Task.CustomState == "SAWING" {
			break
		}
	}
	task, err := handle.Get(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var progress struct {
		Done int `json:"done"`
	}
	if has, err := task.Progress(&progress); err != nil || !has || progress.Done != 3 {
		t.Fatal(has, err, progress)
	}
	close(told)
	s.fails(handle, caraway.KindPayload)
}

func TestAtMostOnceStartsWhenItIsConfirmed(t *testing.T) {
	s := newStage(t)
	s.work(func(w *caraway.Worker) {
		caraway.Register(w, "once", func(ctx context.Context, _ struct{}) (string, error) {
			task, err := s.client.Get(ctx, caraway.AttemptFrom(ctx).ID)
			if err != nil {
				return "", err
			}
			return string(task.State), nil
		}, caraway.AtMostOnce())
	})
	state, err := caraway.Run[string](s.ctx, s.client, s.call("once"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, state, "RUNNING")
}

func TestAnAttemptKnowsItself(t *testing.T) {
	s := newStage(t, caraway.WithPropagation(caraway.Propagation{
		Inject: func(ctx context.Context, headers map[string]string) {
			if trace, ok := ctx.Value(traceKey{}).(string); ok {
				headers["traceparent"] = trace
			}
		},
		Extract: func(ctx context.Context, headers map[string]string) context.Context {
			return context.WithValue(ctx, traceKey{}, headers["traceparent"])
		},
	}))
	type self struct {
		Trace, ID, Root, Stamp string
		Fence                  int64
	}
	look := func(ctx context.Context) self {
		attempt := caraway.AttemptFrom(ctx)
		trace, _ := ctx.Value(traceKey{}).(string)
		return self{trace, attempt.ID, attempt.Headers["caraway-root-id"], fmt.Sprint(attempt.Stamps()["customer"]), attempt.Fence}
	}
	s.work(func(w *caraway.Worker) {
		caraway.Register(w, "child", func(ctx context.Context, _ struct{}) (self, error) { return look(ctx), nil })
		caraway.Register(w, "parent", func(ctx context.Context, _ struct{}) ([]self, error) {
			child, err := caraway.Run[self](ctx, s.client, s.call("child"))
			return []self{look(ctx), child}, err
		})
	})
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ctx := context.WithValue(s.ctx, traceKey{}, trace)
	family, err := caraway.Run[[]self](ctx, s.client, s.call("parent"), caraway.WithStamp("customer", "ada"))
	if err != nil {
		t.Fatal(err)
	}
	parent, child := family[0], family[1]
	equal(t, parent.Trace, trace)
	equal(t, child.Trace, trace)
	equal(t, parent.Stamp, "[ada]")
	equal(t, child.Root, parent.ID)
	equal(t, parent.Fence > 0, true)
	for task, err := range s.client.List(s.ctx, caraway.Filter{ParentTaskID: parent.ID}) {
		if err != nil {
			t.Fatal(err)
		}
		equal(t, task.ID, child.ID)
	}
	if caraway.AttemptFrom(context.Background()) != nil {
		t.Fatal("there is an attempt outside of handlers")
	}
}

type traceKey struct{}

func TestADrainEndsWhatRuns(t *testing.T) {
	s := newStage(t)
	started, goOn := make(chan struct{}), make(chan struct{})
	worker := caraway.NewWorker(s.client, caraway.WithQueues(s.queue), caraway.WithConcurrency(1))
	caraway.Register(worker, "slow", func(context.Context, struct{}) (string, error) {
		started <- struct{}{}
		<-goOn
		return "done", nil
	})
	ctx, cancel := context.WithCancel(s.ctx)
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	running, waiting := s.submit(s.call("slow")), s.submit(s.call("slow"))
	<-started
	cancel()
	close(goOn)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	equal(t, s.wait(running).State, caraway.StateSucceeded)
	task, err := waiting.Get(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, task.State, caraway.StateQueued)
	equal(t, task.Attempt, 0)
}

func TestAStopHandsBack(t *testing.T) {
	s := newStage(t)
	worker := caraway.NewWorker(s.client, caraway.WithQueues(s.queue))
	started := block(worker)
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(s.ctx) }()
	handle := s.submit(s.call("block"))
	<-started
	worker.Stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	task, err := handle.Get(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, task.State, caraway.StateQueued)
	equal(t, task.LostCount, 0)
}

func TestWorkersThatMakeNoSense(t *testing.T) {
	client, err := caraway.NewClient("localhost:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := caraway.NewWorker(client).Run(context.Background()); !errors.Is(err, caraway.ErrInvalid) {
		t.Error(err)
	}
	if err := caraway.NewWorker(client, caraway.WithConcurrency(0)).Run(context.Background()); !errors.Is(err, caraway.ErrInvalid) {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a name was taken twice")
		}
	}()
	worker := caraway.NewWorker(client)
	addition(worker)
	addition(worker)
}

func TestManyShortTasks(t *testing.T) {
	s := newStage(t)
	s.work(addition)
	calls := make([]caraway.Call, 3000)
	for i := range calls {
		calls[i] = s.call("add", i, 1)
	}
	handles, err := s.client.SubmitMany(s.ctx, calls)
	if err != nil {
		t.Fatal(err)
	}
	s.wait(handles[len(handles)-1])
	for i, handle := range handles {
		if i%30 != 0 {
			continue
		}
		if sum, err := caraway.Result[int](s.ctx, handle); err != nil || sum != i+1 {
			t.Fatal(i, sum, err)
		}
	}
	counts := 0
	for task, err := range s.client.List(s.ctx, caraway.Filter{Queues: []string{s.queue}, PageSize: 500}) {
		if err != nil || (task.State == caraway.StateSucceeded && task.Attempt != 1) {
			t.Fatal(task, err)
		}
		counts++
	}
	equal(t, counts, len(handles))
}
