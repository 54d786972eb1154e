"""ReportTasks over the wire: every kind of report, what is refused, and what the gateway decides itself."""

from typing import Any

import pytest
from google.protobuf import duration_pb2

from api.wire import DEADLINE, Api, Lease, Refusal, refused
from caraway.v1 import task_pb2, worker_service_pb2

MIB = 1 << 20
Task = task_pb2.Task
TaskError = task_pb2.TaskError
Report = worker_service_pb2.TaskReport
ENDLESS = duration_pb2.Duration(seconds=2**63 - 1)


def leased(api: Api, queue: str, **spec: Any) -> Lease:
    api.submit_id(queue, **spec)
    return api.stream(queue, credit=1).lease()


KINDS: dict[str, tuple[Any, int]] = {
    "started": (Report.Started(), Task.STATE_RUNNING),
    "progress": (Report.Progress(), Task.STATE_RUNNING),
    "succeeded": (Report.Succeeded(), Task.STATE_SUCCEEDED),
    "failed": (Report.Failed(error=TaskError(message="no")), Task.STATE_FAILED),
    "retry": (Report.Retry(delay=duration_pb2.Duration(seconds=60)), Task.STATE_RETRYING),
    "released": (Report.Released(reason="drain"), Task.STATE_QUEUED),
    "rejected": (Report.Rejected(reason="not mine"), Task.STATE_REJECTED),
    "cancelled": (Report.Cancelled(), Task.STATE_REVOKED),
    "ignored": (Report.Ignored(), Task.STATE_IGNORED),
    "replaced": (
        Report.Replaced(nodes=[{"node_id": "x", "task": {"name": "t"}}], output_node_id="x"),
        Task.STATE_REPLACED,
    ),
    "lost": (Report.Lost(error=TaskError(message="killed")), Task.STATE_QUEUED),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_report_has_its_state_and_may_be_repeated(api: Api, queue: str, kind: str) -> None:
    message, state = KINDS[kind]
    lease = leased(api, queue)
    for _ in range(2):
        result = api.report(lease, **{kind: message})
        assert (result.status.code, result.state) == (0, state)
    assert api.get(lease.task.task_id).state == state


def test_every_kind_of_report_is_shown_above() -> None:
    assert set(KINDS) == {field.name for field in Report.DESCRIPTOR.oneofs_by_name["report"].fields}


def test_a_stale_report_is_told_so(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    api.report(lease, released=Report.Released())
    status = api.report(lease, succeeded=Report.Succeeded()).status
    refusal = Refusal(status)
    assert (refusal.reason, refusal.metadata) == ("LEASE_LOST", {"task_id": lease.task.task_id})
    assert api.get(lease.task.task_id).state == Task.STATE_QUEUED


@pytest.mark.parametrize("token", ["", "nonsense", "1.another", "none.{id}", "-1.{id}", "1.{id}"])
def test_a_token_that_is_none_is_a_lost_lease(api: Api, queue: str, token: str) -> None:
    lease = leased(api, queue)
    lease.lease_token = token.format(id=lease.task.task_id)
    assert Refusal(api.report(lease, succeeded=Report.Succeeded()).status).reason == "LEASE_LOST"


def test_many_reports_each_have_their_answer(api: Api, queue: str) -> None:
    for _ in range(4):
        api.submit_id(queue)
    good, empty, stale, last = api.stream(queue, credit=4).leases(4)
    api.report(stale, released=Report.Released())
    reports = [
        Report(task_id=lease.task.task_id, lease_token=lease.lease_token, **what)
        for lease, what in (
            (good, {"started": Report.Started()}), (empty, {}), (stale, {"ignored": Report.Ignored()}),
            (last, {"failed": Report.Failed()}), (good, {"succeeded": Report.Succeeded()}),
        )
    ]  # fmt: skip
    results = api.workers.ReportTasks(worker_service_pb2.ReportTasksRequest(reports=reports), timeout=DEADLINE).results
    assert [result.status.code for result in results] == [0, 3, 10, 0, 0]
    assert [results[index].state for index in (0, 3, 4)] == [
        Task.STATE_RUNNING, Task.STATE_FAILED, Task.STATE_SUCCEEDED,
    ]  # fmt: skip
    assert Refusal(results[1].status).metadata == {"field": "reports.report"}


def test_a_batch_has_its_limits(api: Api) -> None:
    send = api.workers.ReportTasks
    many = worker_service_pb2.ReportTasksRequest(reports=[Report()] * 501)
    assert refused(lambda: send(many, timeout=DEADLINE)).reason == "BATCH_TOO_LARGE"
    assert refused(lambda: send(worker_service_pb2.ReportTasksRequest())).metadata == {"field": "reports"}


def test_a_result_beyond_the_limit_is_not_kept(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    large = task_pb2.Payload(data=b"x" * (3 * MIB), content_type="a/b")
    result = api.report(lease, succeeded=Report.Succeeded(result=large))
    assert (result.status.code, result.state) == (0, Task.STATE_FAILED)
    task = api.get(lease.task.task_id)
    assert (task.error.kind, task.error.non_retryable) == (TaskError.KIND_PAYLOAD, True)
    assert "at most 3145728" in task.error.message


def test_progress_is_shown_while_it_runs(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    detail = task_pb2.Payload(json='{"done": 5}')
    api.report(lease, progress=Report.Progress(custom_state="HALF", detail=detail))
    running = api.get(lease.task.task_id)
    assert (running.state, running.custom_state, running.progress) == (Task.STATE_RUNNING, "HALF", detail)
    api.succeed(lease)
    assert api.get(lease.task.task_id).custom_state == ""


def test_progress_beyond_its_limits_is_refused_and_the_task_goes_on(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    large = task_pb2.Payload(data=b"x" * (3 * MIB), content_type="a/b")
    result = api.report(lease, progress=Report.Progress(detail=large))
    assert Refusal(result.status).reason == "PAYLOAD_TOO_LARGE"
    result = api.report(lease, progress=Report.Progress(custom_state="S" * 256))
    assert Refusal(result.status).metadata == {"field": "reports.progress.custom_state"}
    api.succeed(lease)


def test_a_result_or_progress_that_is_malformed_is_refused_for_the_item_alone(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    wrong = task_pb2.Payload(data=b"x", content_type="a/b", content_encodings=["not so"])
    refusal = Refusal(api.report(lease, progress=Report.Progress(detail=wrong)).status)
    assert refusal.metadata == {"field": "reports.progress.detail.content_encodings"}
    refusal = Refusal(api.report(lease, succeeded=Report.Succeeded(result=wrong)).status)
    assert refusal.metadata == {"field": "reports.succeeded.result.content_encodings"}
    wrong.content_encodings[:] = ["gzip"]
    assert api.report(lease, succeeded=Report.Succeeded(result=wrong)).state == Task.STATE_SUCCEEDED
    assert api.get(lease.task.task_id).result == wrong


def test_absurd_times_are_refused_for_the_item_alone(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    result = api.report(lease, retry=Report.Retry(delay=ENDLESS))
    assert Refusal(result.status).metadata == {"field": "reports.retry.delay"}
    assert api.report(lease, run_time=ENDLESS, succeeded=Report.Succeeded()).status.code == 0


def test_a_failure_always_has_a_kind_and_is_cut(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    cause = TaskError.Cause(message="c" * 100_000)
    error = TaskError(message="m" * 100_000, traceback="first" + "t" * 200_000 + "last", causes=[cause] * 20)
    api.report(lease, failed=Report.Failed(error=error))
    kept = api.get(lease.task.task_id).error
    assert kept.kind == TaskError.KIND_APPLICATION
    assert (len(kept.message) <= 32 * 1024, len(kept.traceback) <= 64 * 1024, len(kept.causes)) == (True, True, 16)
    assert kept.traceback.startswith("first")
    assert kept.traceback.endswith("last")
    assert not api.get(lease.task.task_id, task_pb2.TASK_VIEW_BASIC).error.traceback


def policy(**fields: Any) -> task_pb2.RetryPolicy:
    return task_pb2.RetryPolicy(initial_backoff=duration_pb2.Duration(), **fields)


def fail(api: Api, lease: Lease, kind: str = "proj.Error", **fields: Any) -> int:
    return api.report(lease, failed=Report.Failed(error=TaskError(type=kind, **fields))).state


def test_the_gateway_tries_again_as_the_policy_says(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue, retry_policy=policy(max_attempts=3))
    stream = api.stream(queue, credit=3)
    states, attempts = [], []
    for _ in range(3):
        lease = stream.lease()
        attempts.append(lease.attempt)
        states.append(fail(api, lease))
    assert (attempts, states) == ([1, 2, 3], [Task.STATE_QUEUED, Task.STATE_QUEUED, Task.STATE_FAILED])
    assert (api.get(task_id).attempt, api.get(task_id).error.type) == (3, "proj.Error")


def test_a_repeated_failure_is_one_failure(api: Api, queue: str) -> None:
    wait = duration_pb2.Duration(seconds=60)
    lease = leased(api, queue, retry_policy=task_pb2.RetryPolicy(max_attempts=2, initial_backoff=wait))
    for _ in range(2):
        assert fail(api, lease) == Task.STATE_RETRYING
    task = api.get(lease.task.task_id)
    assert (task.attempt, task.HasField("next_attempt_time")) == (1, True)


@pytest.mark.parametrize(
    ("rules", "error"),
    [
        ({"non_retryable_error_types": ["Error"]}, {}),
        ({"retryable_error_types": ["OSError"]}, {}),
        ({}, {"non_retryable": True}),
    ],
)
def test_errors_that_are_not_tried_again(api: Api, queue: str, rules: dict[str, Any], error: dict[str, Any]) -> None:
    lease = leased(api, queue, retry_policy=policy(max_attempts=5, **rules))
    assert fail(api, lease, **error) == Task.STATE_FAILED


def test_a_task_that_asks_for_its_retry_asks_no_policy(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    assert api.report(lease, retry=Report.Retry(error=TaskError(message="later"))).state == Task.STATE_QUEUED
    task = api.get(lease.task.task_id)
    assert (task.attempt, task.error.message) == (1, "later")


def test_a_task_lost_too_often_is_quarantined(api: Api, queue: str) -> None:
    api.submit_id(queue)
    stream = api.stream(queue, credit=5)
    for _ in range(5):
        lease = stream.lease()
        result = api.report(lease, lost=Report.Lost(error=TaskError(message="SIGSEGV")))
    task = api.get(lease.task.task_id)
    assert (result.state, task.lost_count, task.error.kind) == (Task.STATE_FAILED, 5, TaskError.KIND_LOST_LIMIT)
    assert "SIGSEGV" in task.error.message
