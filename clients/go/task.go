package caraway

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// State says where a task stands; docs/states.md draws it.
type State string

// The states of the contract (Task.State in proto/caraway/v1/task.proto).
const (
	StateBlocked   State = "BLOCKED"
	StateScheduled State = "SCHEDULED"
	StateQueued    State = "QUEUED"
	StateLeased    State = "LEASED"
	StateRunning   State = "RUNNING"
	StateRetrying  State = "RETRYING"
	StateSucceeded State = "SUCCEEDED"
	StateFailed    State = "FAILED"
	StateRevoked   State = "REVOKED"
	StateExpired   State = "EXPIRED"
	StateRejected  State = "REJECTED"
	StateIgnored   State = "IGNORED"
	StateReplaced  State = "REPLACED"
	StateSkipped   State = "SKIPPED"
)

// Done tells whether a task in this state has ended.
func (s State) Done() bool {
	switch s {
	case StateSucceeded, StateFailed, StateRevoked, StateExpired, StateRejected, StateIgnored, StateSkipped:
		return true
	}
	return false
}

func stateOf(state carawaypb.Task_State) State {
	return State(strings.TrimPrefix(state.String(), "STATE_"))
}

func statesFrom(states []State) []carawaypb.Task_State {
	made := make([]carawaypb.Task_State, len(states))
	for i, state := range states {
		made[i] = carawaypb.Task_State(carawaypb.Task_State_value["STATE_"+string(state)])
	}
	return made
}

// Task is a task as it stood when it was read. Times are the store's; one that has not come is zero.
type Task struct {
	ID              string
	State           State
	CustomState     string // of the task's own making, while it runs
	Name            string
	Queue           string
	Priority        int
	Attempt         int // attempts begun
	DeliveryCount   int // how often it was handed to a worker
	LostCount       int // deliveries that ended in a lost worker
	Revision        int64
	WorkerID        string
	CreateTime      time.Time
	StartTime       time.Time // of the last attempt
	EndTime         time.Time
	NextAttemptTime time.Time
	CancelReason    string // set once cancellation was asked for
	WorkflowID      string
	NodeID          string

	proto *carawaypb.Task
}

func newTask(given *carawaypb.Task) *Task {
	spec := given.GetSpec()
	return &Task{
		ID: given.GetTaskId(), State: stateOf(given.GetState()), CustomState: given.GetCustomState(),
		Name: spec.GetName(), Queue: spec.GetQueue(), Priority: int(spec.GetPriority()),
		Attempt: int(given.GetAttempt()), DeliveryCount: int(given.GetDeliveryCount()), LostCount: int(given.GetLostCount()),
		Revision: given.GetRevision(), WorkerID: given.GetWorkerId(),
		CreateTime: instant(given.GetCreateTime()), StartTime: instant(given.GetStartTime()),
		EndTime: instant(given.GetEndTime()), NextAttemptTime: instant(given.GetNextAttemptTime()),
		CancelReason: given.GetCancelReason(), WorkflowID: given.GetWorkflowId(), NodeID: given.GetNodeId(),
		proto: given,
	}
}

func instant(at *timestamppb.Timestamp) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.AsTime()
}

// Proto gives the contract's message, which has what has no field here.
func (t *Task) Proto() *carawaypb.Task { return t.proto }

// Err says why the task did not succeed: a [*TaskError], or nil for one that succeeded, was ignored or skipped, or goes on.
func (t *Task) Err() error {
	switch t.State {
	case StateFailed, StateRevoked, StateExpired, StateRejected:
		return t.LastError()
	}
	return nil
}

// LastError says why the last attempt failed, also of a task that is tried again; nil if none did.
func (t *Task) LastError() error {
	if t.proto.GetError() == nil && !t.State.Done() {
		return nil
	}
	return taskError(t.ID, t.State, t.proto.GetError())
}

// Result reads what the task returned into what target points to; nothing leaves the zero value. It fails with [Task.Err].
// The list of a collect, the outcome of a group, is read by [Handle.Result].
func (t *Task) Result(target any) error {
	if err := t.Err(); err != nil {
		return err
	}
	return readInto(t.proto.GetResult(), target)
}

// Progress reads what the task last told of its progress; false if it told nothing.
func (t *Task) Progress(target any) (bool, error) {
	if t.proto.GetProgress() == nil {
		return false, nil
	}
	return true, readInto(t.proto.GetProgress(), target)
}
