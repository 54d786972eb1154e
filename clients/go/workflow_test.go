package caraway_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

// outcome starts a workflow and waits for what it gives.
func outcome[T any](s *stage, step caraway.Step) T {
	s.Helper()
	handle, err := s.client.Start(s.ctx, step)
	if err != nil {
		s.Fatal(err)
	}
	value, err := caraway.Result[T](s.ctx, handle)
	if err != nil {
		s.Fatal(err)
	}
	return value
}

func TestWorkflows(t *testing.T) {
	s := newStage(t)
	s.work(addition)
	one, two := s.call("add", 1, 0), s.call("add", 1, 1)
	equal(t, outcome[int](s, one), 1)
	equal(t, outcome[int](s, caraway.Chain(one, s.call("add", 10), s.call("add", 100))), 111)
	group := outcome[[]int](s, caraway.Group(one, two, caraway.Chain(two, s.call("add", 5))))
	equal(t, reflect.DeepEqual(group, []int{1, 2, 7}), true)
	equal(t, outcome[int](s, caraway.Chord([]caraway.Step{one, two}, s.call("sum"))), 3)
	nested := outcome[[][]int](s, caraway.Group(caraway.Group(one, two), caraway.Group(two)))
	equal(t, reflect.DeepEqual(nested, [][]int{{1, 2}, {2}}), true)
	equal(t, outcome[int](s, caraway.Chain(one, caraway.Group(s.call("add", 1), s.call("add", 2)), s.call("sum"))), 5)
	equal(t, outcome[int](s, caraway.Chain(one, s.call("add", 7, 8).Immutable())), 15)
	equal(t, outcome[int](s, caraway.Chord(nil, s.call("sum"))), 0)
	for _, empty := range []caraway.Step{caraway.Chain(), caraway.Group(), caraway.Workflow{}} {
		if _, err := s.client.Start(s.ctx, empty); !errors.Is(err, caraway.ErrInvalid) {
			t.Errorf("an empty workflow was taken: %v", err)
		}
	}
}

func TestALargeGroupGoesInParts(t *testing.T) {
	s := newStage(t)
	s.work(addition)
	steps := make([]caraway.Step, 2100)
	for i := range steps {
		steps[i] = s.call("add", i, 0)
	}
	equal(t, outcome[int](s, caraway.Chord(steps, s.call("sum"))), 2100*2099/2)
}

func TestWhatFollowsSuccessAndFailure(t *testing.T) {
	s := newStage(t)
	succeeded, failed := make(chan int, 10), make(chan *caraway.TaskError, 10)
	s.work(func(w *caraway.Worker) {
		addition(w)
		caraway.Register(w, "succeeded", func(_ context.Context, value int) (any, error) { succeeded <- value; return nil, nil })
		caraway.Register(w, "failed", func(_ context.Context, why *caraway.TaskError) (any, error) { failed <- why; return nil, nil })
	})
	with := func(call caraway.Call) caraway.Call {
		return call.OnSuccess(s.call("succeeded")).OnError(s.call("failed"))
	}
	if task, err := s.client.Run(s.ctx, with(s.call("add", 1, 2))); err != nil || task.Err() != nil {
		t.Fatal(err, task.Err())
	}
	equal(t, <-succeeded, 3)
	bad := s.submit(with(s.call("fail", "bent")))
	equal(t, s.fails(bad, caraway.KindApplication).Message, "bent")
	equal(t, (<-failed).Message, "bent")
	whole := caraway.Chain(s.call("fail", "broken"), s.call("add", 1)).OnError(s.call("failed"))
	handle, err := s.client.Start(s.ctx, whole)
	if err != nil {
		t.Fatal(err)
	}
	failure := s.fails(handle, caraway.KindDependency)
	equal(t, failure.FailedKind, caraway.KindApplication)
	equal(t, errors.Is(failure, caraway.KindApplication), true)
	equal(t, (<-failed).Message, "broken")
	equal(t, len(succeeded), 0)
}

func TestATaskGivesItsPlaceToAWorkflow(t *testing.T) {
	s := newStage(t)
	s.work(func(w *caraway.Worker) {
		addition(w)
		caraway.Register(w, "delegate", func(context.Context, struct{}) (any, error) {
			return nil, caraway.ReplaceWith(caraway.Chain(s.call("add", 1, 2), s.call("add", 10)))
		})
		caraway.Register(w, "group", func(context.Context, struct{}) (any, error) {
			return nil, caraway.ReplaceWith(caraway.Group(s.call("add", 1, 2)))
		})
	})
	equal(t, outcome[int](s, caraway.Chain(s.call("delegate"), s.call("add", 100))), 113)
	s.fails(s.submit(s.call("group")), caraway.KindApplication)
}

func TestLargeInputsAreReadInPages(t *testing.T) {
	s := newStage(t)
	s.work(func(w *caraway.Worker) {
		caraway.Register(w, "text", func(_ context.Context, size int) (string, error) { return strings.Repeat("x", size), nil })
		caraway.Register(w, "length", func(_ context.Context, texts []string) (int, error) {
			total := 0
			for _, text := range texts {
				total += len(text)
			}
			return total, nil
		})
	})
	large := s.call("text", 200_000)
	equal(t, outcome[int](s, caraway.Chord([]caraway.Step{large, large, large, large, large, large}, s.call("length"))), 1_200_000)
}
