package caraway

import (
	"context"
	"errors"
	"time"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// Attempt is the run of a task that a handler's context belongs to.
type Attempt struct {
	ID         string // the task's
	Name       string
	Queue      string
	Number     int // of the attempt, from 1
	Delivery   int // how often the task has been handed out; above Number, it may have run before
	Headers    map[string]string
	CreateTime time.Time // when it was accepted, by the store's clock

	// Fence grows with every delivery of the task, for ever: store it with what the task writes, and refuse a write with a
	// smaller one, which comes from a stale worker.
	Fence int64

	delivery *delivery
	pool     *pool
}

type attemptKey struct{}

// AttemptFrom gives the attempt that a handler's context belongs to, or nil.
func AttemptFrom(ctx context.Context) *Attempt {
	attempt, _ := ctx.Value(attemptKey{}).(*Attempt)
	return attempt
}

func (a *Attempt) root() string {
	if root := a.Headers[rootHeader]; root != "" {
		return root
	}
	return a.ID
}

// Stamps gives the labels that the caller put on the task.
func (a *Attempt) Stamps() map[string][]any {
	given := a.delivery.lease.GetTask().GetStamps()
	stamps := make(map[string][]any, len(given))
	for name, values := range given {
		stamps[name] = values.AsSlice()
	}
	return stamps
}

// Progress tells whoever watches the task how far it is; detail replaces the last. It is sent in the background.
func (a *Attempt) Progress(detail any) error { return a.ProgressAs("", detail) }

// ProgressAs is Progress with a state of the task's own making.
func (a *Attempt) ProgressAs(state string, detail any) error {
	payload, err := jsonPayload(detail)
	if err != nil {
		return err
	}
	a.pool.progress(a.delivery, &carawaypb.TaskReport_Progress{CustomState: state, Detail: payload})
	return nil
}

// Why a handler's context ended, beside [KindSoftTimeLimit], [KindTimeLimit] and a [*Cancellation].
var (
	ErrLeaseLost = errors.New("caraway: the task's lease was lost: it runs elsewhere, or will")
	ErrStopped   = errors.New("caraway: the worker stops before the task ended")
)

// Cancellation is the cause of a handler's context when the task's cancellation was asked for. errors.Is finds KindRevoked.
type Cancellation struct {
	Reason string // what the caller gave
}

func (c *Cancellation) Error() string {
	if c.Reason == "" {
		return "caraway: the task's cancellation was asked for"
	}
	return "caraway: the task's cancellation was asked for: " + c.Reason
}

// Is tells whether target is KindRevoked.
func (c *Cancellation) Is(target error) bool { return target == KindRevoked }

// What a handler returns instead of a plain error.
type (
	retryRequest struct {
		cause error
		delay time.Duration
	}
	nonRetryable struct{ cause error }
	rejection    struct{ reason string }
	ignored      struct{}
	replacement  struct{ step Step }
)

// Retry is what a handler returns to have the task tried again after a delay, whatever its retry policy says. cause says why.
func Retry(cause error, delay time.Duration) error { return &retryRequest{cause, max(0, delay)} }

// NonRetryable is what a handler returns to have the task fail for good, whatever its retry policy says.
func NonRetryable(cause error) error { return &nonRetryable{cause} }

// Reject is what a handler returns to refuse the task, which ends as REJECTED.
func Reject(reason string) error { return &rejection{reason} }

// Ignore is what a handler returns to leave no outcome; the task ends as IGNORED.
func Ignore() error { return ignored{} }

// ReplaceWith is what a handler returns to give its place to a workflow: the task ends as that does, under its own id. The
// workflow's last step is a call, not a group.
func ReplaceWith(step Step) error { return &replacement{step} }

func (r *retryRequest) Error() string {
	if r.cause == nil {
		return "the task asks for its retry"
	}
	return r.cause.Error()
}
func (r *retryRequest) Unwrap() error { return r.cause }
func (n *nonRetryable) Error() string {
	if n.cause == nil {
		return "the task failed for good"
	}
	return n.cause.Error()
}
func (n *nonRetryable) Unwrap() error { return n.cause }
func (r *rejection) Error() string    { return r.reason }
func (ignored) Error() string         { return "the task leaves no outcome" }
func (*replacement) Error() string    { return "the task gives its place to a workflow" }
