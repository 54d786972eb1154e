package caraway

import "time"

// pace is a running average of run times. It starts as if tasks were long, and learns within some tens that they are short;
// one sample counts at most 50 ms, so that a single long task among short ones is soon forgotten.
type pace struct{ mean time.Duration }

const (
	paceTarget  = 50 * time.Millisecond // of work that a slot should have at hand
	paceMost    = 128                   // deliveries a slot
	mostHeld    = 4096                  // deliveries that wait for slots, in all
	oldestQueue = 200 * time.Millisecond
)

func (p *pace) add(run time.Duration) {
	if p.mean == 0 {
		p.mean = paceTarget
	}
	p.mean += (min(run, paceTarget) - p.mean) / 8
}

// perSlot is how many deliveries a slot should have, the running one included.
func (p *pace) perSlot() int {
	if p.mean == 0 {
		return 1
	}
	return int(max(1, min(paceMost, paceTarget/max(p.mean, time.Microsecond))))
}
