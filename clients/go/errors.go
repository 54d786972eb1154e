package caraway

import (
	"context"
	"errors"
	"fmt"
	"strings"

	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Reason says why the gateway refused. It is an error, to be asked for:
//
//	if errors.Is(err, caraway.ReasonTaskNotFound) { ... }
type Reason string

// The reasons of the contract (proto/caraway/v1/errors.proto says what each means).
const (
	ReasonTaskNotFound         Reason = "TASK_NOT_FOUND"
	ReasonTaskIDConflict       Reason = "TASK_ID_CONFLICT"
	ReasonInvalidField         Reason = "INVALID_FIELD"
	ReasonNumberNotExact       Reason = "NUMBER_NOT_EXACT"
	ReasonMalformedMessage     Reason = "MALFORMED_MESSAGE"
	ReasonPayloadTooLarge      Reason = "PAYLOAD_TOO_LARGE"
	ReasonBatchTooLarge        Reason = "BATCH_TOO_LARGE"
	ReasonQueueFull            Reason = "QUEUE_FULL"
	ReasonLeaseLost            Reason = "LEASE_LOST"
	ReasonBatchRejected        Reason = "BATCH_REJECTED"
	ReasonStoreUnavailable     Reason = "STORE_UNAVAILABLE"
	ReasonStoreReadOnly        Reason = "STORE_READ_ONLY"
	ReasonStoreFull            Reason = "STORE_FULL"
	ReasonStoreNotConfirmed    Reason = "STORE_NOT_CONFIRMED"
	ReasonStreamProtocol       Reason = "STREAM_PROTOCOL"
	ReasonShuttingDown         Reason = "SHUTTING_DOWN"
	ReasonInternal             Reason = "INTERNAL"
	ReasonUniqueConflict       Reason = "UNIQUE_CONFLICT"
	ReasonQueueNotFound        Reason = "QUEUE_NOT_FOUND"
	ReasonWorkerNotFound       Reason = "WORKER_NOT_FOUND"
	ReasonUnauthenticated      Reason = "UNAUTHENTICATED"
	ReasonWorkflowNotFound     Reason = "WORKFLOW_NOT_FOUND"
	ReasonWorkflowIDConflict   Reason = "WORKFLOW_ID_CONFLICT"
	ReasonInvalidWorkflow      Reason = "INVALID_WORKFLOW"
	ReasonWorkflowNotOpen      Reason = "WORKFLOW_NOT_OPEN"
	ReasonWorkflowPartMissing  Reason = "WORKFLOW_PART_MISSING"
	ReasonWorkflowNotRetryable Reason = "WORKFLOW_NOT_RETRYABLE"
	ReasonWorkflowFull         Reason = "WORKFLOW_FULL"
)

func (r Reason) Error() string {
	return string(r)
}

// ErrUnavailable is what an [*Error] is when the gateway, or its store, could not be reached, however often it was tried.
var ErrUnavailable = errors.New("caraway: the gateway could not be reached")

// ErrInvalid is what the errors of options are that make no sense, before anything is sent.
var ErrInvalid = errors.New("caraway: invalid option")

// Error says how a call, or an item of a batch, failed.
type Error struct {
	Code     codes.Code
	Reason   Reason // empty where it was not the gateway that refused
	Message  string
	Metadata map[string]string // as the reason says, for example task_id
}

func (e *Error) Error() string { return fmt.Sprintf("caraway: %s: %s", e.Code, e.Message) }

// Is tells whether target is its Reason, or ErrUnavailable.
func (e *Error) Is(target error) bool {
	if reason, ok := target.(Reason); ok {
		return reason == e.Reason
	}
	return target == ErrUnavailable && e.isTransient()
}

// GRPCStatus lets [status.FromError] read it.
func (e *Error) GRPCStatus() *status.Status { return status.New(e.Code, e.Message) }

// isTransient tells whether a later try may succeed.
func (e *Error) isTransient() bool {
	switch e.Code {
	case codes.Unavailable, codes.DeadlineExceeded:
		return true
	case codes.Canceled:
		return e.Reason == "" // a connection that was closed under the call
	case codes.Internal:
		return e.Reason == "" && strings.Contains(e.Message, "RST_STREAM")
	}
	return false
}

// fromRPC makes the error of a failed call. Where the caller's own context ended it, that is told instead.
func fromRPC(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("caraway: %w", context.Cause(ctx))
	}
	return fromStatus(status.Convert(err).Proto())
}

// fromStatus makes the error of a refusal.
func fromStatus(given *rpcstatus.Status) *Error {
	made := &Error{Code: codes.Code(given.GetCode()), Message: given.GetMessage()}
	for _, detail := range given.GetDetails() {
		var info errdetails.ErrorInfo
		if detail.UnmarshalTo(&info) == nil && info.GetDomain() == "caraway" {
			made.Reason, made.Metadata = Reason(info.GetReason()), info.GetMetadata()
		}
	}
	return made
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
