package caraway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// write sends what there is to send, the only writer, until the stream ends or is left.
func (s *session) write(ctx context.Context, cancel context.CancelCauseFunc, ended <-chan error) error {
	beat := time.NewTimer(s.nextBeat())
	defer beat.Stop()
	var leaving <-chan time.Time
	var left <-chan struct{}
	for {
		var heartbeat bool
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-leaving:
			return nil
		case <-left:
			if leaving != nil {
				return nil
			}
			s.markDrained() // the stream stays: what runs is renewed on it
			left = nil
		case within := <-s.goaway:
			leaving, left = time.After(within), s.left
		case <-beat.C:
			heartbeat = true
		case <-s.wake:
		}
		if heartbeat {
			beat.Reset(s.nextBeat())
		}
		messages, err := s.due(leaving != nil, heartbeat)
		if err != nil {
			return err
		}
		if s.drainSent && left == nil && !s.isDrained() {
			left = s.left
		}
		if err := s.sendAll(cancel, messages); err != nil {
			return <-ended // which knows why
		}
	}
}

func (s *session) sendAll(cancel context.CancelCauseFunc, messages []*carawaypb.LeaseTasksRequest) error {
	for _, message := range messages {
		if err := s.send(cancel, message); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) isDrained() bool {
	select {
	case <-s.drained:
		return true
	default:
		return false
	}
}

func (s *session) nextBeat() time.Duration {
	return time.Duration(float64(s.interval) * (0.8 + 0.18*rand.Float64()))
}

// due lists what is to be sent now.
func (s *session) due(leaving, heartbeat bool) ([]*carawaypb.LeaseTasksRequest, error) {
	wanted, held, bytes := s.pool.wanted()
	behind := s.pool.reports.isBehind()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var messages []*carawaypb.LeaseTasksRequest
	for _, reply := range s.replies {
		messages = append(messages, &carawaypb.LeaseTasksRequest{Message: &carawaypb.LeaseTasksRequest_CommandReply{CommandReply: reply}})
	}
	s.replies = nil
	switch {
	case (s.draining || leaving) && !s.drainSent:
		s.drainSent = true
		messages = append(messages, &carawaypb.LeaseTasksRequest{Message: &carawaypb.LeaseTasksRequest_Drain{Drain: &carawaypb.DrainRequest{}}})
	case !s.drainSent && !behind && s.credit.grow(wanted, held, bytes):
		messages = append(messages, s.credit.message())
	}
	if heartbeat {
		beat, err := s.heartbeat()
		if err != nil {
			return nil, err
		}
		messages = append(messages, beat)
	}
	return messages, nil
}

// heartbeat renews all that is held. A stream that is open but silent is a broken one: better a new one than leases that lapse.
func (s *session) heartbeat() (*carawaypb.LeaseTasksRequest, error) {
	now := time.Now()
	for _, sent := range s.unanswered {
		if silent := now.Sub(sent); silent > s.interval*3/2 {
			return nil, fmt.Errorf("no answer to heartbeats for %s", silent.Round(time.Millisecond))
		}
	}
	s.sequence++
	s.unanswered[s.sequence] = now
	return &carawaypb.LeaseTasksRequest{Message: &carawaypb.LeaseTasksRequest_Heartbeat{
		Heartbeat: &carawaypb.Heartbeat{Sequence: s.sequence, LeaseTokens: s.pool.tokens()},
	}}, nil
}
