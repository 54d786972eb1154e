"""GetTask, BatchGetTasks, WaitTask and RunTask over the wire."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
import pytest

from api.wire import DEADLINE, Api, numbers, refused
from caraway.ids import uuid7
from caraway.v1 import task_pb2, task_service_pb2, worker_service_pb2

MIB = 1 << 20
Task = task_pb2.Task
BASIC, FULL = task_pb2.TASK_VIEW_BASIC, task_pb2.TASK_VIEW_FULL
Report = worker_service_pb2.TaskReport


@contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Does something beside the block."""
    thread = threading.Thread(target=action)
    thread.start()
    yield
    thread.join(DEADLINE)
    assert not thread.is_alive()


def large(size: int = 3 * MIB - 100) -> task_pb2.Payload:
    return task_pb2.Payload(data=b"x" * size, content_type="a/b")


def test_the_full_view_shows_everything(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue, args=numbers(1), headers={"h": "v"})
    lease = api.stream(queue, credit=1, worker_id="reader").lease()
    api.succeed(lease, "[1]")
    full, basic = api.get(task_id), api.get(task_id, BASIC)
    assert (full.spec.args, dict(full.spec.headers), full.result.json) == (numbers(1), {"h": "v"}, "[1]")
    assert (full.state, full.attempt, full.delivery_count, full.worker_id) == (Task.STATE_SUCCEEDED, 1, 1, "reader")
    assert full.create_time.ToMicroseconds() <= full.end_time.ToMicroseconds() < full.purge_time.ToMicroseconds()
    for field in ("args", "headers"):
        full.spec.ClearField(field)
    full.ClearField("result")
    assert basic == full


def test_an_unknown_task_is_not_found(api: Api) -> None:
    for call in (lambda: api.get("never-was"), lambda: api.wait("never-was", 5)):
        refusal = refused(call)
        assert (refusal.reason, refusal.metadata) == ("TASK_NOT_FOUND", {"task_id": "never-was"})
    assert refused(lambda: api.get("")).metadata == {"field": "task_id"}


def test_an_ignored_result_is_not_kept(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue, ignore_result=True)
    api.succeed(api.stream(queue, credit=1).lease(), "[1]")
    task = api.get(task_id)
    assert (task.state, task.HasField("result")) == (Task.STATE_SUCCEEDED, False)


def test_a_result_is_read_even_beside_arguments_that_fill_a_message(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue, payload=large())
    lease = api.stream(queue, credit=1).lease()
    assert len(lease.task.payload.data) == 3 * MIB - 100
    api.report(lease, progress=Report.Progress(detail=large(2 * MIB)))
    running = api.get(task_id)
    assert len(running.progress.data) == 2 * MIB
    assert not running.spec.HasField("payload")
    assert api.report(lease, succeeded=Report.Succeeded(result=large())).status.code == 0
    for task in (api.get(task_id), api.wait(task_id, 0).task):
        assert len(task.result.data) == 3 * MIB - 100
        assert not task.spec.HasField("payload")
        assert not task.HasField("progress")


def batch_get(api: Api, *task_ids: str, view: task_pb2.TaskView.ValueType = FULL) -> "Batch":
    request = task_service_pb2.BatchGetTasksRequest(task_ids=task_ids, view=view)
    return api.tasks.BatchGetTasks(request, timeout=DEADLINE)


Batch = task_service_pb2.BatchGetTasksResponse


def test_many_are_read_in_order_and_the_missing_listed(api: Api, queue: str) -> None:
    ids = [api.submit_id(queue, args=numbers(n)) for n in range(5)]
    answer = batch_get(api, ids[3], "never-was", *ids, view=task_pb2.TASK_VIEW_UNSPECIFIED)
    assert [task.task_id for task in answer.tasks] == [ids[3], *ids]
    assert list(answer.missing_task_ids) == ["never-was"]
    assert not any(task.spec.HasField("args") for task in answer.tasks)


def test_a_reply_is_cut_before_it_outgrows_a_message(api: Api, queue: str) -> None:
    ids = [api.submit_id(queue, payload=large(MIB)) for _ in range(6)]
    missing = ["m" * 255] * 300
    wanted, rounds = [*missing, *ids], 0
    seen: list[str] = []
    while wanted:
        answer = batch_get(api, *wanted)
        assert answer.ByteSize() < 4 * MIB
        seen += [task.task_id for task in answer.tasks]
        wanted = list(answer.unread_task_ids)
        rounds += 1
    assert (seen, rounds) == (ids, 2)


def test_one_large_task_fits_into_a_reply(api: Api, queue: str) -> None:
    ids = [api.submit_id(queue, payload=large()) for _ in range(2)]
    answer = batch_get(api, *ids)
    assert ([task.task_id for task in answer.tasks], list(answer.unread_task_ids)) == ([ids[0]], [ids[1]])


def test_reading_many_has_its_limits(api: Api) -> None:
    assert refused(lambda: batch_get(api)).metadata == {"field": "task_ids"}
    assert refused(lambda: batch_get(api, *["x"] * 501)).reason == "BATCH_TOO_LARGE"


def test_a_wait_ends_with_the_task(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    lease = api.stream(queue, credit=1).lease()
    with meanwhile(lambda: api.succeed(lease, "[1]")):
        answer = api.wait(task_id, 15)
    assert (answer.done, answer.task.state, answer.task.result.json) == (True, Task.STATE_SUCCEEDED, "[1]")


def test_a_wait_that_is_over_says_how_the_task_stands(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    for patience in (0, 0.05):
        answer = api.wait(task_id, patience)
        assert (answer.done, answer.task.state) == (False, Task.STATE_QUEUED)


def test_a_wait_answers_before_the_callers_deadline(api: Api, queue: str) -> None:
    request = task_service_pb2.WaitTaskRequest(task_id=api.submit_id(queue))
    begun = time.monotonic()
    answer = api.tasks.WaitTask(request, timeout=1.0)
    assert not answer.done
    assert time.monotonic() - begun < 1.0


def test_a_negative_wait_is_refused(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    assert refused(lambda: api.wait(task_id, -1)).metadata == {"field": "max_wait"}


def test_waiting_for_a_change(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    assert api.wait(task_id, 0, after_revision=1).task.revision == 1
    with meanwhile(lambda: api.stream(queue, credit=1).lease()):
        answer = api.wait(task_id, 15, after_revision=1)
    assert (answer.done, answer.task.state, answer.task.revision) == (False, Task.STATE_LEASED, 2)
    assert api.wait(task_id, 15, after_revision=1).task.revision == 2


def test_a_change_that_is_the_end_is_told_too(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    api.revoke(task_id)
    answer = api.wait(task_id, 15, after_revision=99)
    assert (answer.done, answer.task.state) == (True, Task.STATE_REVOKED)


def test_many_wait_for_one_task(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    request = task_service_pb2.WaitTaskRequest(task_id=task_id)
    waits = [api.tasks.WaitTask.future(request, timeout=DEADLINE) for _ in range(50)]
    api.revoke(task_id)
    assert all(wait.result().done for wait in waits)


def run(api: Api, queue: str, seconds: int, task_id: str = "") -> task_service_pb2.RunTaskResponse:
    spec = task_pb2.TaskSpec(task_id=task_id, name="t", queue=queue, args=numbers(1))
    request = task_service_pb2.RunTaskRequest(task=spec)
    request.max_wait.FromSeconds(seconds)
    return api.tasks.RunTask(request, timeout=DEADLINE)


def test_run_submits_and_waits(api: Api, queue: str) -> None:
    stream = api.stream(queue, credit=1)
    with meanwhile(lambda: api.succeed(stream.lease(), "[1]")):
        answer = run(api, queue, 15)
    assert (answer.done, answer.task.state, answer.task.result.json) == (True, Task.STATE_SUCCEEDED, "[1]")
    assert answer.disposition == task_service_pb2.SUBMIT_DISPOSITION_CREATED
    assert answer.task.spec.args == numbers(1)


def test_run_that_takes_too_long_leaves_the_task_to_go_on(api: Api, queue: str) -> None:
    task_id = uuid7()
    answer = run(api, queue, 0, task_id)
    assert (answer.done, answer.task.state, answer.task.task_id) == (False, Task.STATE_QUEUED, task_id)
    api.succeed(api.stream(queue, credit=1).lease())
    again = run(api, queue, 15, task_id)
    assert (again.done, again.disposition) == (True, task_service_pb2.SUBMIT_DISPOSITION_ALREADY_SUBMITTED)


def test_run_of_a_deleted_task_does_not_wait(api: Api, queue: str) -> None:
    task_id = uuid7()
    run(api, queue, 0, task_id)
    api.revoke(task_id)
    selector = task_pb2.TaskSelector(task_ids=[task_id])
    api.tasks.DeleteTasks(task_service_pb2.DeleteTasksRequest(selector=selector), timeout=DEADLINE)
    answer = run(api, queue, 15, task_id)
    assert (answer.done, answer.task) == (False, Task(task_id=task_id))


def test_run_refuses_what_submit_refuses(api: Api) -> None:
    assert refused(lambda: run(api, "no spaces", 1)).metadata == {"field": "task.queue"}


def test_a_caller_that_goes_away_disturbs_nobody(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    request = task_service_pb2.WaitTaskRequest(task_id=task_id)
    gone, stays = (api.tasks.WaitTask.future(request, timeout=DEADLINE) for _ in range(2))
    gone.cancel()
    api.revoke(task_id)
    assert stays.result().done
    with pytest.raises(grpc.FutureCancelledError):
        gone.result()
