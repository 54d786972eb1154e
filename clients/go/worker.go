package caraway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// Version of this client library.
const Version = "0.1.0"

// Worker leases tasks from a gateway and runs their handlers, each in a goroutine of its own.
//
// It lives through outages: leases are kept by a stream that is opened again, reports are repeated until they are answered.
// A handler is stopped by its context alone, for nothing can kill a goroutine: where one ignores it, the task ends all the
// same (at its hard time limit as failed, KindTimeLimit; after Terminate's grace as revoked), and what it does meanwhile is
// for nobody. Its slot goes to the next task; but once as many handlers are stuck as the worker has slots, each further one
// keeps its slot until it returns. A handler that can't be made to listen belongs into a process of its own.
type Worker struct {
	client   *Client
	options  workerOptions
	handlers map[string]*handler
	log      *slog.Logger
	id       string
	ready    chan struct{}
	err      error // of its options

	mutex    sync.Mutex
	began    bool
	draining chan struct{} // closed by Drain
	stopping chan struct{} // closed by Stop
}

type workerOptions struct {
	queues      []string
	name        string
	concurrency int
	drainFor    time.Duration
	stopGrace   time.Duration
	soft, hard  time.Duration
}

// WorkerOption changes how a worker is run.
type WorkerOption func(*workerOptions) error

// WithQueues says which queues to lease from: "default" by default.
func WithQueues(queues ...string) WorkerOption {
	return func(o *workerOptions) error { o.queues = queues; return nil }
}

// WithName names the worker in lists; by default it is named after its host.
func WithName(name string) WorkerOption {
	return func(o *workerOptions) error { o.name = name; return nil }
}

// WithConcurrency says how many handlers run at once: four for each processor by default.
func WithConcurrency(slots int) WorkerOption {
	return func(o *workerOptions) error {
		if slots < 1 {
			return invalid("a worker's concurrency is at least 1, not %d", slots)
		}
		o.concurrency = slots
		return nil
	}
}

// WithDrainTimeout says how long a draining worker waits for what runs, before it stops that: for ever by default.
func WithDrainTimeout(d time.Duration) WorkerOption {
	return func(o *workerOptions) error { o.drainFor = d; return nil }
}

// WithStopGrace says how long handlers may take to return when the worker is stopped: a second by default.
func WithStopGrace(d time.Duration) WorkerOption {
	return func(o *workerOptions) error { o.stopGrace = max(time.Millisecond, d); return nil }
}

// WithDefaultTimeLimits bounds attempts for which neither call nor handler says anything. 0 is none.
func WithDefaultTimeLimits(soft, hard time.Duration) WorkerOption {
	return func(o *workerOptions) error { o.soft, o.hard = soft, hard; return nil }
}

// NewWorker makes a worker on a client's connection. Give it handlers by [Register], then Run it.
func NewWorker(client *Client, options ...WorkerOption) *Worker {
	host, _ := os.Hostname()
	w := &Worker{
		client: client, handlers: map[string]*handler{}, log: client.options.logger,
		ready: make(chan struct{}), draining: make(chan struct{}), stopping: make(chan struct{}),
		options: workerOptions{
			queues: []string{"default"}, name: "go@" + host, concurrency: 4 * runtime.GOMAXPROCS(0), stopGrace: time.Second,
		},
	}
	for _, option := range options {
		w.err = errors.Join(w.err, option(&w.options))
	}
	w.id = fmt.Sprintf("%s#%.12s", w.options.name, uuid.NewString())
	return w
}

func (w *Worker) add(h *handler) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if _, taken := w.handlers[h.name]; taken || w.began || h.name == "" {
		panic(fmt.Sprintf("caraway: the handler %q has no name, is registered already, or the worker runs", h.name))
	}
	w.handlers[h.name] = h
}

// Ready is closed once the worker takes tasks.
func (w *Worker) Ready() <-chan struct{} { return w.ready }

// Drain has Run take no more tasks, hand back those that have not started, and return when the others have ended.
func (w *Worker) Drain() { w.closeOnce(w.draining) }

// Stop has Run return soon: what runs is cancelled (ErrStopped), and handed back to run again elsewhere.
func (w *Worker) Stop() {
	w.closeOnce(w.stopping)
	w.Drain()
}

func (w *Worker) closeOnce(which chan struct{}) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	select {
	case <-which:
	default:
		close(which)
	}
}

// RunUntilSignal is Run, drained by SIGTERM or an interrupt, and stopped by a second one.
func (w *Worker) RunUntilSignal(ctx context.Context) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for _, end := range []func(){w.Drain, w.Stop} {
			select {
			case <-signals:
				end()
			case <-ended:
				return
			}
		}
	}()
	return w.Run(ctx)
}

// Run leases tasks and runs them, once, until ctx ends or Drain is called; then it drains. It returns nil when all is
// reported, [ErrInvalid] for options or a worker without handlers, and an error if outcomes could not be reported: their
// leases lapse, and the tasks run again.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.begin(); err != nil {
		return err
	}
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	pool := newPool(w, base)
	defer pool.reports.stop()
	stream := newLeaseStream(w, pool)
	stream.hello = func() *carawaypb.Hello { return w.hello(pool) }
	stream.command = w.answer
	pool.wake = stream.poke
	var background sync.WaitGroup
	for _, part := range []func(context.Context){stream.run, stream.watchLeases, pool.reports.learnLimits} {
		background.Add(1)
		go func() {
			defer background.Done()
			part(base)
		}()
	}
	select {
	case <-ctx.Done():
	case <-w.draining:
	}
	err := w.drain(pool, stream)
	cancel()
	background.Wait()
	return err
}

func (w *Worker) begin() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	switch {
	case w.err != nil:
		return w.err
	case w.began:
		return invalid("a worker is run once")
	case len(w.handlers) == 0:
		return invalid("a worker has at least one handler: register it by Register")
	}
	w.began = true
	return nil
}

// The last reports, and the gateway's word that no lease is on its way, are waited for so long.
const (
	lastReports = 10 * time.Second
	drainAck    = 2 * time.Second
)

func (w *Worker) drain(pool *pool, stream *leaseStream) error {
	quiet, running := pool.drain()
	w.log.Info("the worker takes no more tasks", "running", running)
	stream.drain()
	var tooLong <-chan time.Time
	if w.options.drainFor > 0 {
		tooLong = time.After(w.options.drainFor)
	}
	acked := time.After(drainAck)
	select {
	case <-quiet:
	case <-w.stopping:
	case <-tooLong:
	}
	select {
	case <-quiet:
	default:
		pool.stopAll(w.options.stopGrace)
		<-quiet
	}
	select { // what came meanwhile has been handed back
	case <-stream.drained:
	case <-acked:
	}
	limit, cancel := context.WithTimeout(context.Background(), lastReports)
	defer cancel()
	pool.reports.flushed(limit)
	if held := pool.heldCount(); held > 0 {
		return fmt.Errorf("caraway: %d tasks could not be reported; their leases lapse and they run again", held)
	}
	return nil
}

func (w *Worker) hello(p *pool) *carawaypb.Hello {
	host, _ := os.Hostname()
	names := make([]string, 0, len(w.handlers))
	for name := range w.handlers {
		names = append(names, name)
	}
	slices.Sort(names)
	return &carawaypb.Hello{
		WorkerId: w.id, HeldLeaseTokens: p.tokens(), Queues: w.options.queues, TaskNames: names,
		Info: &carawaypb.WorkerInfo{
			Name: w.options.name, Hostname: host, Pid: int64(os.Getpid()), Sdk: "caraway-go " + Version,
			Language: "go " + runtime.Version(), Pool: "goroutine", Concurrency: int32(w.options.concurrency),
		},
	}
}
