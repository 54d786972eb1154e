package caraway

import (
	"context"
	"time"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

type deliveryState int

const (
	waiting deliveryState = iota // for a slot
	reading                      // its inputs, which did not fit into its lease
	running                      // it has a slot
	ended                        // its outcome is known; only the gateway's confirmation is awaited
)

// stopping is what is to be reported for a delivery that is told to stop, if it does not end by itself first.
type stopping int

const (
	goesOn   stopping = iota
	cancels           // it ends as REVOKED
	handBack          // it runs again
	silent            // its lease is lost: nothing
)

// delivery is one of a task, from its receipt until its report is confirmed. The pool's mutex guards what changes.
type delivery struct {
	token      string
	lease      *carawaypb.TaskLease
	size       int
	handler    *handler
	received   time.Time
	notAfter   time.Time // latest start; zero: none
	soft, hard time.Duration
	atMostOnce bool

	ctx           context.Context
	cancel        context.CancelCauseFunc
	confirmed     chan struct{} // closed once its start is stored
	state         deliveryState
	stop          stopping
	stopReason    string
	startReported bool
	slow          bool
	timers        []*time.Timer

	// The reporter's.
	inFlight int
	batch    uint64
}

func (p *pool) newDelivery(lease *carawaypb.TaskLease, size int, now time.Time) *delivery {
	spec := lease.GetTask()
	d := &delivery{token: lease.GetLeaseToken(), lease: lease, size: size, received: now, soft: p.soft, hard: p.hard}
	if d.handler = p.handlers[spec.GetName()]; d.handler == nil {
		d.handler = unknownTask(spec.GetName())
	}
	if d.handler.soft > 0 {
		d.soft = d.handler.soft
	}
	if d.handler.hard > 0 {
		d.hard = d.handler.hard
	}
	if limits := spec.GetTimeLimits(); limits != nil {
		if limits.GetSoft() != nil {
			d.soft = limits.GetSoft().AsDuration()
		}
		if limits.GetHard() != nil {
			d.hard = limits.GetHard().AsDuration()
		}
	}
	mode := spec.GetAckMode()
	d.atMostOnce = mode == carawaypb.TaskSpec_ACK_MODE_ON_START ||
		(mode == carawaypb.TaskSpec_ACK_MODE_UNSPECIFIED && d.handler.atMostOnce)
	if d.atMostOnce {
		d.confirmed = make(chan struct{})
	}
	if lease.GetExpiresIn() != nil {
		d.notAfter = now.Add(max(0, lease.GetExpiresIn().AsDuration()))
	}
	return d
}

// unknownTask stands in for a handler that is not registered, which no gateway leases tasks to.
func unknownTask(name string) *handler {
	return &handler{name: name, call: func(context.Context, []any, map[string]any) (any, error) {
		return nil, Reject("no handler of this worker is called " + name)
	}}
}

func (d *delivery) isExpired() bool { return !d.notAfter.IsZero() && time.Now().After(d.notAfter) }

// limited gives the context of its handler, which ends at the first limit.
func (d *delivery) limited() (context.Context, context.CancelFunc) {
	switch {
	case d.soft > 0 && (d.hard <= 0 || d.soft < d.hard):
		return context.WithTimeoutCause(d.ctx, d.soft, KindSoftTimeLimit)
	case d.hard > 0:
		return context.WithTimeoutCause(d.ctx, d.hard, KindTimeLimit)
	}
	return d.ctx, func() {}
}

func (d *delivery) attempt(p *pool) *Attempt {
	spec := d.lease.GetTask()
	return &Attempt{
		ID: spec.GetTaskId(), Name: spec.GetName(), Queue: spec.GetQueue(), Number: int(d.lease.GetAttempt()),
		Delivery: int(d.lease.GetDeliveryCount()), Fence: d.lease.GetFence(), Headers: spec.GetHeaders(),
		CreateTime: instant(d.lease.GetCreateTime()), delivery: d, pool: p,
	}
}

// finalReport is what a delivery that was told to stop reports when its handler has returned: an error means that it gave way.
func (d *delivery) finalReport(report *carawaypb.TaskReport) *carawaypb.TaskReport {
	if _, failed := report.GetReport().(*carawaypb.TaskReport_Failed_); failed {
		return d.stopReport(report)
	}
	if d.stop == silent {
		return nil
	}
	return report
}

// stopReport is what a delivery that was told to stop reports when it has given way, or was given up.
func (d *delivery) stopReport(otherwise *carawaypb.TaskReport) *carawaypb.TaskReport {
	switch d.stop {
	case cancels:
		return d.cancelled()
	case handBack:
		return d.handedBack(d.stopReason)
	case silent:
		return nil
	}
	return otherwise
}
