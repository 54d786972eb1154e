"""submit_many and `with app.batch()`: many tasks in few calls, each with its own answer."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from caraway import Caraway, Signature
from caraway.collector import MAX_BYTES, MAX_ITEMS
from caraway.exceptions import EncodeError, OperationalError, PayloadTooLarge, QueueFull, SubmitError
from caraway.payload import decode_arguments
from support.played import PlayedGateway, refusal


def numbered(app: Caraway, count: int) -> Iterator[Signature]:
    return (app.signature("x", (number,)) for number in range(count))


def test_submit_many_sends_in_order_and_in_batches(app: Caraway, played: PlayedGateway) -> None:
    results = app.submit_many(numbered(app, 2 * MAX_ITEMS + 1))
    assert played.batch_sizes == [MAX_ITEMS, MAX_ITEMS, 1]
    assert [result.id for result in results] == list(played.tasks)
    assert [decode_arguments(task.spec)[0][0] for task in played.tasks.values()] == list(range(len(results)))
    assert app.submit_many([]) == []


def test_batches_stay_below_a_message(app: Caraway, played: PlayedGateway) -> None:
    results = app.submit_many(app.signature("x", ("ü" * 400_000,)) for _ in range(10))
    assert len(played.tasks) == len(results) == 10
    assert max(played.batch_bytes) <= MAX_BYTES
    assert played.batch_sizes == [4, 4, 2]


def test_a_task_too_large_for_any_message_is_refused_alone(app: Caraway, played: PlayedGateway) -> None:
    with pytest.raises(SubmitError) as raised:
        app.submit_many([app.signature("x", (size * "x",)) for size in (10, 5_000_000, 10)])
    (error,) = raised.value.errors.values()
    assert isinstance(error, PayloadTooLarge)
    assert len(played.tasks) == len(raised.value.results) == 2


def test_refused_items_are_told_and_the_others_are_accepted(app: Caraway, played: PlayedGateway) -> None:
    played.refused_names["bad"] = refusal("QUEUE_FULL", "the queue is full", queue="q")
    names = ["good", "bad", "good", "bad"]
    with pytest.raises(SubmitError, match="2 of 4 tasks were not accepted; the first: the queue is full") as raised:
        app.submit_many(app.signature(name) for name in names)
    assert [result.id for result in raised.value.results] == list(played.tasks)
    assert raised.value.accepted == 2
    for error in raised.value.errors.values():
        assert isinstance(error, QueueFull)
        assert error.metadata == {"queue": "q"}


def test_an_error_of_the_iterable_comes_after_what_was_before_it(app: Caraway, played: PlayedGateway) -> None:
    def signatures() -> Iterator[Signature]:
        yield from numbered(app, 3)
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        app.submit_many(signatures())
    assert len(played.tasks) == 3


def test_what_is_submitted_inside_goes_in_batches_and_is_confirmed_at_the_end(
    app: Caraway, played: PlayedGateway
) -> None:
    add = app.task(name="proj.add")(lambda x, y: x + y)
    with app.batch() as batch:
        results = [add.delay(number, 1) for number in range(10)]
        assert played.tasks == {}
    assert batch.accepted == 10
    assert played.calls == ["BatchSubmitTasks"]
    assert list(played.tasks) == [result.id for result in results]
    add.delay(1, 2)
    assert played.calls[1:] == ["SubmitTask"]


def test_arguments_that_can_t_be_sent_raise_at_once_and_spoil_nothing(app: Caraway, played: PlayedGateway) -> None:
    with app.batch():
        app.send_task("x", [1])
        for wrong in (object(), "\ud800"):
            with pytest.raises(EncodeError):
                app.send_task("x", [wrong])
        with pytest.raises(ValueError, match="priority"):
            app.send_task("x", priority=11)
        app.send_task("x", [2])
    assert [decode_arguments(task.spec)[0] for task in played.tasks.values()] == [(1,), (2,)]


def test_asking_for_a_result_inside_sends_what_is_there(app: Caraway, played: PlayedGateway) -> None:
    played.answer = 1
    with app.batch():
        assert app.send_task("x").get(timeout=5) == 1
        assert app.send_task("x").state == "SUCCESS"
        app.send_task("x").revoke()
    assert played.batch_sizes == [1, 1, 1]


def test_an_exception_leaves_the_block_after_what_was_submitted_was_sent(app: Caraway, played: PlayedGateway) -> None:
    with pytest.raises(LookupError) as raised, app.batch():
        app.send_task("x")
        raise LookupError
    assert len(played.tasks) == 1
    assert not hasattr(raised.value, "__notes__")
    played.refused_names["bad"] = refusal("QUEUE_FULL", "full")
    with pytest.raises(LookupError) as raised, app.batch():
        app.send_task("bad")
        raise LookupError
    assert "1 of 1 tasks were not accepted" in raised.value.__notes__[0]


def test_a_gateway_that_stays_away_ends_the_batch(
    app: Caraway, played: PlayedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caraway.retry_clock.RETRY_FOR", 0.2)
    played.stop()
    with pytest.raises(SubmitError) as raised, app.batch():
        for number in range(MAX_ITEMS + 10):
            app.send_task("x", [number])
    assert len(raised.value.errors) == MAX_ITEMS + 10
    assert {type(error) for error in raised.value.errors.values()} == {OperationalError}


def test_a_broken_connection_repeats_a_batch(app: Caraway, played: PlayedGateway) -> None:
    played.refusals += [grpc.StatusCode.UNAVAILABLE, refusal("STORE_UNAVAILABLE")]
    assert len(app.submit_many(numbered(app, 3))) == len(played.tasks) == 3
    assert played.calls == ["BatchSubmitTasks"] * 3


def test_a_batch_is_its_context_s_own(app: Caraway, played: PlayedGateway) -> None:
    other_app = Caraway("other", target=played.target)
    with app.batch():
        app.send_task("inside")
        other_app.send_task("of another app")
        thread = threading.Thread(target=lambda: app.send_task("of another thread"))
        thread.start()
        thread.join(30)
        assert sorted(task.spec.name for task in played.tasks.values()) == ["of another app", "of another thread"]
        with app.batch():
            app.send_task("nested")
        assert "nested" in [task.spec.name for task in played.tasks.values()]
    assert len(played.tasks) == 4
    other_app.close()


def test_a_thread_that_was_handed_the_context_shares_the_batch(app: Caraway, played: PlayedGateway) -> None:
    async def submit() -> None:
        with app.batch():
            await asyncio.gather(*[asyncio.to_thread(app.send_task, "x", [number]) for number in range(50)])
            assert played.tasks == {}

    asyncio.run(submit())
    assert played.calls == ["BatchSubmitTasks"]
    assert len(played.tasks) == 50


def test_a_closed_batch_takes_nothing_and_is_not_opened_again(app: Caraway, played: PlayedGateway) -> None:
    outcome: list[Any] = []

    async def late() -> None:
        started, closed = asyncio.Event(), asyncio.Event()

        async def submit() -> None:
            started.set()
            await closed.wait()
            outcome.append(await app.asend_task("late"))

        async with app.batch() as batch:
            task = asyncio.create_task(submit())
            await started.wait()
        closed.set()
        await task
        with pytest.raises(RuntimeError, match="used once"):
            async with batch:
                pass

    asyncio.run(late())
    assert played.calls == ["SubmitTask"]
