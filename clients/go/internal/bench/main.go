// Command bench is what benchmarks/languages.py runs: bench unary|batch|drain COUNT. It prints one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

const (
	inFlight  = 64
	producers = 4 // each sends one message after the other
	slots     = 8
	task      = "bench.noop"
)

// side runs callers side by side, and gives how long all of them took.
func side(callers int, call func(caller int) error) (time.Duration, error) {
	failures := make(chan error, callers)
	began := time.Now()
	for caller := range callers {
		go func() { failures <- call(caller) }()
	}
	var failed error
	for range callers {
		failed = errors.Join(failed, <-failures)
	}
	return time.Since(began), failed
}

func unary(ctx context.Context, client *caraway.Client, count int) (time.Duration, error) {
	var next atomic.Int64
	return side(inFlight, func(int) error {
		for n := next.Add(1); n <= int64(count); n = next.Add(1) {
			if _, err := client.Submit(ctx, caraway.NewCall(task, n)); err != nil {
				return err
			}
		}
		return nil
	})
}

func batch(ctx context.Context, client *caraway.Client, count int) (time.Duration, error) {
	return side(producers, func(producer int) error {
		_, err := submit(ctx, client, (count+producer)/producers)
		return err
	})
}

func submit(ctx context.Context, client *caraway.Client, count int) ([]*caraway.Handle, error) {
	calls := make([]caraway.Call, count)
	for n := range calls {
		calls[n] = caraway.NewCall(task, n)
	}
	return client.SubmitMany(ctx, calls)
}

// drain measures from the first task's start to the last one's end.
func drain(ctx context.Context, client *caraway.Client, count int) (time.Duration, error) {
	handles, err := submit(ctx, client, count)
	if err != nil {
		return 0, err
	}
	var first atomic.Int64
	var left atomic.Int64
	left.Store(int64(count))
	worker := caraway.NewWorker(client, caraway.WithConcurrency(slots))
	caraway.Register(worker, task, func(context.Context, int) (any, error) {
		first.CompareAndSwap(0, time.Now().UnixNano())
		if left.Add(-1) == 0 {
			worker.Drain()
		}
		return nil, nil
	})
	if err := worker.Run(ctx); err != nil {
		return 0, err
	}
	last, err := lastEnd(ctx, client, handles)
	return last.Sub(time.Unix(0, first.Load())), err
}

// lastEnd reads all tasks back.
func lastEnd(ctx context.Context, client *caraway.Client, handles []*caraway.Handle) (last time.Time, err error) {
	ids := make([]string, len(handles))
	for i, handle := range handles {
		ids[i] = handle.ID()
	}
	tasks, missing, err := client.GetMany(ctx, ids)
	if err != nil || len(missing) > 0 {
		return last, errors.Join(err, fmt.Errorf("%d tasks are gone", len(missing)))
	}
	for _, each := range tasks {
		if each.State != caraway.StateSucceeded {
			return last, fmt.Errorf("the task %s is %s", each.ID, each.State)
		}
		if each.EndTime.After(last) {
			last = each.EndTime
		}
	}
	return last, nil
}

func main() {
	slog.SetLogLoggerLevel(slog.LevelWarn)
	operations := map[string]func(context.Context, *caraway.Client, int) (time.Duration, error){
		"unary": unary, "batch": batch, "drain": drain,
	}
	if len(os.Args) != 3 || operations[os.Args[1]] == nil {
		log.Fatal("usage: bench unary|batch|drain COUNT")
	}
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	client, err := caraway.NewClient("")
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	took, err := operations[os.Args[1]](ctx, client, count)
	if err != nil {
		log.Fatal(err)
	}
	line, err := json.Marshal(map[string]any{"count": count, "seconds": took.Seconds(), "per_second": float64(count) / took.Seconds()})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}
