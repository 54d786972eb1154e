"""What a caller is told while it waits: on_message, on_interval, callback, and updates."""

import asyncio
import threading
from typing import Any

import pytest

from caraway import AsyncResult, Caraway, exceptions
from caraway.contrib.abortable import ABORTED, AbortableTask
from caraway.payload import encode
from caraway.updates import Update
from caraway.v1 import task_pb2
from caraway.wire_error import to_error
from support.played import PlayedGateway

State = task_pb2.Task
SECONDS = 20


def progress(played: PlayedGateway, result: AsyncResult[Any], done: int) -> None:
    fields = {"custom_state": "PACKING", "progress": encode({"done": done})}
    played.end(result.id, state=State.STATE_RUNNING, **fields)


def test_each_change_is_an_update_and_the_last_is_the_end(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    updates = iter(result.updates(timeout=SECONDS))
    played.end(result.id, state=State.STATE_RUNNING)
    assert next(updates) == Update(result.id, "STARTED", None, None, None)
    progress(played, result, 1)
    assert next(updates) == Update(result.id, "PACKING", {"done": 1}, None, None)
    progress(played, result, 2)
    assert next(updates).result == {"done": 2}
    played.end(result.id, state=State.STATE_RETRYING, error=to_error(OSError("away")), attempt=1)
    again = next(updates)
    assert (again.state, type(again.result), "OSError" in (again.traceback or "")) == ("RETRY", OSError, True)
    played.end(result.id, state=State.STATE_FAILED, end_time={"seconds": 1})
    end = next(updates)
    assert (end.state, type(end.result)) == ("FAILURE", OSError)
    assert end.date_done == result.date_done is not None
    assert list(updates) == []
    # What has ended is told without a call.
    calls = len(played.calls)
    assert [update.state for update in result.updates()] == ["FAILURE"]
    assert len(played.calls) == calls


def test_that_a_task_waits_or_changed_nothing_that_is_shown_is_no_update(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    played.end(result.id, state=State.STATE_LEASED)
    updates = iter(result.updates(timeout=0.3))
    with pytest.raises(exceptions.TimeoutError, match=r"did not end within 0.3 s"):
        next(updates)
    updates = iter(result.updates(timeout=SECONDS))
    progress(played, result, 1)
    next(updates)
    progress(played, result, 1)
    played.end(result.id, state=State.STATE_SUCCEEDED, result=encode(1))
    assert next(updates).state == "SUCCESS"


def test_updates_name_the_states_as_the_result_does(app: Caraway, played: PlayedGateway) -> None:
    result = app.task(name="x", base=AbortableTask)(lambda: None).delay()
    updates = iter(result.updates(timeout=SECONDS))
    played.end(result.id, state=State.STATE_RUNNING, cancel_reason=ABORTED)
    assert next(updates).state == result.state == ABORTED


async def test_updates_of_an_event_loop(app: Caraway, played: PlayedGateway) -> None:
    result = await app.asend_task("x")
    seen = []
    played.end(result.id, state=State.STATE_RUNNING)
    async for update in result.updates(timeout=SECONDS):
        seen.append(update.state)
        if len(seen) == 1:
            progress(played, result, 1)
        else:
            played.end(result.id, state=State.STATE_SUCCEEDED, result=encode(4))
    assert seen == ["STARTED", "PACKING", "SUCCESS"]
    assert await result.aget() == 4
    with pytest.raises(exceptions.TimeoutError):
        async for _ in (await app.asend_task("y")).updates(timeout=0.05):
            raise AssertionError


def test_updates_go_on_after_an_outage(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    updates = iter(result.updates(timeout=SECONDS))
    progress(played, result, 1)
    assert next(updates).state == "PACKING"
    played.stop()
    threading.Timer(0.1, played.start).start()
    threading.Timer(0.2, played.end, [result.id], {"state": State.STATE_SUCCEEDED}).start()
    assert next(updates).state == "SUCCESS"


def test_get_hands_each_change_to_on_message_and_the_value_to_callback(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    bodies: list[dict[str, Any]] = []
    values: list[Any] = []

    def on_message(body: dict[str, Any]) -> None:
        bodies.append(body)
        if body["status"] == "PACKING":
            played.end(result.id, state=State.STATE_SUCCEEDED, result=encode([1]))

    progress(played, result, 1)
    assert result.get(timeout=SECONDS, on_message=on_message, callback=lambda *args: values.append(args)) == [1]
    assert bodies == [
        {"task_id": result.id, "status": "PACKING", "result": {"done": 1}, "traceback": None, "date_done": None},
        {"task_id": result.id, "status": "SUCCESS", "result": [1], "traceback": None, "date_done": None},
    ]
    assert values == [(result.id, [1])]


def test_callback_is_not_called_with_what_is_raised(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    error = to_error(ValueError("no"))
    values: list[Any] = []
    played.end(result.id, state=State.STATE_FAILED, error=error)
    with pytest.raises(ValueError, match="no"):
        result.get(callback=lambda *args: values.append(args))
    assert values == []
    returned: Any = result.get(propagate=False, callback=lambda *args: values.append(args))
    assert values == [(result.id, returned)]


def test_only_the_states_named_are_raised(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    played.end(result.id, state=State.STATE_FAILED, error=to_error(ValueError("no")))
    for states in ({"PROPAGATE_STATES": {"REVOKED"}}, {"EXCEPTION_STATES": ()}):
        assert isinstance(result.get(**states), ValueError)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no"):
        result.get(PROPAGATE_STATES={"FAILURE"})


def test_on_interval_is_called_while_nothing_happens(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    beats: list[int] = []

    def on_interval() -> None:
        beats.append(1)
        if len(beats) == 3:
            played.end(result.id, state=State.STATE_SUCCEEDED, result=encode("slow"))

    assert result.get(timeout=SECONDS, interval=0.01, on_interval=on_interval) == "slow"
    assert len(beats) == 3


def test_a_wait_with_callbacks_times_out_as_a_whole(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("x")
    beats: list[int] = []
    with pytest.raises(exceptions.TimeoutError, match=r"0.2 s"):
        result.get(timeout=0.2, interval=0.01, on_interval=lambda: beats.append(1))
    assert beats
    with pytest.raises(exceptions.TimeoutError):
        result.get(timeout=0.05, on_message=beats.append)
    with pytest.raises(ValueError, match="interval"):
        result.get(interval=0)


async def test_callbacks_of_an_event_loop_may_be_coroutines(app: Caraway, played: PlayedGateway) -> None:
    result = await app.asend_task("x")
    told: list[Any] = []

    async def on_message(body: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        told.append(body["status"])

    async def on_interval() -> None:
        await asyncio.sleep(0)
        if told == ["PACKING"]:
            told.append("beat")
            played.end(result.id, state=State.STATE_SUCCEEDED, result=encode(1))

    async def callback(task_id: str, value: int) -> None:
        await asyncio.sleep(0)
        told.append((task_id, value))

    progress(played, result, 1)
    waiting = result.aget(
        timeout=SECONDS, interval=0.01, on_message=on_message, on_interval=on_interval, callback=callback
    )
    assert await waiting == 1
    assert told == ["PACKING", "beat", "SUCCESS", (result.id, 1)]
