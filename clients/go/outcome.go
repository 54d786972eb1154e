package caraway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

const (
	language     = "go"
	maxText      = 32 << 10 // of an error's message
	maxTraceback = 64 << 10
	maxCauses    = 16
)

func (d *delivery) report() *carawaypb.TaskReport {
	return &carawaypb.TaskReport{TaskId: d.lease.GetTask().GetTaskId(), LeaseToken: d.token}
}

func (d *delivery) started() *carawaypb.TaskReport {
	report := d.report()
	report.Report = &carawaypb.TaskReport_Started_{Started: &carawaypb.TaskReport_Started{AtMostOnce: d.atMostOnce}}
	return report
}

func (d *delivery) released(reason string) *carawaypb.TaskReport {
	report := d.report()
	report.Report = &carawaypb.TaskReport_Released_{Released: &carawaypb.TaskReport_Released{Reason: reason}}
	return report
}

// handedBack releases it; one that runs at most once, and may have begun, is lost.
func (d *delivery) handedBack(reason string) *carawaypb.TaskReport {
	if !d.atMostOnce || !d.startReported {
		return d.released(reason)
	}
	report := d.report()
	lost := &carawaypb.TaskError{Kind: carawaypb.TaskError_KIND_WORKER_LOST, Type: "caraway.WorkerLost", Message: reason, Language: language}
	report.Report = &carawaypb.TaskReport_Lost_{Lost: &carawaypb.TaskReport_Lost{Error: lost}}
	return report
}

func (d *delivery) cancelled() *carawaypb.TaskReport {
	report := d.report()
	report.Report = &carawaypb.TaskReport_Cancelled_{Cancelled: &carawaypb.TaskReport_Cancelled{}}
	return report
}

func (d *delivery) failed(failure *carawaypb.TaskError) *carawaypb.TaskReport {
	report := d.report()
	report.Report = &carawaypb.TaskReport_Failed_{Failed: &carawaypb.TaskReport_Failed{Error: failure}}
	return report
}

func (d *delivery) succeeded(result *carawaypb.Payload) *carawaypb.TaskReport {
	report := d.report()
	report.Report = &carawaypb.TaskReport_Succeeded_{Succeeded: &carawaypb.TaskReport_Succeeded{Result: result}}
	return report
}

func (d *delivery) hardLimit() *carawaypb.TaskReport {
	report := d.failed(&carawaypb.TaskError{
		Kind: carawaypb.TaskError_KIND_TIME_LIMIT, Type: "caraway.TimeLimit", Language: language,
		Message: fmt.Sprintf("the hard time limit of %s struck", d.hard),
	})
	report.RunTime = durationpb.New(d.hard)
	return report
}

// payloadFailure is what a task fails by when its arguments can't be read, or its result can't be written or kept.
func (d *delivery) payloadFailure(message string) *carawaypb.TaskReport {
	return d.failed(&carawaypb.TaskError{
		Kind: carawaypb.TaskError_KIND_PAYLOAD, Type: "caraway.PayloadError", Message: message, Language: language, NonRetryable: true,
	})
}

// outcomeOf makes the report of an attempt that came to its end.
func (p *pool) outcomeOf(ctx context.Context, d *delivery, value any, err error) *carawaypb.TaskReport {
	if err == nil {
		return p.success(d, value)
	}
	if errors.Is(context.Cause(ctx), KindTimeLimit) {
		return d.hardLimit()
	}
	var again *retryRequest
	var refused *rejection
	var instead *replacement
	report := d.report()
	switch {
	case errors.As(err, &again):
		report.Report = &carawaypb.TaskReport_Retry_{Retry: &carawaypb.TaskReport_Retry{
			Error: errorMessage(again, carawaypb.TaskError_KIND_APPLICATION), Delay: durationpb.New(again.delay),
		}}
	case errors.As(err, &refused):
		report.Report = &carawaypb.TaskReport_Rejected_{Rejected: &carawaypb.TaskReport_Rejected{Reason: cutText(refused.reason, 1024)}}
	case errors.As(err, &ignored{}):
		report.Report = &carawaypb.TaskReport_Ignored_{Ignored: &carawaypb.TaskReport_Ignored{}}
	case errors.As(err, &instead):
		return p.replaced(ctx, d, instead.step)
	default:
		return d.failed(p.failure(ctx, err))
	}
	return report
}

func (p *pool) success(d *delivery, value any) *carawaypb.TaskReport {
	result, err := jsonPayload(value)
	if err != nil {
		return d.payloadFailure("the result can't be written: " + err.Error())
	}
	if size, most := len(result.GetJson()), p.reports.limits().payload; size > most {
		return d.payloadFailure(fmt.Sprintf("the result has %d bytes, and the gateway takes %d", size, most))
	}
	return d.succeeded(result)
}

func (p *pool) replaced(ctx context.Context, d *delivery, step Step) *carawaypb.TaskReport {
	built, output, err := p.client.build(context.WithoutCancel(ctx), step)
	if err == nil && built.nodes[len(built.nodes)-1].GetNodeId() == output && built.nodes[len(built.nodes)-1].GetCollect() != nil {
		err = invalid("what a task is replaced with ends with a call, not with a group")
	}
	if err != nil {
		return d.failed(errorMessage(NonRetryable(err), carawaypb.TaskError_KIND_APPLICATION))
	}
	report := d.report()
	report.Report = &carawaypb.TaskReport_Replaced_{Replaced: &carawaypb.TaskReport_Replaced{Nodes: built.nodes, OutputNodeId: output}}
	return report
}

func (p *pool) failure(ctx context.Context, err error) *carawaypb.TaskError {
	var payload *PayloadError
	var crash *panicked
	switch {
	case errors.Is(context.Cause(ctx), KindSoftTimeLimit):
		made := errorMessage(err, carawaypb.TaskError_KIND_SOFT_TIME_LIMIT)
		made.Type = "caraway.SoftTimeLimit"
		return made
	case errors.As(err, &payload):
		made := errorMessage(err, carawaypb.TaskError_KIND_PAYLOAD)
		made.NonRetryable = true
		return made
	case errors.As(err, &crash):
		made := errorMessage(err, carawaypb.TaskError_KIND_APPLICATION)
		made.Type, made.Traceback = crash.kind, cutMiddle(crash.stack, maxTraceback)
		return made
	}
	return errorMessage(err, carawaypb.TaskError_KIND_APPLICATION)
}

// panicked is a handler's panic.
type panicked struct {
	kind, message, stack string
}

func (p *panicked) Error() string { return p.message }

func newPanic(value any, stack []byte) *panicked {
	made := &panicked{kind: "panic", message: fmt.Sprint(value), stack: string(stack)}
	if err, ok := value.(error); ok {
		made.kind = typeOf(err)
	}
	return made
}

// errorMessage writes an error with its causes.
func errorMessage(err error, kind carawaypb.TaskError_Kind) *carawaypb.TaskError {
	var final *nonRetryable
	made := &carawaypb.TaskError{
		Kind: kind, Message: cutText(err.Error(), maxText), Language: language, NonRetryable: errors.As(err, &final),
	}
	err = bare(err)
	made.Type = typeOf(err)
	for cause := errors.Unwrap(err); cause != nil && len(made.Causes) < maxCauses; cause = errors.Unwrap(cause) {
		made.Causes = append(made.Causes, &carawaypb.TaskError_Cause{Type: typeOf(cause), Message: cutText(cause.Error(), maxText)})
	}
	return made
}

// bare takes off what only says what is to become of the task, and text around an error.
func bare(err error) error {
	for {
		inner := errors.Unwrap(err)
		_, isRetry := err.(*retryRequest)
		_, isFinal := err.(*nonRetryable)
		if inner == nil || (!isRetry && !isFinal && reflect.TypeOf(err).String() != "*fmt.wrapError") {
			return err
		}
		err = inner
	}
}

// typeOf names an error's type with its package's path: "net.OpError". An error may name itself by TaskErrorType() string.
func typeOf(err error) string {
	if own, ok := err.(interface{ TaskErrorType() string }); ok {
		return own.TaskErrorType()
	}
	t := reflect.TypeOf(err)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.PkgPath() == "" {
		return t.String()
	}
	return t.PkgPath() + "." + t.Name()
}

func cutText(text string, size int) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}

// cutMiddle keeps the start, which says where the task was called, and the end, which says what happened.
func cutMiddle(text string, size int) string {
	const gap = "\n... cut ...\n"
	if len(text) <= size {
		return strings.ToValidUTF8(text, "�")
	}
	half := (size - len(gap)) / 2
	return strings.ToValidUTF8(text[:half]+gap+text[len(text)-half:], "")
}
