"""AsyncResult: waiting, states, outcomes, ending a task."""

import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from caraway import AsyncResult, Caraway, exceptions, states
from caraway.payload import encode
from caraway.request import Context, pop, push
from caraway.result import allow_join_result, denied_join_result
from caraway.v1 import task_pb2
from caraway.wire_error import to_error
from support.played import PlayedGateway

State = task_pb2.Task
Kind = task_pb2.TaskError


def test_get_right_after_the_submit_is_one_more_call(app: Caraway, played: PlayedGateway) -> None:
    played.answer = (1, {"a": 2})
    result = app.send_task("x")
    assert result.get(timeout=5) == (1, {"a": 2})
    assert played.calls == ["SubmitTask", "WaitTask"]


def test_what_ended_is_kept(app: Caraway, played: PlayedGateway) -> None:
    played.answer = 5
    result = app.send_task("x", [1], {"k": 2})
    assert result.get() == 5
    assert (result.state, result.status, result.ready(), result.successful(), result.failed()) == (
        "SUCCESS", "SUCCESS", True, True, False,
    )  # fmt: skip
    assert (result.result, result.info, result.traceback, result.name) == (5, 5, None, "x")
    assert (result.args, result.kwargs, result.retries) == ((1,), {"k": 2}, 0)
    assert len(played.calls) == 2


def test_get_waits_for_the_end(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    ending = threading.Timer(0.05, lambda: played.end(result.id, state=State.STATE_SUCCEEDED, result=encode("late")))
    ending.start()
    assert result.get(timeout=20) == "late"
    ending.join()


def test_get_times_out_and_the_task_goes_on(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    began = time.monotonic()
    with pytest.raises(exceptions.TimeoutError):
        result.get(timeout=0.1)
    assert 0.1 <= time.monotonic() - began < 5
    with pytest.raises(result.TimeoutError):
        result.get(timeout=0)
    played.end(result.id, state=State.STATE_SUCCEEDED)
    assert result.get(timeout=0) is None


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (State.STATE_SCHEDULED, "PENDING"),
        (State.STATE_QUEUED, "PENDING"),
        (State.STATE_LEASED, "PENDING"),
        (State.STATE_RUNNING, "STARTED"),
        (State.STATE_RETRYING, "RETRY"),
        (State.STATE_SUCCEEDED, "SUCCESS"),
        (State.STATE_FAILED, "FAILURE"),
        (State.STATE_REVOKED, "REVOKED"),
        (State.STATE_EXPIRED, "REVOKED"),
        (State.STATE_REJECTED, "REJECTED"),
        (State.STATE_IGNORED, "IGNORED"),
    ],
)
def test_states_have_celery_s_names(
    app: Caraway, played: PlayedGateway, state: task_pb2.Task.State.ValueType, name: str
) -> None:
    result = app.send_task("x")
    played.end(result.id, state=state)
    assert result.state == name
    assert result.ready() == (name in states.READY_STATES)


def test_every_state_of_the_contract_has_a_name() -> None:
    for state in task_pb2.Task.State.values():
        if state != State.STATE_UNSPECIFIED:
            assert states.of(task_pb2.Task(state=state)) in states.READY_STATES | states.UNREADY_STATES


def test_progress_is_the_info_of_a_state_of_one_s_own(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    played.end(result.id, state=State.STATE_RUNNING, custom_state="PROGRESS", progress=encode({"done": 3}))
    assert (result.state, result.info) == ("PROGRESS", {"done": 3})


def failure(exc: BaseException) -> task_pb2.TaskError:
    try:
        raise exc
    except BaseException as raised:
        return to_error(raised)


def test_a_failure_is_raised_as_its_class(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    played.end(result.id, state=State.STATE_FAILED, error=failure(ZeroDivisionError("by zero")), attempt=3)
    with pytest.raises(ZeroDivisionError, match="by zero"):
        result.get()
    returned: Any = result.get(propagate=False)
    assert isinstance(returned, ZeroDivisionError)
    assert isinstance(result.result, ZeroDivisionError)
    assert (result.failed(), result.retries) == (True, 2)
    assert "raise exc" in (result.traceback or "")


@pytest.mark.parametrize(
    ("state", "kind", "expected"),
    [
        (State.STATE_REVOKED, Kind.KIND_REVOKED, exceptions.TaskRevokedError),
        (State.STATE_EXPIRED, Kind.KIND_EXPIRED, exceptions.TaskExpiredError),
        (State.STATE_REJECTED, Kind.KIND_REJECTED, exceptions.TaskRejectedError),
        (State.STATE_FAILED, Kind.KIND_WORKER_LOST, exceptions.WorkerLostError),
    ],
)
def test_other_ends_raise_too(app: Caraway, played: PlayedGateway, state: Any, kind: Any, expected: Any) -> None:
    result = app.send_task("x")
    with played.changed:
        played.tasks[result.id].MergeFrom(task_pb2.Task(state=state, error=task_pb2.TaskError(kind=kind)))
    assert isinstance(result.result, expected)
    with pytest.raises(expected):
        result.get()


def test_an_exception_that_a_task_returned_is_no_failure(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    played.end(result.id, state=State.STATE_RETRYING, error=failure(OSError("again")))
    assert result.state == "RETRY"
    assert isinstance(result.info, OSError)
    assert not result.ready()


def test_an_unknown_id_is_not_pending(app: Caraway) -> None:
    result = app.AsyncResult("nobody")
    for read in (lambda: result.state, result.ready, result.get, lambda: result.result, result.revoke, result.forget):
        with pytest.raises(exceptions.TaskNotFound, match="nobody") as raised:
            read()
        assert raised.value.metadata == {"task_id": "nobody"}


def test_revoke_says_what_happens_to_a_running_task(app: Caraway, played: PlayedGateway) -> None:
    for options in ({}, {"terminate": True, "signal": "SIGKILL", "reason": "enough", "grace": 1.5}):
        result = app.send_task("x")
        result.revoke(**options)  # type: ignore[arg-type]
        with pytest.raises(exceptions.TaskRevokedError):
            result.get(timeout=5)
    plain, killing = played.revocations
    assert plain.mode == plain.MODE_PENDING_ONLY
    assert killing.mode == killing.MODE_TERMINATE
    assert (killing.signal, killing.reason, killing.grace.ToMilliseconds()) == ("SIGKILL", "enough", 1500)
    with pytest.raises(ValueError, match="terminate=True"):
        result.revoke(signal="SIGKILL")


def test_forget_needs_an_ended_task(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    with pytest.raises(ValueError, match="not ended"):
        result.forget()
    played.end(result.id, state=State.STATE_SUCCEEDED, result=encode(1))
    assert result.get() == 1
    result.forget()
    with pytest.raises(exceptions.TaskNotFound):
        result.get()


def test_date_done(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    assert result.date_done is None
    done = task_pb2.Task(state=State.STATE_SUCCEEDED)
    done.end_time.FromDatetime(datetime(2026, 1, 2, 3, 4, 5))
    with played.changed:
        played.tasks[result.id].MergeFrom(done)
    assert result.date_done == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_waiting_inside_a_task_is_refused_unless_allowed(app: Caraway, played: PlayedGateway) -> None:
    played.answer = 1
    result = app.send_task("x")
    token = push(Context(id="running", task="y"))
    try:
        for wait in (result.get, result.updates):
            with pytest.raises(RuntimeError, match=r"Never call result.get\(\) within a task!"):
                wait()
        assert result.get(disable_sync_subtasks=False) == 1
        with allow_join_result():
            assert result.get() == 1
            with denied_join_result(), pytest.raises(RuntimeError):
                result.get()
            assert result.get() == 1
        with pytest.raises(RuntimeError):
            result.get()
    finally:
        pop(token)
    with denied_join_result(), pytest.raises(RuntimeError):
        result.get()


def test_results_are_equal_by_id(app: Caraway) -> None:
    one: AsyncResult[Any] = AsyncResult("id", app)
    assert one == app.AsyncResult("id")
    assert one == "id"
    assert one != app.AsyncResult("other")
    assert len({one, app.AsyncResult("id")}) == 1
    assert (str(one), repr(one)) == ("id", "<AsyncResult: id>")
