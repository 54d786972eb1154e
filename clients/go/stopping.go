package caraway

import (
	"context"
	"time"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

const cancelGrace = 10 * time.Second // between being told and being given up, where the caller named none

// stopRunning ends a delivery: at once if it has not started; else its handler is told, and it is given up after the grace,
// 0 for never. Called with the mutex held.
func (p *pool) stopRunning(d *delivery, stop stopping, reason string, cause error, grace time.Duration) {
	if d.state == ended || d.stop == silent {
		return
	}
	d.stop, d.stopReason = stop, reason
	if d.state != running {
		p.forget(d)
		p.end(d, d.stopReport(nil))
		p.checkQuiet()
		return
	}
	d.cancel(cause)
	if grace > 0 {
		d.timers = append(d.timers, time.AfterFunc(grace, func() { p.giveUp(d) }))
	}
}

// forget takes a delivery out of the queue.
func (p *pool) forget(d *delivery) {
	for i, other := range p.waiting {
		if other == d {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return
		}
	}
}

func (p *pool) giveUp(d *delivery) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if d.state != running {
		return
	}
	p.log.Warn("a handler ignores its context, and goes on for nobody", "task", d.handler.name, "id", d.lease.GetTask().GetTaskId())
	p.orphan(d, d.stopReport(nil))
}

// lost stops deliveries whose leases are held no longer. Those that have ended are left to their reports.
func (p *pool) lost(tokens []string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, token := range tokens {
		if d := p.held[token]; d != nil {
			p.leaseLost(d)
		}
	}
}

func (p *pool) leaseLost(d *delivery) {
	if d.state == ended || d.stop == silent {
		return
	}
	p.log.Warn("the lease of a task was lost, it is stopped", "task", d.handler.name, "id", d.lease.GetTask().GetTaskId())
	p.stopRunning(d, silent, "", ErrLeaseLost, lostGrace)
}

// cancel stops deliveries whose cancellation is asked for.
func (p *pool) cancel(items []*carawaypb.CancelLeases_Item) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, item := range items {
		d := p.held[item.GetLeaseToken()]
		if d == nil || d.state == ended || (item.GetPendingOnly() && d.state == running) {
			continue
		}
		grace := time.Duration(0)
		if item.GetTerminate() {
			if grace = cancelGrace; item.GetGrace() != nil {
				grace = max(time.Millisecond, item.GetGrace().AsDuration())
			}
		}
		p.stopRunning(d, cancels, item.GetReason(), &Cancellation{item.GetReason()}, grace)
	}
	p.dispatch()
}

// cancelAsked stops a delivery by what the answer to a report says.
func (p *pool) cancelAsked(d *delivery) {
	if d.stop == goesOn {
		p.stopRunning(d, cancels, "", &Cancellation{}, 0)
	}
}

// checkLeases hands back what is surely held no longer, at the time now, and tells when to look again.
func (p *pool) checkLeases(now, confirmed time.Time, duration time.Duration) (next time.Time) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	next = now.Add(duration)
	for _, d := range p.held {
		if d.state == ended || d.stop == silent || d.stop == handBack {
			continue
		}
		until := d.received.Add(duration)
		if renewed := confirmed.Add(duration); renewed.After(until) {
			until = renewed
		}
		if until.After(now) {
			if until.Before(next) {
				next = until
			}
			continue
		}
		p.log.Error("a task is stopped", "why", whyDeaf, "task", d.handler.name, "id", d.lease.GetTask().GetTaskId())
		p.stopRunning(d, handBack, whyDeaf, ErrLeaseLost, lostGrace)
	}
	return next
}

// readInputs reads what did not fit into a lease, page after page.
func (p *pool) readInputs(d *delivery) {
	request := &carawaypb.GetInputsRequest{TaskId: d.lease.GetTask().GetTaskId(), LeaseToken: d.token}
	var pause delays
	var inputs []*carawaypb.InputPart
	for {
		page, err := attempt(p.base, p.client, p.reports.stub.GetInputs, request, 2*attemptTimeout)
		if err == nil {
			inputs = append(inputs, page.GetInputs()...)
			if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
				break
			}
			continue
		}
		if !p.readAgain(d, err, pause.next()) {
			return
		}
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if d.state == reading {
		d.lease.Inputs = inputs
		d.received = time.Now() // it could not be started before
		d.state = waiting
		p.waiting = append(p.waiting, d)
		p.dispatch()
	}
}

// readAgain waits for a further try, or ends the delivery where there is none.
func (p *pool) readAgain(d *delivery, err error, delay time.Duration) bool {
	if isFinal(err) {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		if d.state == reading {
			p.end(d, d.payloadFailure("the task's inputs can't be read: "+err.Error()))
			p.checkQuiet()
		}
		return false
	}
	return p.isOpen(d) && sleep(context.WithoutCancel(p.base), delay) == nil && p.base.Err() == nil
}

func (p *pool) logEnd(d *delivery, report *carawaypb.TaskReport) {
	level, args := p.log.Debug, []any{"task", d.handler.name, "id", d.lease.GetTask().GetTaskId()}
	switch what := report.GetReport().(type) {
	case *carawaypb.TaskReport_Failed_:
		failure := what.Failed.GetError()
		p.log.Error("a task failed", append(args, "type", failure.GetType(), "error", failure.GetMessage())...)
		if failure.GetTraceback() != "" {
			level("where it failed", append(args, "traceback", failure.GetTraceback())...)
		}
	case *carawaypb.TaskReport_Retry_:
		p.log.Warn("a task asks for its retry", append(args, "error", what.Retry.GetError().GetMessage())...)
	case *carawaypb.TaskReport_Succeeded_:
		level("a task succeeded", args...)
	}
}
