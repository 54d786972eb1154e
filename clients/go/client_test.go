package caraway_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	caraway "github.com/caraway-tasks/caraway/clients/go"
	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

func TestResultsAreTyped(t *testing.T) {
	s := newStage(t)
	s.work(addition)
	sum, err := caraway.Run[int](s.ctx, s.client, s.call("add", 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, sum, 5)
	later := s.submit(s.call("add").Kwargs(map[string]any{"x": 2, "y": 40}))
	if sum, err = caraway.Result[int](s.ctx, later); err != nil {
		t.Fatal(err)
	}
	equal(t, sum, 42)
	var payload *caraway.PayloadError
	if _, err = caraway.Result[string](s.ctx, later); !errors.As(err, &payload) {
		t.Fatalf("a number was read as a text: %v", err)
	}
}

func TestTheGatewaysReasonsAreErrors(t *testing.T) {
	s := newStage(t)
	_, err := s.client.Get(s.ctx, "nobody")
	var refusal *caraway.Error
	if !errors.Is(err, caraway.ReasonTaskNotFound) || errors.Is(err, caraway.ReasonQueueFull) || !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	equal(t, refusal.Metadata["task_id"], "nobody")
	equal(t, status.Code(err), codes.NotFound)
	handle := s.submit(s.call("add", 1, 2))
	equal(t, handle.Created(), true)
	again := s.submit(s.call("add", 1, 2), caraway.WithID(handle.ID()))
	equal(t, again.Created(), false)
	if _, err = s.client.Submit(s.ctx, s.call("add", 1, 3), caraway.WithID(handle.ID())); !errors.Is(err, caraway.ReasonTaskIDConflict) {
		t.Fatal(err)
	}
	if _, err = s.client.Submit(s.ctx, s.call("add"), caraway.WithQueue("no queue")); !errors.Is(err, caraway.ReasonInvalidField) {
		t.Fatal(err)
	}
	if _, err = s.client.Submit(s.ctx, s.call("add", strings.Repeat("x", 3<<20))); !errors.Is(err, caraway.ReasonPayloadTooLarge) {
		t.Fatal(err)
	}
}

func TestEveryReasonOfTheContractHasItsName(t *testing.T) {
	text, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	for number, name := range carawaypb.ErrorReason_name {
		if name = strings.TrimPrefix(name, "ERROR_REASON_"); number != 0 && !strings.Contains(string(text), fmt.Sprintf(" Reason = %q", name)) {
			t.Errorf("the reason %s has no constant", name)
		}
	}
	text, err = os.ReadFile("task_error.go")
	if err != nil {
		t.Fatal(err)
	}
	for number, name := range carawaypb.TaskError_Kind_name {
		if name = strings.TrimPrefix(name, "KIND_"); number != 0 && !strings.Contains(string(text), fmt.Sprintf(" Kind = %q", name)) {
			t.Errorf("the kind %s has no constant", name)
		}
	}
}

func TestOptionsArriveInTheSpec(t *testing.T) {
	s := newStage(t)
	at := time.Now().Add(time.Hour).Truncate(time.Microsecond)
	handle := s.submit(s.call("later", 1).With(
		caraway.WithPriority(9), caraway.WithStartAt(at), caraway.WithTTL(2*time.Hour), caraway.WithTimeLimits(time.Second, time.Minute),
		caraway.WithRetries(caraway.RetryPolicy{MaxAttempts: 3, InitialBackoff: time.Second, BackoffMultiplier: 3, RetryOn: []string{"net.OpError"}}),
		caraway.WithHeader("x-tenant", "7"), caraway.WithStamp("customer", "ada", 7), caraway.WithResultTTL(time.Minute),
		caraway.WithAtMostOnce(), caraway.WithRepr("***", ""), caraway.WithIgnoreResult(),
	))
	task, err := handle.Get(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, task.State, caraway.StateScheduled)
	equal(t, task.Priority, 9)
	equal(t, task.NextAttemptTime.UnixMilli(), at.UnixMilli())
	spec := task.Proto().GetSpec()
	equal(t, spec.GetTtl().AsDuration()+spec.GetResultTtl().AsDuration(), 2*time.Hour+time.Minute)
	equal(t, spec.GetTimeLimits().GetSoft().AsDuration(), time.Second)
	equal(t, spec.GetRetryPolicy().GetBackoffMultiplier(), 3)
	equal(t, spec.GetHeaders()["x-tenant"], "7")
	equal(t, spec.GetArgsRepr(), "***")
	equal(t, spec.GetIgnoreResult(), true)
	equal(t, spec.GetAckMode(), carawaypb.TaskSpec_ACK_MODE_ON_START)
	for listed, err := range s.client.List(s.ctx, caraway.Filter{Stamps: map[string][]any{"customer": {7}}, Queues: []string{s.queue}}) {
		if err != nil {
			t.Fatal(err)
		}
		equal(t, listed.ID, handle.ID())
	}
	for _, option := range []caraway.CallOption{
		caraway.WithPriority(10), caraway.WithDelay(-1), caraway.WithTTL(0), caraway.WithUnique("", 0, caraway.OnConflictReject),
		caraway.WithTimeLimits(-1, 0), caraway.WithStamp("when", time.Now()), caraway.WithResultTTL(0),
		caraway.WithRetries(caraway.RetryPolicy{JitterRatio: 2}),
	} {
		if _, err := s.client.Submit(s.ctx, s.call("later"), option); !errors.Is(err, caraway.ErrInvalid) {
			t.Errorf("an option that makes no sense was taken: %v", err)
		}
	}
}

func TestManyAreAnsweredOneByOne(t *testing.T) {
	s := newStage(t)
	calls := make([]caraway.Call, 1201)
	for i := range calls {
		calls[i] = s.call("many", i)
	}
	calls[3] = s.call("many", func() {})
	calls[700] = s.call("many").With(caraway.WithQueue("no queue"))
	handles, err := s.client.SubmitMany(s.ctx, calls)
	var refused *caraway.BatchError
	if !errors.As(err, &refused) || !errors.Is(err, caraway.ReasonInvalidField) {
		t.Fatal(err)
	}
	var unwritable *caraway.PayloadError
	for i, handle := range handles {
		if bad := i == 3 || i == 700; (handle == nil) != bad || (refused.Errors[i] != nil) != bad {
			t.Fatalf("call %d: %v, %v", i, handle, refused.Errors[i])
		}
	}
	equal(t, errors.As(refused.Errors[3], &unwritable), true)
	listed := 0
	filter := caraway.Filter{States: []caraway.State{caraway.StateQueued}, Queues: []string{s.queue}, PageSize: 500}
	for task, err := range s.client.List(s.ctx, filter) {
		if err != nil {
			t.Fatal(err)
		}
		equal(t, task.Name, "many")
		listed++
	}
	equal(t, listed, 1199)
	ids := []string{handles[0].ID(), "nobody", handles[1200].ID()}
	tasks, missing, err := s.client.GetMany(s.ctx, ids)
	if err != nil || len(tasks) != 2 || len(missing) != 1 || missing[0] != "nobody" || tasks[1].ID != ids[2] {
		t.Fatal(tasks, missing, err)
	}
}

func TestLargeBatchesAreCutByBytes(t *testing.T) {
	s := newStage(t)
	calls := make([]caraway.Call, 5)
	for i := range calls {
		calls[i] = s.call("large", strings.Repeat("x", 2<<20))
	}
	handles, err := s.client.SubmitMany(s.ctx, calls)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Revoke(s.ctx, []string{handles[0].ID()}); err != nil {
		t.Fatal(err)
	}
}

func TestUniqueTasks(t *testing.T) {
	s := newStage(t)
	unique := func(conflict caraway.OnConflict) caraway.CallOption { return caraway.WithUnique(s.queue, 0, conflict) }
	first := s.submit(s.call("one"), unique(caraway.OnConflictReject))
	_, err := s.client.Submit(s.ctx, s.call("one"), unique(caraway.OnConflictReject))
	var refusal *caraway.Error
	if !errors.Is(err, caraway.ReasonUniqueConflict) || !errors.As(err, &refusal) || refusal.Metadata["task_id"] != first.ID() {
		t.Fatal(err)
	}
	same := s.submit(s.call("one"), unique(caraway.OnConflictReturnExisting))
	equal(t, same.ID(), first.ID())
	equal(t, same.Created(), false)
	next := s.submit(s.call("one"), unique(caraway.OnConflictReplace))
	equal(t, next.Created(), true)
	equal(t, s.wait(first).State, caraway.StateRevoked)
}

func TestRevokeRetryDelete(t *testing.T) {
	s := newStage(t)
	handle := s.submit(s.call("never"))
	outcome := func(got caraway.Outcome, err error) caraway.Outcome {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	equal(t, outcome(handle.Delete(s.ctx)), caraway.NotTerminal)
	equal(t, outcome(handle.Revoke(s.ctx, caraway.WithReason("not needed"))), caraway.Revoked)
	equal(t, outcome(handle.Revoke(s.ctx)), caraway.AlreadyTerminal)
	task := s.wait(handle)
	equal(t, task.CancelReason, "not needed")
	equal(t, errors.Is(task.Err(), caraway.KindRevoked), true)
	equal(t, outcome(handle.Retry(s.ctx)), caraway.Queued)
	equal(t, outcome(handle.Retry(s.ctx)), caraway.NotRetryable)
	equal(t, outcome(handle.Revoke(s.ctx)), caraway.Revoked)
	equal(t, outcome(handle.Delete(s.ctx)), caraway.Deleted)
	equal(t, outcome(s.client.Handle("nobody").Delete(s.ctx)), caraway.NotFound)
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	s := newStage(t)
	handle := s.submit(s.call("never"))
	short, cancel := context.WithTimeout(s.ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := handle.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if _, err := s.client.Run(short, s.call("never")); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	task, err := handle.Get(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = handle.Revoke(s.ctx) }()
	if task, err = s.client.WaitRevision(s.ctx, handle.ID(), task.Revision); err != nil {
		t.Fatal(err)
	}
	equal(t, task.State, caraway.StateRevoked)
}

func TestAWatchTellsEachState(t *testing.T) {
	s := newStage(t)
	handle := s.submit(s.call("add", 1, 2))
	var states []caraway.State
	var missing []string
	for event, err := range s.client.Watch(s.ctx, handle.ID(), "nobody") {
		if err != nil {
			t.Fatal(err)
		}
		missing = append(missing, event.Missing...)
		if event.Task != nil {
			if states = append(states, event.Task.State); len(states) == 1 {
				s.work(addition)
			}
		}
	}
	equal(t, states[0], caraway.StateQueued)
	equal(t, states[len(states)-1], caraway.StateSucceeded)
	equal(t, fmt.Sprint(missing[:1]), "[nobody]")
	for event, err := range handle.Watch(s.ctx) { // a caller that has seen enough
		if err != nil || event.Task.State != caraway.StateSucceeded {
			t.Fatal(event, err)
		}
		break
	}
}

func TestNoGatewayIsUnavailable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := listener.Addr().String()
	_ = listener.Close()
	client, err := caraway.NewClient(nowhere, caraway.WithRetryFor(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Submit(context.Background(), caraway.NewCall("add"))
	if !errors.Is(err, caraway.ErrUnavailable) || !strings.Contains(err.Error(), nowhere) {
		t.Fatal(err)
	}
	for _, err := range client.Watch(context.Background(), "a") {
		if !errors.Is(err, caraway.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	_, err = client.SubmitMany(context.Background(), []caraway.Call{caraway.NewCall("a"), caraway.NewCall("b")})
	var refused *caraway.BatchError
	if !errors.As(err, &refused) || refused.Errors[1] == nil || !errors.Is(err, caraway.ErrUnavailable) {
		t.Fatal(err)
	}
	_ = client.Close()
	if _, err = client.Get(context.Background(), "a"); err == nil {
		t.Fatal("a closed client answers")
	}
}

func TestTargetsAndCredentialsThatMakeNoSense(t *testing.T) {
	tokens := filepath.Join(t.TempDir(), "token")
	for target, options := range map[string][]caraway.ClientOption{
		"http://localhost:1": nil,
		"grpc://localhost:1": {caraway.WithTLS(nil)},
		"localhost:1":        {caraway.WithToken("two words")},
		"localhost:2":        {caraway.WithTLSFiles(caraway.TLSFiles{Cert: "cert.pem"})},
		"localhost:3":        {caraway.WithRetryFor(time.Hour)},
	} {
		if _, err := caraway.NewClient(target, options...); !errors.Is(err, caraway.ErrInvalid) {
			t.Errorf("%s: %v", target, err)
		}
	}
	for _, option := range []caraway.ClientOption{
		caraway.WithTokenFile(tokens), caraway.WithTLSFiles(caraway.TLSFiles{CA: tokens}),
	} {
		if _, err := caraway.NewClient("localhost:1", option); !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	}
}

// TestSecured is run by tests/clients/test_go.py on a gateway that asks for certificates and tokens.
func TestSecured(t *testing.T) {
	folder := os.Getenv("CARAWAY_TEST_CERTIFICATES")
	if folder == "" {
		t.Skip("it needs a gateway with TLS: CARAWAY_TEST_CERTIFICATES names the folder of ca.pem, client.pem, client.key and token")
	}
	files := caraway.TLSFiles{CA: folder + "/ca.pem", Cert: folder + "/client.pem", Key: folder + "/client.key"}
	token := caraway.WithTokenFile(folder + "/token")
	s := newStage(t, caraway.WithTLSFiles(files), token)
	s.work(addition)
	sum, err := caraway.Run[int](s.ctx, s.client, s.call("add", 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, sum, 5)
	wrong := newStage(t, caraway.WithTLSFiles(files), caraway.WithToken("wrong"))
	if _, err = wrong.client.Get(s.ctx, "a"); !errors.Is(err, caraway.ReasonUnauthenticated) {
		t.Fatal(err)
	}
	files.Cert, files.Key = "", ""
	bare := newStage(t, caraway.WithTLSFiles(files), token, caraway.WithRetryFor(0))
	if _, err = bare.client.Get(s.ctx, "a"); !errors.Is(err, caraway.ErrUnavailable) {
		t.Fatal(err)
	}
}

func TestIDsAreMadeInOrder(t *testing.T) {
	s := newStage(t)
	first, second := s.submit(s.call("id")), s.submit(s.call("id"))
	made := uuid.MustParse(first.ID())
	equal(t, made.Version(), 7)
	equal(t, first.ID() < second.ID(), true)
}
