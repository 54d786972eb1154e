package caraway

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

const (
	mostInFlight    = 4    // calls
	worthACall      = 64   // reports, while others are under way
	mostQueued      = 5000 // reports; beyond, no more is leased
	mostQueuedBytes = 32 << 20
	reportTimeout   = 10 * time.Second
)

// limits are the gateway's.
type limits struct{ payload, message, batch int }

// reporter sends reports: at once while nothing is under way, else in growing batches, repeated until they are answered.
// Reports of one delivery stay in order.
type reporter struct {
	client *Client
	stub   carawaypb.WorkerServiceClient
	pool   *pool
	ctx    context.Context // ends when the reports are given up
	stop   context.CancelFunc

	mutex    sync.Mutex
	most     limits
	queue    []*reportItem
	bytes    int // of the queue
	inFlight int // calls
	batch    uint64
	failing  bool
	idle     chan struct{} // closed while nothing is to be sent; nil: it is idle
}

type reportItem struct {
	delivery *delivery
	report   *carawaypb.TaskReport
	size     int
	final    bool
	refused  bool // it is itself the answer to a refusal
}

func newReporter(client *Client, p *pool) *reporter {
	ctx, stop := context.WithCancel(context.Background())
	return &reporter{
		client: client, stub: carawaypb.NewWorkerServiceClient(client.conn), pool: p, ctx: ctx, stop: stop,
		most: limits{payload: 3 << 20, message: 4 << 20, batch: 500},
	}
}

func (r *reporter) limits() limits {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.most
}

// learnLimits asks the gateway for its limits, until it tells.
func (r *reporter) learnLimits(ctx context.Context) {
	admin := carawaypb.NewAdminServiceClient(r.client.conn)
	var pause delays
	for {
		info, err := attempt(ctx, r.client, admin.GetServerInfo, &carawaypb.GetServerInfoRequest{}, attemptTimeout)
		if err == nil {
			r.mutex.Lock()
			r.most = limits{
				payload: max(1, int(info.GetMaxPayloadBytes())), message: max(1, int(info.GetMaxMessageBytes())),
				batch: max(1, int(info.GetMaxBatchSize())),
			}
			r.mutex.Unlock()
			return
		}
		if isFinal(err) || sleep(ctx, pause.next()) != nil {
			return // the defaults are taken
		}
	}
}

// isBehind tells whether so much waits for the gateway that no more should be leased.
func (r *reporter) isBehind() bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.queue) > mostQueued || r.bytes > mostQueuedBytes
}

// add sends a report; final: it tells how the delivery ended.
func (r *reporter) add(d *delivery, report *carawaypb.TaskReport, final bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	size := proto.Size(report) + itemFrame
	r.queue = append(r.queue, &reportItem{delivery: d, report: report, size: size, final: final})
	r.bytes += size
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	r.flush()
}

// flush begins as many calls as are worth it. Called with the mutex held.
func (r *reporter) flush() {
	for len(r.queue) > 0 && (r.inFlight == 0 || (r.inFlight < mostInFlight && len(r.queue) >= worthACall*r.inFlight)) {
		items := r.cut()
		if len(items) == 0 {
			break
		}
		r.inFlight++
		go func() {
			r.deliver(items)
			r.mutex.Lock()
			r.inFlight--
			r.flush()
			r.mutex.Unlock()
			r.pool.wake()
		}()
	}
	if len(r.queue) == 0 && r.inFlight == 0 && r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
}

// cut takes the next batch off the queue, but leaves what would overtake a report of its delivery that is under way.
func (r *reporter) cut() []*reportItem {
	r.batch++
	left, room := []*reportItem(nil), r.most.message*3/4
	items := make([]*reportItem, 0, min(len(r.queue), r.most.batch))
	for i, item := range r.queue {
		d := item.delivery
		overtakes := d.inFlight > 0 && d.batch != r.batch
		if len(items) == r.most.batch || (item.size > room && len(items) > 0 && !overtakes) {
			left = append(left, r.queue[i:]...)
			break
		}
		if overtakes {
			left = append(left, item)
			continue
		}
		room -= item.size
		r.bytes -= item.size
		d.inFlight++
		d.batch = r.batch
		items = append(items, item)
	}
	r.queue = left
	return items
}

// deliver sends a batch until it is answered.
func (r *reporter) deliver(items []*reportItem) {
	request := &carawaypb.ReportTasksRequest{Reports: make([]*carawaypb.TaskReport, len(items))}
	for i, item := range items {
		request.Reports[i] = item.report
	}
	pause := firstDelay
	for {
		response, err := attempt(r.ctx, r.client, r.stub.ReportTasks, request, reportTimeout)
		if err == nil && len(response.GetResults()) != len(items) {
			err = fmt.Errorf("%d reports were answered by %d results", len(items), len(response.GetResults()))
		}
		if isFinal(err) {
			r.deliverApart(items, err)
			return
		}
		if err == nil {
			if r.takeAnswers(items, response.GetResults()) {
				_ = sleep(r.ctx, pause)
			}
			return
		}
		if r.noteFailure(err); sleep(r.ctx, time.Duration(float64(pause)*(0.5+rand.Float64()/2))) != nil {
			r.done(items)
			return // given up
		}
		pause = min(2*pause, longestDelay)
	}
}

// deliverApart finds out which report the gateway means when it refuses the whole call, by sending each alone.
func (r *reporter) deliverApart(items []*reportItem, err error) {
	if len(items) == 1 {
		r.done(items)
		r.refuse(items[0], err.Error(), false)
		return
	}
	for i := range items {
		r.deliver(items[i : i+1])
	}
}

func (r *reporter) done(items []*reportItem) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, item := range items {
		item.delivery.inFlight--
	}
}

func (r *reporter) noteFailure(err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if !r.failing && r.ctx.Err() == nil {
		r.failing = true
		r.pool.log.Warn("reports can't be delivered and are sent again", "error", err)
	}
}

// takeAnswers passes on each answer, and tells whether some reports are to be sent again.
func (r *reporter) takeAnswers(items []*reportItem, results []*carawaypb.ReportTasksResponse_Result) bool {
	r.done(items)
	var again []*reportItem
	r.pool.answered(items, results, func(item *reportItem) { again = append(again, item) }, r.refuse)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.failing = false
	for _, item := range again {
		r.bytes += item.size
	}
	r.queue = append(again, r.queue...)
	return len(again) > 0
}

// refuse has a task fail by what the gateway says against its report.
func (r *reporter) refuse(item *reportItem, message string, tooLarge bool) {
	d := item.delivery
	r.pool.log.Error("a task's report was refused", "task", d.handler.name, "id", d.lease.GetTask().GetTaskId(), "error", message)
	switch {
	case !item.final:
		r.pool.startRefused(d)
	case item.refused: // nothing more can be said of it: its lease lapses
		r.pool.confirm(d)
	default:
		report := d.payloadFailure("the gateway refused the task's report: " + message)
		if !tooLarge {
			failure := report.GetFailed().GetError()
			failure.Kind, failure.Type = carawaypb.TaskError_KIND_APPLICATION, "caraway.ReportRefused"
		}
		r.mutex.Lock()
		defer r.mutex.Unlock()
		again := &reportItem{delivery: d, report: report, size: proto.Size(report) + itemFrame, final: true, refused: true}
		r.queue = append(r.queue, again)
		r.bytes += again.size
	}
}

// flushed waits until all reports are answered, for as long as ctx lasts.
func (r *reporter) flushed(ctx context.Context) {
	r.mutex.Lock()
	idle := r.idle
	r.mutex.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// isFinal tells whether a call would be answered the same however often it is made. Not so UNAUTHENTICATED: outcomes of tasks
// are kept until the gateway's tokens, or the worker's, have been put right.
func isFinal(err error) bool {
	var refusal *Error
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.Code {
	case codes.InvalidArgument, codes.Unimplemented, codes.FailedPrecondition, codes.OutOfRange, codes.PermissionDenied:
		return true
	case codes.ResourceExhausted:
		return refusal.Reason == "" // larger than a message may be
	}
	return false
}
