"""Async twins: the same calls from event loops, many of them, beside threads."""

import asyncio
import threading
from typing import Any

import grpc
import pytest

from caraway import AsyncResult, Caraway, exceptions
from caraway.payload import encode
from caraway.v1 import task_pb2
from caraway.wire_error import to_error
from support.played import PlayedGateway, refusal

State = task_pb2.Task


async def test_a_task_is_submitted_and_awaited(app: Caraway, played: PlayedGateway) -> None:
    played.answer = 4

    @app.task(name="proj.add")
    async def add(x: int, y: int) -> int:
        return x + y

    result = await add.adelay(2, 2)
    assert await result.aget(timeout=5) == 4
    assert played.calls == ["SubmitTask", "WaitTask"]
    assert await (await add.aapply_async((2,), {"y": 2}, priority=9)).aget() == 4
    assert await (await add.s(2).adelay(y=2)).aget() == 4
    assert await (await app.asend_task("other")).aget() == 4
    assert await add(1, 2) == 3
    with pytest.raises(TypeError, match="missing"):
        await add.adelay(2)  # type: ignore[call-arg]


async def test_every_reading_has_its_twin(app: Caraway, played: PlayedGateway) -> None:
    result = await app.asend_task("x")
    assert (await result.astate(), await result.aready()) == ("PENDING", False)
    played.end(result.id, state=State.STATE_FAILED, error=to_error(ValueError("no")))
    assert (await result.astate(), await result.aready()) == ("FAILURE", True)
    assert (await result.asuccessful(), await result.afailed()) == (False, True)
    assert isinstance(await result.aresult(), ValueError)
    assert "ValueError" in (await result.atraceback() or "")
    with pytest.raises(ValueError, match="no"):
        await result.aget()
    await result.aforget()
    with pytest.raises(exceptions.TaskNotFound):
        await app.AsyncResult(result.id).astate()
    revoked = await app.asend_task("x")
    await revoked.arevoke(terminate=True)
    with pytest.raises(exceptions.TaskRevokedError):
        await revoked.aget(timeout=5)


async def test_the_loop_runs_on_while_a_result_is_awaited(app: Caraway, played: PlayedGateway) -> None:
    result = await app.asend_task("x")
    waiting = asyncio.create_task(result.aget(timeout=20))
    await asyncio.to_thread(played.wait_for_calls, "WaitTask", 1)
    played.end(result.id, state=State.STATE_SUCCEEDED, result=encode("late"))
    assert await waiting == "late"


async def test_awaiting_times_out_and_can_be_cancelled(app: Caraway, played: PlayedGateway) -> None:
    result = await app.asend_task("x")
    with pytest.raises(TimeoutError):
        await result.aget(timeout=0.05)
    waiting = asyncio.create_task(result.aget())
    await asyncio.to_thread(played.wait_for_calls, "WaitTask", 2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await result.astate() == "PENDING"


async def test_calls_are_tried_again_and_refused_as_their_twins_are(app: Caraway, played: PlayedGateway) -> None:
    played.refusals += [refusal("STORE_UNAVAILABLE"), grpc.StatusCode.UNAVAILABLE]
    result = await app.asend_task("x")
    assert played.calls == ["SubmitTask"] * 3
    played.refusals += [grpc.StatusCode.UNAVAILABLE, refusal("SHUTTING_DOWN")]
    played.end(result.id, state=State.STATE_SUCCEEDED, result=encode(1))
    assert await result.aget(timeout=20) == 1
    played.refusals.append(refusal("TASK_ID_CONFLICT", task_id="id"))
    with pytest.raises(exceptions.TaskIdConflict) as raised:
        await app.asend_task("x", task_id="id")
    assert raised.value.metadata == {"task_id": "id"}


async def test_an_outage_is_waited_through(app: Caraway, played: PlayedGateway) -> None:
    await app.asend_task("x")
    played.stop()
    sending = asyncio.create_task(app.asend_task("y"))
    await asyncio.sleep(0)
    await asyncio.to_thread(played.start)
    assert (await sending).id in played.tasks


def test_many_loops_and_threads_share_an_app(app: Caraway, played: PlayedGateway) -> None:
    played.answer = 1
    ids: list[str] = []

    async def use() -> None:
        async def one() -> None:
            result = await app.asend_task("x")
            assert await result.aget(timeout=30) == 1
            ids.append(result.id)

        await asyncio.gather(*[one() for _ in range(10)])

    threads = [threading.Thread(target=lambda: asyncio.run(use())) for _ in range(6)]
    threads += [threading.Thread(target=lambda: ids.append(app.send_task("y").id)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(ids)) == 66
    # A loop that is gone leaves nothing behind for the next.
    asyncio.run(use())
    assert len(set(ids)) == 76


async def test_a_batch_is_sent_by_the_loop(app: Caraway, played: PlayedGateway) -> None:
    async with app.batch():
        results = [await app.asend_task("x", [number]) for number in range(1200)]
        assert played.batch_sizes[0] == 500
    assert played.batch_sizes == [500, 500, 200]
    assert list(played.tasks) == [result.id for result in results]


async def test_a_batch_of_the_loop_confirms_what_is_asked_for(app: Caraway, played: PlayedGateway) -> None:
    played.answer = 1
    async with app.batch():
        result = await app.asend_task("x")
        with pytest.raises(RuntimeError, match="async twins"):
            result.get()
        assert await result.aget(timeout=5) == 1


async def test_submit_many_tells_what_was_refused(app: Caraway, played: PlayedGateway) -> None:
    played.refused_names["bad"] = refusal("QUEUE_FULL", "full")
    good: list[AsyncResult[Any]] = await app.asubmit_many(app.signature("good", (number,)) for number in range(3))
    assert len(good) == 3
    with pytest.raises(exceptions.SubmitError) as raised:
        await app.asubmit_many([app.signature(name) for name in ("good", "bad", "good")])
    assert len(raised.value.results) == 2
    assert [type(error) for error in raised.value.errors.values()] == [exceptions.QueueFull]
