package caraway

import (
	"fmt"
	"strings"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// Kind says who or what ended a task. It is an error, to be asked for:
//
//	if errors.Is(err, caraway.KindRevoked) { ... }
type Kind string

// The kinds of the contract (TaskError.Kind in proto/caraway/v1/task.proto).
const (
	KindApplication   Kind = "APPLICATION"
	KindSoftTimeLimit Kind = "SOFT_TIME_LIMIT"
	KindTimeLimit     Kind = "TIME_LIMIT"
	KindWorkerLost    Kind = "WORKER_LOST"
	KindLostLimit     Kind = "LOST_LIMIT"
	KindRevoked       Kind = "REVOKED"
	KindExpired       Kind = "EXPIRED"
	KindRejected      Kind = "REJECTED"
	KindPayload       Kind = "PAYLOAD"
	KindDependency    Kind = "DEPENDENCY"
	KindUnknownTask   Kind = "UNKNOWN_TASK"
)

func (k Kind) Error() string { return string(k) }

func kindOf(kind carawaypb.TaskError_Kind) Kind {
	return Kind(strings.TrimPrefix(kind.String(), "KIND_"))
}

// Cause is one error behind another.
type Cause struct {
	Type, Message, Traceback string
}

// TaskError says why a task did not succeed. It is never the error of a call that went wrong: that is an [*Error].
type TaskError struct {
	TaskID       string
	State        State
	Kind         Kind
	Type         string // the error's type, as its language names it
	Message      string
	Traceback    string
	Language     string
	Causes       []Cause
	NonRetryable bool
	FailedTaskID string // KindDependency: the task that failed by itself
	FailedKind   Kind   // KindDependency: why that did
}

func (e *TaskError) Error() string {
	text := e.Message
	if e.Type != "" {
		text = e.Type + ": " + text
	}
	return fmt.Sprintf("caraway: task %s is %s: %s", e.TaskID, e.State, text)
}

// Is tells whether target is its Kind, or that of the task that failed before it.
func (e *TaskError) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && (kind == e.Kind || (kind == e.FailedKind && kind != ""))
}

func taskError(id string, state State, given *carawaypb.TaskError) *TaskError {
	made := &TaskError{
		TaskID: id, State: state, Kind: kindOf(given.GetKind()), Type: given.GetType(), Message: given.GetMessage(),
		Traceback: given.GetTraceback(), Language: given.GetLanguage(), NonRetryable: given.GetNonRetryable(),
		FailedTaskID: given.GetFailedTaskId(),
	}
	if given.GetKind() == carawaypb.TaskError_KIND_DEPENDENCY {
		made.FailedKind = kindOf(given.GetFailedKind())
	}
	for _, each := range given.GetCauses() {
		made.Causes = append(made.Causes, Cause{each.GetType(), each.GetMessage(), each.GetTraceback()})
	}
	return made
}
