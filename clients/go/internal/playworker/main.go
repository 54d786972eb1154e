// Command playworker is the worker of tests/clients/test_go.py: playworker QUEUE. The gateway is CARAWAY_TARGET's.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"time"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

type pair struct {
	X int64 `json:"x"`
	Y int64 `json:"y"`
}

type gate struct {
	Started string `json:"started"`
	Release string `json:"release"`
}

// hold says by a file that it has started, and waits for another one.
func hold(ctx context.Context, in gate) (int, error) {
	if err := os.WriteFile(in.Started, nil, 0o600); err != nil {
		return 0, err
	}
	for ctx.Err() == nil {
		if _, err := os.Stat(in.Release); err == nil {
			return caraway.AttemptFrom(ctx).Delivery, nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return 0, context.Cause(ctx)
}

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	client, err := caraway.NewClient("")
	if err != nil {
		log.Fatal(err)
	}
	worker := caraway.NewWorker(client, caraway.WithQueues(os.Args[1]), caraway.WithConcurrency(2))
	caraway.Register(worker, "go.add", func(_ context.Context, in pair) (int64, error) { return in.X + in.Y, nil })
	caraway.Register(worker, "go.echo", func(_ context.Context, value any) (any, error) { return value, nil })
	caraway.Register(worker, "go.hold", hold)
	if err := worker.RunUntilSignal(context.Background()); err != nil {
		log.Fatal(err)
	}
}
