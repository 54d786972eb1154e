// Command wordcount counts the words of files: one task for each file, and one that adds their counts up.
//
//	go run ./examples/wordcount FILE...
//
// It is caller and worker in one program; in earnest they are two. The gateway is CARAWAY_TARGET's, or localhost:50051.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

const queue = "wordcount-go"

// count gives the number of words of a file.
func count(_ context.Context, path string) (int, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, caraway.NonRetryable(err) // a further attempt would not find it either
	}
	return len(bytes.Fields(text)), err
}

func add(_ context.Context, counts []int) (total int, _ error) {
	for _, each := range counts {
		total += each
	}
	return total, nil
}

func run(ctx context.Context, paths []string) error {
	client, err := caraway.NewClient("")
	if err != nil {
		return err
	}
	defer client.Close()

	worker := caraway.NewWorker(client, caraway.WithQueues(queue))
	caraway.Register(worker, "wordcount.count", count, caraway.TimeLimits(10*time.Second, time.Minute))
	caraway.Register(worker, "wordcount.add", add)
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()

	retries := caraway.WithRetries(caraway.RetryPolicy{MaxAttempts: 3})
	counts := make([]caraway.Step, len(paths))
	for i, path := range paths {
		counts[i] = caraway.NewCall("wordcount.count", path).With(caraway.WithQueue(queue), retries)
	}
	handle, err := client.Start(ctx, caraway.Chord(counts, caraway.NewCall("wordcount.add").With(caraway.WithQueue(queue))))
	if err != nil {
		return err
	}
	total, err := caraway.Result[int](ctx, handle)
	var failed *caraway.TaskError
	switch {
	case errors.As(err, &failed):
		fmt.Printf("a task failed: %s\n", failed.Message)
	case err != nil:
		return err
	default:
		fmt.Printf("%d words\n", total)
	}
	worker.Drain()
	return <-ended
}

func main() {
	slog.SetLogLoggerLevel(slog.LevelWarn)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}
