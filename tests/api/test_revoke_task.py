"""RevokeTasks and DeleteTasks over the wire."""

from typing import Any

import pytest
from google.protobuf import duration_pb2

from api.wire import DEADLINE, Api, refused
from caraway.v1 import task_pb2, task_service_pb2, worker_service_pb2

Task = task_pb2.Task
Request = task_service_pb2.RevokeTasksRequest
Outcome = task_service_pb2.RevokeTasksResponse.Result
Deleted = task_service_pb2.DeleteTasksResponse.Result
Report = worker_service_pb2.TaskReport


def delete(api: Api, *task_ids: str) -> list[int]:
    request = task_service_pb2.DeleteTasksRequest(selector=task_pb2.TaskSelector(task_ids=task_ids))
    return [result.outcome for result in api.tasks.DeleteTasks(request, timeout=DEADLINE).results]


def test_a_waiting_task_never_starts(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    assert api.revoke(task_id, reason="not needed") == [Outcome.OUTCOME_REVOKED]
    task = api.get(task_id)
    assert (task.state, task.cancel_reason) == (Task.STATE_REVOKED, "not needed")
    assert (task.error.kind, task.error.message) == (task_pb2.TaskError.KIND_REVOKED, "not needed")
    assert api.stream(queue, credit=1).is_quiet()


def test_each_has_its_outcome_and_the_reason_its_default(api: Api, queue: str) -> None:
    held = api.submit_id(queue)
    stream = api.stream(queue, credit=1)
    stream.lease()
    waiting = api.submit_id(queue)
    assert api.revoke(waiting, held, "never-was") == [
        Outcome.OUTCOME_REVOKED, Outcome.OUTCOME_CANCEL_REQUESTED, Outcome.OUTCOME_NOT_FOUND,
    ]  # fmt: skip
    assert api.revoke(waiting) == [Outcome.OUTCOME_ALREADY_TERMINAL]
    assert {api.get(task_id).cancel_reason for task_id in (waiting, held)} == {"revoked"}


def test_a_running_task_is_killed_if_asked(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    stream = api.stream(queue, credit=1)
    lease = stream.lease()
    api.report(lease, started=Report.Started())
    grace = duration_pb2.Duration(seconds=3)
    api.revoke(task_id, mode=Request.MODE_TERMINATE, reason="stop", grace=grace, signal="SIGINT")
    item = stream.expect("cancel").cancel.items[0]
    assert (item.lease_token, item.terminate, item.reason) == (lease.lease_token, True, "stop")
    assert (item.grace, item.signal) == (grace, "SIGINT")
    assert api.report(lease, cancelled=Report.Cancelled()).state == Task.STATE_REVOKED


def test_pending_only_is_the_default_and_leaves_a_running_task_alone(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    stream = api.stream(queue, credit=1)
    lease = stream.lease()
    api.report(lease, started=Report.Started())
    assert api.revoke(task_id) == [Outcome.OUTCOME_CANCEL_REQUESTED]
    assert stream.beat(1, lease.lease_token) == []
    assert stream.is_quiet()
    api.succeed(lease)
    assert api.get(task_id).state == Task.STATE_SUCCEEDED


def test_a_delivery_that_may_not_have_started_is_told_even_of_pending_only(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    stream = api.stream(queue, credit=1)
    lease = stream.lease()
    api.revoke(task_id)
    item = stream.expect("cancel").cancel.items[0]
    assert (item.lease_token, item.terminate, item.pending_only) == (lease.lease_token, False, True)
    started = api.report(lease, started=Report.Started())
    assert not started.cancel_requested  # it had started after all


def test_a_worker_that_comes_back_is_told_again(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    first = api.stream(queue, credit=1)
    lease = first.lease()
    first.beat(1, lease.lease_token)  # the gateway knows that the lease was written; else it would take it back
    first.abandon()
    api.revoke(task_id, mode=Request.MODE_CANCEL)
    second = api.stream(queue, held_lease_tokens=[lease.lease_token])
    assert second.expect("cancel").cancel.items[0].lease_token == lease.lease_token
    assert second.beat(1, lease.lease_token) == []
    assert second.is_quiet()


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("signal", {"signal": "SIGNONSENSE"}),
    ("mode", {"mode": 99}),
    ("reason", {"reason": "x" * 1025}),
    ("grace", {"grace": duration_pb2.Duration(seconds=-1)}),
    ("grace", {"grace": duration_pb2.Duration(seconds=2**63 - 1)}),
]


@pytest.mark.parametrize(("field", "wrong"), WRONG)
def test_a_refusal_names_the_field(api: Api, queue: str, field: str, wrong: dict[str, Any]) -> None:
    task_id = api.submit_id(queue)
    refusal = refused(lambda: api.revoke(task_id, **wrong))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": field})
    assert api.get(task_id).state == Task.STATE_QUEUED


def test_there_is_a_most_and_a_least(api: Api) -> None:
    for call in (api.revoke, lambda *ids: delete(api, *ids)):
        assert refused(lambda call=call: call(*["x"] * 501)).reason == "BATCH_TOO_LARGE"  # type: ignore[misc]
        assert refused(lambda call=call: call()).metadata == {"field": "selector.task_ids"}  # type: ignore[misc]


def test_only_ended_tasks_are_deleted(api: Api, queue: str) -> None:
    ended, waiting = api.submit_id(queue), api.submit_id(queue)
    api.revoke(ended)
    assert delete(api, ended, waiting, "never-was") == [
        Deleted.OUTCOME_DELETED, Deleted.OUTCOME_NOT_TERMINAL, Deleted.OUTCOME_NOT_FOUND,
    ]  # fmt: skip
    assert refused(lambda: api.get(ended)).reason == "TASK_NOT_FOUND"
    assert delete(api, ended) == [Deleted.OUTCOME_NOT_FOUND]
