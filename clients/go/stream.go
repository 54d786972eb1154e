package caraway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

const (
	welcomeTimeout  = 5 * time.Second
	writeTimeout    = 5 * time.Second
	leaveTimeout    = time.Second
	defaultInterval = 5 * time.Second
	defaultLease    = 15 * time.Second
)

// leaseStream keeps one stream to the gateway open: credit and heartbeats up, leases and cancellations down.
type leaseStream struct {
	client  *Client
	stub    carawaypb.WorkerServiceClient
	pool    *pool
	hello   func() *carawaypb.Hello
	command func(*carawaypb.WorkerCommand) *carawaypb.CommandReply
	log     *slog.Logger
	wake    chan struct{} // there may be something to send
	ready   chan struct{} // closed at the first welcome
	drained chan struct{} // closed once no lease can come any more

	mutex      sync.Mutex
	connected  bool
	draining   bool
	credit     credit
	replies    []*carawaypb.CommandReply
	unanswered map[int64]time.Time // heartbeats by their numbers, and when they were sent
	interval   time.Duration
	lease      time.Duration
	confirmed  time.Time // when what the gateway has answered was sent
	complained bool
	pause      time.Duration // before the next stream
}

func newLeaseStream(w *Worker, p *pool) *leaseStream {
	return &leaseStream{
		client: w.client, stub: carawaypb.NewWorkerServiceClient(w.client.conn), pool: p, log: w.log,
		wake: make(chan struct{}, 1), ready: w.ready, drained: make(chan struct{}),
		interval: defaultInterval, lease: defaultLease, pause: firstDelay,
	}
}

func (s *leaseStream) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run keeps a stream open for as long as ctx lasts.
func (s *leaseStream) run(ctx context.Context) {
	for {
		err := newSession(s).run(ctx)
		s.mutex.Lock()
		s.connected = false
		draining := s.draining
		if err != nil && !s.complained && ctx.Err() == nil && !draining {
			s.complained = true // once an outage: the tries go on several times a second
			s.log.Warn("the gateway can't be reached, trying again until it can", "error", err)
		}
		pause := time.Duration(float64(s.pause) * (0.5 + rand.Float64()/2))
		s.pause = min(2*s.pause, 1500*time.Millisecond)
		s.mutex.Unlock()
		if draining {
			s.markDrained() // no lease is on its way
		}
		if sleep(ctx, pause) != nil {
			return
		}
	}
}

func (s *leaseStream) markDrained() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	select {
	case <-s.drained:
	default:
		close(s.drained)
	}
}

// drain asks for no more leases.
func (s *leaseStream) drain() {
	s.mutex.Lock()
	s.draining = true
	connected := s.connected
	s.mutex.Unlock()
	if !connected {
		s.markDrained()
	}
	s.poke()
}

// watchLeases hands back what the gateway was out of reach for too long to hold.
func (s *leaseStream) watchLeases(ctx context.Context) {
	next := time.Now().Add(defaultLease)
	for sleep(ctx, max(50*time.Millisecond, time.Until(next))) == nil {
		s.mutex.Lock()
		confirmed, lease := s.confirmed, s.lease
		s.mutex.Unlock()
		next = s.pool.checkLeases(time.Now(), confirmed, lease)
	}
}

// session is one stream.
type session struct {
	*leaseStream
	stream    carawaypb.WorkerService_LeaseTasksClient
	goaway    chan time.Duration
	left      chan struct{} // closed by this stream's DrainAck
	drainSent bool
	sequence  int64
}

func newSession(s *leaseStream) *session {
	return &session{leaseStream: s, goaway: make(chan time.Duration, 1), left: make(chan struct{})}
}

func (s *session) run(ctx context.Context) error {
	streamed, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stream, err := s.stub.LeaseTasks(s.client.outgoing(streamed))
	if err != nil {
		return fromRPC(ctx, err)
	}
	s.stream = stream
	if err := s.greet(cancel); err != nil {
		return s.why(streamed, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.read() }()
	err = s.write(streamed, cancel, ended)
	cancel(nil)
	return s.why(streamed, err)
}

// why gives the reason for which the stream was ended here, if it was.
func (s *session) why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	return fromRPC(context.Background(), err)
}

// send bounds a write: a gateway that takes nothing is as good as gone.
func (s *session) send(cancel context.CancelCauseFunc, message *carawaypb.LeaseTasksRequest) error {
	timer := time.AfterFunc(writeTimeout, func() { cancel(fmt.Errorf("the gateway took nothing for %s", writeTimeout)) })
	defer timer.Stop()
	return s.stream.Send(message)
}

func (s *session) greet(cancel context.CancelCauseFunc) error {
	timer := time.AfterFunc(welcomeTimeout, func() { cancel(fmt.Errorf("no welcome within %s", welcomeTimeout)) })
	defer timer.Stop()
	sent := time.Now()
	err := s.send(cancel, &carawaypb.LeaseTasksRequest{Message: &carawaypb.LeaseTasksRequest_Hello{Hello: s.hello()}})
	if err != nil && !errors.Is(err, io.EOF) { // io.EOF: Recv tells why
		return err
	}
	first, err := s.stream.Recv()
	if err != nil {
		return err
	}
	welcome := first.GetWelcome()
	if welcome == nil {
		return errors.New("the stream did not begin with a welcome")
	}
	s.takeWelcome(welcome, sent)
	return nil
}

func (s *session) takeWelcome(welcome *carawaypb.Welcome, sent time.Time) {
	s.mutex.Lock()
	if interval := welcome.GetHeartbeatInterval().AsDuration(); interval > 0 {
		s.interval = interval
	}
	if lease := welcome.GetLeaseDuration().AsDuration(); lease > 0 {
		s.lease = lease
	}
	s.confirm(sent)
	s.credit, s.unanswered, s.replies, s.connected = credit{}, map[int64]time.Time{}, nil, true
	if s.complained {
		s.complained = false
		s.log.Warn("the gateway is back", "session", welcome.GetSessionId())
	}
	s.mutex.Unlock()
	s.pool.lost(welcome.GetLostLeaseTokens())
	select {
	case <-s.ready:
	default:
		close(s.ready)
		s.log.Info("the worker is ready", "session", welcome.GetSessionId())
	}
	s.poke()
}

func (s *leaseStream) confirm(sent time.Time) {
	if sent.After(s.confirmed) {
		s.confirmed = sent
	}
}

// read takes in messages until the stream ends.
func (s *session) read() error {
	for {
		message, err := s.stream.Recv()
		if err != nil {
			return err
		}
		switch what := message.GetMessage().(type) {
		case *carawaypb.LeaseTasksResponse_Leases:
			s.takeLeases(what.Leases.GetLeases())
		case *carawaypb.LeaseTasksResponse_HeartbeatAck:
			s.takeAck(what.HeartbeatAck)
		case *carawaypb.LeaseTasksResponse_Cancel:
			s.pool.cancel(what.Cancel.GetItems())
		case *carawaypb.LeaseTasksResponse_Command:
			reply := s.command(what.Command)
			s.mutex.Lock()
			s.replies = append(s.replies, reply)
			s.mutex.Unlock()
			s.poke()
		case *carawaypb.LeaseTasksResponse_DrainAck:
			close(s.left)
			s.poke()
		case *carawaypb.LeaseTasksResponse_Goaway:
			s.log.Info("the gateway leaves; a new stream is opened", "reason", what.Goaway.GetReason())
			within := what.Goaway.GetWithin().AsDuration()
			if within <= 0 || within > leaveTimeout {
				within = leaveTimeout
			}
			s.goaway <- within
		}
		s.mutex.Lock()
		s.pause = firstDelay
		s.mutex.Unlock()
	}
}

func (s *session) takeLeases(leases []*carawaypb.TaskLease) {
	sizes := make([]int, len(leases))
	total := 0
	for i, lease := range leases {
		sizes[i] = proto.Size(lease)
		total += sizes[i]
	}
	s.mutex.Lock()
	s.credit.receive(len(leases), total)
	s.mutex.Unlock()
	s.pool.take(leases, sizes)
	s.poke()
}

func (s *session) takeAck(ack *carawaypb.HeartbeatAck) {
	s.mutex.Lock()
	if sent, ok := s.unanswered[ack.GetSequence()]; ok {
		s.confirm(sent)
		for sequence := range s.unanswered {
			if sequence <= ack.GetSequence() {
				delete(s.unanswered, sequence)
			}
		}
	}
	s.mutex.Unlock()
	s.pool.lost(ack.GetLostLeaseTokens())
}
