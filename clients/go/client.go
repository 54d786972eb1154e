package caraway

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// DefaultTarget is where a gateway is looked for if nothing is said, neither in code nor by CARAWAY_TARGET.
const DefaultTarget = "localhost:50051"

// Client submits tasks to a gateway, reads, waits for, watches and revokes them. It is safe for concurrent use; a program
// needs one. All its calls are repeated while the gateway can't be reached, see [WithRetryFor].
type Client struct {
	target    string
	conn      *grpc.ClientConn
	tasks     carawaypb.TaskServiceClient
	workflows carawaypb.WorkflowServiceClient
	options   clientOptions
	closed    atomic.Bool
}

type clientOptions struct {
	transport
	retryFor    time.Duration
	logger      *slog.Logger
	propagation Propagation
	dial        []grpc.DialOption
}

// ClientOption changes how a client is made.
type ClientOption func(*clientOptions) error

// WithRetryFor says how long a call is repeated while the gateway, or its store, can't be reached: 20 s by default, 0 for
// one try. At most 9 minutes, because the gateway knows a submitted id again for ten.
func WithRetryFor(d time.Duration) ClientOption {
	return func(o *clientOptions) error {
		if d < 0 || d > 9*time.Minute {
			return invalid("WithRetryFor takes 0 to 9 minutes, not %s", d)
		}
		o.retryFor = d
		return nil
	}
}

// WithLogger says where the client, and workers on it, log to: [slog.Default] if nothing is said.
func WithLogger(logger *slog.Logger) ClientOption {
	return func(o *clientOptions) error {
		o.logger = logger
		return nil
	}
}

// WithDialOptions adds options of gRPC, for example interceptors.
func WithDialOptions(options ...grpc.DialOption) ClientOption {
	return func(o *clientOptions) error {
		o.dial = append(o.dial, options...)
		return nil
	}
}

// Propagation carries a trace from the caller to the handler, in the headers of tasks and calls. With OpenTelemetry:
//
//	propagator := otel.GetTextMapPropagator()
//	caraway.WithPropagation(caraway.Propagation{
//		Inject: func(ctx context.Context, headers map[string]string) {
//			propagator.Inject(ctx, propagation.MapCarrier(headers))
//		},
//		Extract: func(ctx context.Context, headers map[string]string) context.Context {
//			return propagator.Extract(ctx, propagation.MapCarrier(headers))
//		},
//	})
type Propagation struct {
	// Inject writes what ctx carries into headers.
	Inject func(ctx context.Context, headers map[string]string)
	// Extract gives a context that carries what headers have; a handler gets it.
	Extract func(ctx context.Context, headers map[string]string) context.Context
}

// WithPropagation carries trace context along. Nothing is carried by default.
func WithPropagation(p Propagation) ClientOption {
	return func(o *clientOptions) error {
		o.propagation = p
		return nil
	}
}

// NewClient makes a client of a gateway. It connects at the first call, and again after the gateway was away.
//
// The target is HOST:PORT, grpcs://HOST:PORT (by TLS), grpc://HOST:PORT, or what else gRPC knows, such as dns:///HOST:PORT.
// Where it is empty, the variable CARAWAY_TARGET or [DefaultTarget] is taken. Errors are [ErrInvalid], or of files of TLS.
func NewClient(target string, options ...ClientOption) (*Client, error) {
	if target == "" {
		target = os.Getenv("CARAWAY_TARGET")
	}
	if target == "" {
		target = DefaultTarget
	}
	made := clientOptions{retryFor: 20 * time.Second, logger: slog.Default()}
	for _, option := range options {
		if err := option(&made); err != nil {
			return nil, err
		}
	}
	conn, err := made.connect(target, made.dial)
	if err != nil {
		return nil, err
	}
	return &Client{
		target: target, conn: conn, options: made,
		tasks:     carawaypb.NewTaskServiceClient(conn),
		workflows: carawaypb.NewWorkflowServiceClient(conn),
	}, nil
}

// Conn gives the connection, for what has no method here: carawaypb.NewAdminServiceClient(client.Conn()).
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// Close ends the connection and what is under way on it.
func (c *Client) Close() error {
	c.closed.Store(true)
	return c.conn.Close()
}
