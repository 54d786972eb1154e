package caraway

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

const (
	attemptTimeout = 10 * time.Second // of one try of a call, beside what it was asked to wait
	longestWait    = 60 * time.Second // of one call that waits; longer waits are several calls
	waitGrace      = time.Second      // beyond a wait's end until its answer must be here
	firstDelay     = 50 * time.Millisecond
	longestDelay   = 2 * time.Second
)

// delays are the waits between tries: doubling, bounded, drawn by chance, for the clients of a gateway that comes back are
// not to return in step.
type delays int

func (d *delays) next() time.Duration {
	most := min(longestDelay, firstDelay<<min(*d, 16))
	*d++
	return rand.N(most)
}

// sleep waits, or says that ctx has ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("caraway: %w", context.Cause(ctx))
	}
}

// method is a unary call of a stub.
type method[Request, Response any] func(context.Context, Request, ...grpc.CallOption) (Response, error)

// invoke makes a call and repeats it until it is answered, refused, or the time for retries is over.
func invoke[Request, Response any](ctx context.Context, c *Client, call method[Request, Response], request Request) (Response, error) {
	return invokeFor(ctx, c, call, request, attemptTimeout)
}

// invokeFor is invoke for calls that are asked to wait, and so may take longer.
func invokeFor[Request, Response any](
	ctx context.Context, c *Client, call method[Request, Response], request Request, timeout time.Duration,
) (Response, error) {
	var pause delays
	var failing time.Time // since when
	for {
		began := time.Now()
		response, err := attempt(ctx, c, call, request, timeout)
		if err == nil || !c.mayRetry(err) {
			return response, err
		}
		now := time.Now()
		if failing.IsZero() || now.Sub(began) > c.options.retryFor {
			failing = now // a call that waited so long had reached the gateway
		}
		delay := pause.next()
		if now.Add(delay).Sub(failing) >= c.options.retryFor {
			return response, c.gaveUp(err)
		}
		if err := sleep(ctx, delay); err != nil {
			return response, err
		}
	}
}

// attempt makes one try.
func attempt[Request, Response any](
	ctx context.Context, c *Client, call method[Request, Response], request Request, timeout time.Duration,
) (Response, error) {
	limited, cancel := context.WithTimeout(c.outgoing(ctx), timeout)
	defer cancel()
	response, err := call(limited, request)
	return response, fromRPC(ctx, err)
}

func (c *Client) mayRetry(err error) bool {
	var refusal *Error
	return !c.closed.Load() && errors.As(err, &refusal) && refusal.isTransient()
}

func (c *Client) gaveUp(err error) error {
	return fmt.Errorf("the gateway at %s, or its store, could not be reached for %s; is it running, and is the target right?: %w",
		c.target, c.options.retryFor, err)
}

// outgoing adds the trace to what goes with a call.
func (c *Client) outgoing(ctx context.Context) context.Context {
	if c.options.propagation.Inject == nil {
		return ctx
	}
	headers := map[string]string{}
	c.options.propagation.Inject(ctx, headers)
	for key, value := range headers {
		ctx = metadata.AppendToOutgoingContext(ctx, key, value)
	}
	return ctx
}
