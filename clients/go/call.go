package caraway

import (
	"context"
	"maps"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// Headers that tie tasks together.
const (
	rootHeader   = "caraway-root-id"
	parentHeader = "caraway-parent-id"
	groupHeader  = "caraway-group-id"
)

// Call is a task to be run: its name, its arguments, its options. It is a value; With gives another one.
type Call struct {
	name      string
	args      []any
	kwargs    map[string]any
	options   []CallOption
	immutable bool
	callbacks []Step
	errbacks  []Step
}

// NewCall says which task to run, with which positional arguments. [Marshal] says what may be an argument.
func NewCall(name string, args ...any) Call { return Call{name: name, args: args} }

// With adds options; later ones win.
func (c Call) With(options ...CallOption) Call {
	c.options = append(c.options[:len(c.options):len(c.options)], options...)
	return c
}

// Kwargs adds arguments by name.
func (c Call) Kwargs(kwargs map[string]any) Call {
	all := maps.Clone(c.kwargs)
	if all == nil {
		all = make(map[string]any, len(kwargs))
	}
	maps.Copy(all, kwargs)
	c.kwargs = all
	return c
}

// Immutable leaves out what the calls before it in a workflow hand on.
func (c Call) Immutable() Call {
	c.immutable = true
	return c
}

// CallOption says how a task is to be run.
type CallOption func(*settings) error

type settings struct {
	spec        *carawaypb.TaskSpec
	compression string
}

// WithID gives the task's id, which is its idempotency key: the same id with the same call is one task, however often it is
// submitted. A new UUIDv7 by default.
func WithID(id string) CallOption {
	return func(s *settings) error { s.spec.TaskId = id; return nil }
}

// WithQueue says where it waits: "default" by default.
func WithQueue(queue string) CallOption {
	return func(s *settings) error { s.spec.Queue = queue; return nil }
}

// WithPriority is 0 to 9, higher first; 4 by default.
func WithPriority(priority int) CallOption {
	return func(s *settings) error {
		if priority < 0 || priority > 9 {
			return invalid("a priority is 0 to 9, not %d", priority)
		}
		value := int32(priority)
		s.spec.Priority = &value
		return nil
	}
}

// WithDelay starts it that much later, by the gateway's clock.
func WithDelay(delay time.Duration) CallOption {
	return func(s *settings) error {
		if delay < 0 {
			return invalid("a delay is not negative: %s", delay)
		}
		s.spec.Start = &carawaypb.TaskSpec_Delay{Delay: durationpb.New(delay)}
		return nil
	}
}

// WithStartAt starts it not before this instant.
func WithStartAt(at time.Time) CallOption {
	return func(s *settings) error {
		s.spec.Start = &carawaypb.TaskSpec_ScheduleTime{ScheduleTime: timestamppb.New(at)}
		return nil
	}
}

// WithTTL ends it as expired when it has not started within this time.
func WithTTL(ttl time.Duration) CallOption {
	return func(s *settings) error {
		if ttl <= 0 {
			return invalid("a time to live is above 0, not %s", ttl)
		}
		s.spec.Expiration = &carawaypb.TaskSpec_Ttl{Ttl: durationpb.New(ttl)}
		return nil
	}
}

// WithExpiry ends it as expired when it has not started by this instant.
func WithExpiry(at time.Time) CallOption {
	return func(s *settings) error {
		s.spec.Expiration = &carawaypb.TaskSpec_ExpireTime{ExpireTime: timestamppb.New(at)}
		return nil
	}
}

// RetryPolicy says when a failed attempt is tried again. A zero field is the gateway's default.
type RetryPolicy struct {
	MaxAttempts       int           // attempts in all; -1 is for ever, 0 is 1
	InitialBackoff    time.Duration // before the second attempt; 1 s by default
	MaxBackoff        time.Duration // 10 min by default
	BackoffMultiplier float64       // from one wait to the next; 2 by default
	JitterRatio       float64       // part of each wait that is drawn by chance, 0 to 1
	RetryOn           []string      // when not empty, only errors of these types
	NeverRetryOn      []string      // never errors of these types
}

// WithRetries says when failed attempts are tried again. By default there is one attempt.
func WithRetries(p RetryPolicy) CallOption {
	return func(s *settings) error {
		if p.JitterRatio < 0 || p.JitterRatio > 1 || p.InitialBackoff < 0 || p.MaxBackoff < 0 {
			return invalid("a retry policy has waits that are not negative, and a jitter of 0 to 1")
		}
		s.spec.RetryPolicy = &carawaypb.RetryPolicy{
			MaxAttempts: int32(p.MaxAttempts), InitialBackoff: optional(p.InitialBackoff), MaxBackoff: optional(p.MaxBackoff),
			BackoffMultiplier: p.BackoffMultiplier, JitterRatio: p.JitterRatio,
			RetryableErrorTypes: p.RetryOn, NonRetryableErrorTypes: p.NeverRetryOn,
		}
		return nil
	}
}

// WithTimeLimits bounds each attempt: after soft it is told, after hard it has failed. 0 is none.
func WithTimeLimits(soft, hard time.Duration) CallOption {
	return func(s *settings) error {
		if soft < 0 || hard < 0 {
			return invalid("time limits are not negative: %s, %s", soft, hard)
		}
		s.spec.TimeLimits = &carawaypb.TimeLimits{Soft: optional(soft), Hard: optional(hard)}
		return nil
	}
}

// OnConflict says what happens to a submit while another task holds its key.
type OnConflict = carawaypb.Uniqueness_OnConflict

// What happens to a submit while another task holds its key.
const (
	OnConflictReject         = carawaypb.Uniqueness_ON_CONFLICT_REJECT          // it fails (ReasonUniqueConflict)
	OnConflictReturnExisting = carawaypb.Uniqueness_ON_CONFLICT_RETURN_EXISTING // the handle is that of the other task
	OnConflictReplace        = carawaypb.Uniqueness_ON_CONFLICT_REPLACE         // the other one is revoked, where it has not started
)

// WithUnique keeps a second task of the same key away until this one has ended, or for as long as window says if it is above 0.
func WithUnique(key string, window time.Duration, onConflict OnConflict) CallOption {
	return func(s *settings) error {
		if key == "" || window < 0 {
			return invalid("a unique task has a key, and a window that is not negative")
		}
		s.spec.Uniqueness = &carawaypb.Uniqueness{Key: key, Window: optional(window), OnConflict: onConflict}
		return nil
	}
}

// WithHeader adds a header, which the gateway hands to the worker unread.
func WithHeader(key, value string) CallOption {
	return func(s *settings) error { s.header(key, value); return nil }
}

// WithStamp labels the task with values (texts, numbers, booleans), to find it by [Filter]; its handler reads them by
// [Attempt.Stamps].
func WithStamp(name string, values ...any) CallOption {
	return func(s *settings) error {
		list, err := structpb.NewList(values)
		if err != nil {
			return invalid("the stamp %q: %v", name, err)
		}
		if s.spec.Stamps == nil {
			s.spec.Stamps = map[string]*structpb.ListValue{}
		}
		s.spec.Stamps[name] = list
		return nil
	}
}

// WithIgnoreResult keeps of a success the state only.
func WithIgnoreResult() CallOption {
	return func(s *settings) error { s.spec.IgnoreResult = true; return nil }
}

// WithResultTTL says how long the ended task can be read: a day by default.
func WithResultTTL(ttl time.Duration) CallOption {
	return func(s *settings) error {
		if ttl <= 0 {
			return invalid("a result's time to live is above 0, not %s", ttl)
		}
		s.spec.ResultTtl = durationpb.New(ttl)
		return nil
	}
}

// WithAtMostOnce has the task never run again once it has started, even where its worker is lost (KindWorkerLost).
func WithAtMostOnce() CallOption {
	return func(s *settings) error { s.spec.AckMode = carawaypb.TaskSpec_ACK_MODE_ON_START; return nil }
}

// WithAtLeastOnce has the task run again when its worker is lost, whatever the handler's registration says.
func WithAtLeastOnce() CallOption {
	return func(s *settings) error { s.spec.AckMode = carawaypb.TaskSpec_ACK_MODE_ON_FINISH; return nil }
}

// WithCompression compresses the arguments by gzip, zlib or zstd, where that makes them smaller.
func WithCompression(encoding string) CallOption {
	return func(s *settings) error { s.compression = encoding; return nil }
}

// WithRepr says what lists and logs show instead of the arguments, for example "***".
func WithRepr(args, kwargs string) CallOption {
	return func(s *settings) error { s.spec.ArgsRepr, s.spec.KwargsRepr = args, kwargs; return nil }
}

func (s *settings) header(key, value string) {
	if s.spec.Headers == nil {
		s.spec.Headers = map[string]string{}
	}
	s.spec.Headers[key] = value
}

// optional leaves a duration of nothing unset.
func optional(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

// spec compiles a call to the contract's TaskSpec.
func (c *Client) spec(ctx context.Context, call Call, more []CallOption) (*carawaypb.TaskSpec, error) {
	if call.name == "" {
		return nil, invalid("a call names its task")
	}
	made := settings{spec: &carawaypb.TaskSpec{Name: call.name}}
	for _, options := range [2][]CallOption{call.options, more} {
		for _, option := range options {
			if err := option(&made); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if made.spec.Payload, err = argumentsPayload(call.args, call.kwargs, made.compression); err != nil {
		return nil, err
	}
	if made.spec.TaskId == "" {
		made.spec.TaskId = newID()
	}
	if running := AttemptFrom(ctx); running != nil {
		made.header(rootHeader, running.root())
		made.header(parentHeader, running.ID)
		made.spec.ParentTaskId = running.ID
	}
	if inject := c.options.propagation.Inject; inject != nil {
		if made.spec.Headers == nil {
			made.spec.Headers = map[string]string{}
		}
		inject(ctx, made.spec.Headers)
	}
	return made.spec, nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
