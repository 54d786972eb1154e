// Asynq's worker and producer: runs the operation that the command line names; a producer prints one JSON object.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hibiken/asynq"
)

const (
	task     = "noop"
	queue    = "default"
	warmUp   = 50
	atOnce   = 50 // enqueued at the same time, where many are: there is no call for many
	poll     = time.Millisecond
	patience = 5 * time.Minute
)

type answer map[string]any

var store = asynq.RedisClientOpt{Network: "unix", Addr: os.Getenv("BENCH_STORE_SOCKET"), PoolSize: atOnce}

// now gives seconds since 1970.
func now() float64 { return float64(time.Now().UnixNano()) / 1e9 }

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// work is the task: does nothing but tell when it ran.
func work(_ context.Context, t *asynq.Task) error {
	_, err := t.ResultWriter().Write([]byte(strconv.FormatFloat(now(), 'f', 9, 64)))
	return err
}

func worker(concurrency string) {
	server := asynq.NewServer(store, asynq.Config{
		Concurrency:       must(strconv.Atoi(concurrency)),
		TaskCheckInterval: poll,
		LogLevel:          asynq.WarnLevel,
	})
	if err := server.Start(asynq.HandlerFunc(work)); err != nil {
		log.Fatal(err)
	}
	fmt.Println("the worker is ready.")
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM)
	<-stopped
	server.Shutdown()
}

func enqueue(client *asynq.Client, value any) string {
	payload := must(json.Marshal(value))
	return must(client.Enqueue(asynq.NewTask(task, payload), asynq.Retention(time.Hour))).ID
}

// send enqueues many at once; value is what each is given, its number where it is empty.
func send(client *asynq.Client, count int, value string) []string {
	ids := make([]string, count)
	var group sync.WaitGroup
	for first := range atOnce {
		group.Go(func() {
			for n := first; n < count; n += atOnce {
				if value != "" {
					ids[n] = enqueue(client, value)
				} else {
					ids[n] = enqueue(client, n)
				}
			}
		})
	}
	group.Wait()
	return ids
}

func rate(count int, submit func(int)) answer {
	submit(warmUp)
	start := time.Now()
	submit(count)
	return answer{"per_second": float64(count) / time.Since(start).Seconds()}
}

// delayGet times an enqueue and the wait for its result, for which there is nothing but to ask.
func delayGet(client *asynq.Client, inspector *asynq.Inspector, count int) answer {
	spans := []float64{}
	for n := range warmUp + count {
		start := time.Now()
		id := enqueue(client, n)
		for must(inspector.GetTaskInfo(queue, id)).State != asynq.TaskStateCompleted {
			time.Sleep(poll)
		}
		if n >= warmUp {
			spans = append(spans, time.Since(start).Seconds())
		}
	}
	return answer{"seconds": spans}
}

// collect waits for all and reads every result; gives the first and the last start.
func collect(inspector *asynq.Inspector, path string) answer {
	ids := strings.Fields(string(must(os.ReadFile(path))))
	deadline := time.Now().Add(patience)
	for must(inspector.GetQueueInfo(queue)).Completed < len(ids) {
		if time.Now().After(deadline) {
			log.Fatal("not all tasks ended")
		}
		time.Sleep(100 * time.Millisecond)
	}
	first, last := now(), 0.0
	for _, id := range ids {
		start := must(strconv.ParseFloat(string(must(inspector.GetTaskInfo(queue, id)).Result), 64))
		first, last = min(first, start), max(last, start)
	}
	return answer{"count": len(ids), "first_start": first, "last_end": last}
}

func produce(operation string, words []string) answer {
	client := asynq.NewClient(store)
	defer client.Close()
	inspector := asynq.NewInspector(store)
	defer inspector.Close()
	if operation == "collect" {
		return collect(inspector, words[0])
	}
	count := must(strconv.Atoi(words[0]))
	switch operation {
	case "submit": // keeps the ids
		value := ""
		if len(words) > 2 {
			value = words[2]
		}
		ids := send(client, count, value)
		if err := os.WriteFile(words[1], []byte(strings.Join(ids, "\n")), 0o600); err != nil {
			log.Fatal(err)
		}
		return answer{}
	case "submit_many":
		return rate(count, func(number int) { send(client, number, "") })
	case "delay": // each confirmed before the next
		return rate(count, func(number int) {
			for n := range number {
				enqueue(client, n)
			}
		})
	case "delay_get":
		return delayGet(client, inspector, count)
	}
	log.Fatalf("no operation is called %s", operation)
	return nil
}

func main() {
	operation, words := os.Args[1], os.Args[2:]
	if operation == "worker" {
		worker(words[0])
		return
	}
	fmt.Println(string(must(json.Marshal(produce(operation, words)))))
}
