package caraway

import (
	"google.golang.org/grpc/codes"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// answered takes what the gateway says to reports: again is given those that are to be sent again, refuse those that it will
// never take.
func (p *pool) answered(
	items []*reportItem, results []*carawaypb.ReportTasksResponse_Result,
	again func(*reportItem), refuse func(item *reportItem, message string, tooLarge bool),
) {
	var refused []int
	p.mutex.Lock()
	for i, item := range items {
		switch codes.Code(results[i].GetStatus().GetCode()) {
		case codes.OK:
			p.accepted(item, results[i])
		case codes.Unavailable:
			again(item)
		case codes.Aborted:
			if item.final {
				p.log.Warn("the lease of a task was lost, its outcome is dropped", "task", item.delivery.handler.name, "id", item.report.GetTaskId())
				delete(p.held, item.delivery.token)
			} else {
				p.leaseLost(item.delivery)
			}
		default:
			refused = append(refused, i)
		}
	}
	p.mutex.Unlock()
	for _, i := range refused { // needs the mutex itself
		refusal := fromStatus(results[i].GetStatus())
		refuse(items[i], refusal.Message, refusal.Reason == ReasonPayloadTooLarge)
	}
}

// accepted takes the answer to a report that the gateway took.
func (p *pool) accepted(item *reportItem, result *carawaypb.ReportTasksResponse_Result) {
	d := item.delivery
	if item.final {
		delete(p.held, d.token)
		return
	}
	awaited := d.atMostOnce && item.report.GetStarted() != nil
	state := result.GetState()
	gone := state == carawaypb.Task_STATE_REVOKED || state == carawaypb.Task_STATE_EXPIRED
	if gone || (awaited && state != carawaypb.Task_STATE_RUNNING) {
		p.leaseLost(d)
		return
	}
	if result.GetCancelRequested() {
		p.cancelAsked(d)
	}
	if awaited && d.state == running {
		close(d.confirmed)
	}
}

// confirm says that nothing more is to be told of a delivery.
func (p *pool) confirm(d *delivery) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.held, d.token)
}

// startRefused stops what may not run because its start was refused.
func (p *pool) startRefused(d *delivery) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if d.confirmed != nil {
		select {
		case <-d.confirmed:
		default:
			p.leaseLost(d)
		}
	}
}
