package caraway

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

const (
	startReported = 100 * time.Millisecond // tasks below it need not report their start
	lostGrace     = time.Second            // that a handler has to give way once its lease is lost
)

const (
	whyDrains  = "the worker drains"
	whyStops   = "the worker stops before the task ended"
	whyStale   = "it found no free slot within 200 ms"
	whyExpired = "it expired before it could start"
	whyDeaf    = "the gateway was out of reach for longer than the lease lasts"
)

// pool runs deliveries in as many slots as there are, each handler in a goroutine of its own.
//
// A slot is free when its handler has returned. One that ignores its context, and whose delivery has ended without it, is
// orphaned: its slot goes to the next delivery, but only as long as there are no more orphans than slots. So a stuck handler
// does not stop the worker, and never are there more handlers than twice the slots.
type pool struct {
	client   *Client
	handlers map[string]*handler
	base     context.Context // of all handlers
	slots    int
	soft     time.Duration // where neither call nor handler says anything
	hard     time.Duration
	log      *slog.Logger
	reports  *reporter
	wake     func() // more may be leased, or less is held

	mutex    sync.Mutex
	held     map[string]*delivery // all whose outcome the gateway has not confirmed
	waiting  []*delivery          // for a slot, in their order
	open     int                  // held, and not ended
	bytes    int                  // of those
	busy     int                  // handlers that run
	slow     int                  // slots whose task has run for a while
	orphaned int                  // handlers whose delivery has ended before they have
	pace     pace
	stale    *time.Timer // looks after what waits too long
	closing  bool
	quiet    chan struct{} // closed once nothing is open, after closing
}

func newPool(w *Worker, base context.Context) *pool {
	p := &pool{
		client: w.client, handlers: w.handlers, base: base, slots: w.options.concurrency, soft: w.options.soft, hard: w.options.hard,
		log: w.log, held: map[string]*delivery{}, quiet: make(chan struct{}), wake: func() {},
	}
	p.reports = newReporter(w.client, p)
	return p
}

// wanted tells how many leases should be held, how many are, and their size.
func (p *pool) wanted() (wanted, open, bytes int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.wantedLocked(), p.open, p.bytes
}

func (p *pool) wantedLocked() int {
	quick := p.slots - p.slow - max(0, p.orphaned-p.slots)
	return p.slow + min(quick*p.pace.perSlot(), max(quick, mostHeld))
}

// hasSlot tells whether one more delivery may run.
func (p *pool) hasSlot() bool { return p.busy-min(p.orphaned, p.slots) < p.slots }

func (p *pool) tokens() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	tokens := make([]string, 0, len(p.held))
	for token := range p.held {
		tokens = append(tokens, token)
	}
	return tokens
}

// take has leases run.
func (p *pool) take(leases []*carawaypb.TaskLease, sizes []int) {
	now := time.Now()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for i, lease := range leases {
		d := p.newDelivery(lease, sizes[i], now)
		p.held[d.token] = d
		p.open++
		p.bytes += d.size
		if lease.GetMoreInputs() {
			d.state = reading
			go p.readInputs(d)
		} else {
			p.waiting = append(p.waiting, d)
		}
	}
	p.dispatch()
}

// dispatch starts what waits, as far as there are slots.
func (p *pool) dispatch() {
	for len(p.waiting) > 0 && (p.hasSlot() || p.closing) {
		d := p.waiting[0]
		p.waiting[0] = nil
		p.waiting = p.waiting[1:]
		switch {
		case p.closing:
			p.end(d, d.handedBack(whyDrains))
		case d.isExpired():
			p.end(d, d.released(whyExpired))
		default:
			p.start(d)
		}
	}
	if len(p.waiting) > 0 && p.stale == nil {
		p.stale = time.AfterFunc(time.Until(p.waiting[0].received.Add(oldestQueue)), p.handBackStale)
	}
	p.checkQuiet()
}

// handBackStale returns what has waited for a slot too long, for another worker to take.
func (p *pool) handBackStale() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.stale = nil
	before := time.Now().Add(-oldestQueue)
	var kept []*delivery
	for _, d := range p.waiting {
		switch {
		case d.isExpired():
			p.end(d, d.released(whyExpired))
		case d.received.Before(before):
			p.end(d, d.released(whyStale))
		default:
			kept = append(kept, d)
		}
	}
	p.waiting = kept
	p.dispatch()
	go p.wake()
}

func (p *pool) start(d *delivery) {
	p.busy++
	d.state = running
	d.ctx, d.cancel = context.WithCancelCause(p.base)
	go p.run(d)
}

// run is the life of a delivery in its slot.
func (p *pool) run(d *delivery) {
	if d.atMostOnce && !p.confirmStart(d) {
		p.finish(d, d.ctx, nil, context.Cause(d.ctx), 0)
		return
	}
	ctx, release := d.limited()
	defer release()
	p.mutex.Lock()
	d.timers = append(d.timers, time.AfterFunc(startReported, func() { p.tellStart(d) }))
	if d.hard > 0 {
		d.timers = append(d.timers, time.AfterFunc(d.hard, func() { p.strikeHard(d) }))
	}
	p.mutex.Unlock()
	began := time.Now()
	value, err := p.call(ctx, d)
	p.finish(d, ctx, value, err, time.Since(began))
}

// confirmStart tells the gateway of the start of what runs at most once, and waits for its word.
func (p *pool) confirmStart(d *delivery) bool {
	p.mutex.Lock()
	d.startReported = true
	p.mutex.Unlock()
	p.reports.add(d, d.started(), false)
	select {
	case <-d.confirmed:
		return true
	case <-d.ctx.Done():
		return false
	}
}

func (p *pool) call(ctx context.Context, d *delivery) (value any, err error) {
	defer func() {
		if crash := recover(); crash != nil {
			err = newPanic(crash, debug.Stack())
		}
	}()
	spec := d.lease.GetTask()
	args, kwargs, err := readArguments(spec)
	if err == nil {
		args, kwargs, err = mergeInputs(args, kwargs, d.lease.GetInputs())
	}
	if err != nil {
		return nil, err
	}
	if extract := p.client.options.propagation.Extract; extract != nil {
		ctx = extract(ctx, spec.GetHeaders())
	}
	return d.handler.call(context.WithValue(ctx, attemptKey{}, d.attempt(p)), args, kwargs)
}

// finish reports what came of a delivery whose handler has returned, and frees its slot.
func (p *pool) finish(d *delivery, ctx context.Context, value any, err error, took time.Duration) {
	var report *carawaypb.TaskReport
	if p.isOpen(d) {
		report = p.outcomeOf(ctx, d, value, err)
		report.RunTime = durationpb.New(took)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, timer := range d.timers {
		timer.Stop()
	}
	p.busy--
	p.pace.add(took)
	if d.state == ended {
		p.orphaned--
	} else {
		p.end(d, d.finalReport(report))
	}
	d.cancel(nil)
	p.dispatch()
	go p.wake()
}

func (p *pool) isOpen(d *delivery) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return d.state != ended
}

// end closes a delivery; nil is reported for one whose lease is lost.
func (p *pool) end(d *delivery, report *carawaypb.TaskReport) {
	if d.state == running && d.slow {
		d.slow = false
		p.slow--
	}
	d.state = ended
	p.open--
	p.bytes -= d.size
	if report == nil {
		delete(p.held, d.token)
		return
	}
	p.logEnd(d, report)
	p.reports.add(d, report, true)
}

// orphan ends a delivery whose handler goes on.
func (p *pool) orphan(d *delivery, report *carawaypb.TaskReport) {
	p.orphaned++
	p.end(d, report)
	p.dispatch()
	go p.wake()
}

func (p *pool) tellStart(d *delivery) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if d.state != running {
		return
	}
	d.slow = true
	p.slow++
	p.reportStart(d)
}

func (p *pool) reportStart(d *delivery) {
	if !d.startReported && d.stop != silent {
		d.startReported = true
		p.reports.add(d, d.started(), false)
	}
}

func (p *pool) progress(d *delivery, progress *carawaypb.TaskReport_Progress) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if d.state != running || d.stop == silent {
		return
	}
	p.reportStart(d)
	report := d.report()
	report.Report = &carawaypb.TaskReport_Progress_{Progress: progress}
	p.reports.add(d, report, false)
}

func (p *pool) strikeHard(d *delivery) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if d.state != running || d.stop == silent {
		return
	}
	d.cancel(KindTimeLimit)
	p.orphan(d, d.hardLimit())
}

// checkQuiet says when nothing is left, after closing.
func (p *pool) checkQuiet() {
	if p.closing && p.open == 0 {
		select {
		case <-p.quiet:
		default:
			close(p.quiet)
		}
	}
}

// drain takes no more, and hands back what has not started. What is quiet is told by the channel.
func (p *pool) drain() (quiet <-chan struct{}, running int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.closing = true
	for _, d := range p.held {
		if d.state == reading {
			p.end(d, d.released(whyDrains))
		}
	}
	p.dispatch()
	return p.quiet, p.open
}

// stopAll cancels what runs, and hands it back when it has given way, or at last after a grace.
func (p *pool) stopAll(grace time.Duration) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, d := range p.held {
		if d.state != ended {
			p.stopRunning(d, handBack, whyStops, ErrStopped, grace)
		}
	}
}

// heldCount is how many deliveries have no confirmed outcome.
func (p *pool) heldCount() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return len(p.held)
}
