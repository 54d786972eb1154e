"""A worker's stream and the note that work has come: whichever is faster, the work is taken at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from caraway.v1 import worker_service_pb2
from caraway_server.api.hub import Hub
from caraway_server.api.loose_ends import LooseEnds
from caraway_server.api.polling import Polling
from caraway_server.api.session import LeaseSession
from caraway_server.core.task import State
from caraway_server.settings import Settings
from caraway_server.store.connection import connect
from caraway_server.store.store import Store
from caraway_server.store.values import Lease, Limits, NewTask, Note
from support.stores import StoreProcess

NEW = NewTask("a", b"print", b"", "t", "q", 4)


class SlowAnswers(Store):
    """A real store whose answers to leases are on their way until they are let go."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.looked = asyncio.Event()
        self.let_go = asyncio.Event()

    async def lease(
        self, worker_id: str, queues: Sequence[str], names: Sequence[str] | None, count: int, max_bytes: int
    ) -> tuple[list[Lease], bool]:
        answer = await super().lease(worker_id, queues, names, count, max_bytes)
        self.looked.set()
        await self.let_go.wait()
        return answer


@pytest.fixture
async def stage(store_process: StoreProcess) -> AsyncIterator[tuple[SlowAnswers, Hub]]:
    """A slow store, and the hub that takes its notes."""
    redis = connect(store_process.url)
    await redis.flushall()
    hub = Hub(lambda: None)

    def take(notes: list[Note]) -> None:
        hub.take_notes(notes)

    yield SlowAnswers(redis, "gateway", Limits(), take), hub
    await redis.aclose()


def session_on(store: Store) -> LeaseSession:
    credit = worker_service_pb2.Credit(lease_allowance=1)
    hello = worker_service_pb2.Hello(worker_id="w", queues=["q"], all_task_names=True, credit=credit)
    return LeaseSession(store, Settings(), hello)


async def read_leases(session: LeaseSession) -> list[str]:
    async for response in session.responses():
        if response.WhichOneof("message") == "leases":
            return [lease.task.task_id for lease in response.leases.leases]
    return []


async def turn(session: LeaseSession) -> None:
    async for _ in session.lease():
        pass


async def test_work_that_comes_while_the_answer_nothing_is_on_its_way(stage: tuple[SlowAnswers, Hub]) -> None:
    store, hub = stage
    session = session_on(store)
    with hub.taking(session):
        leasing = asyncio.create_task(turn(session))
        await store.looked.wait()  # the store has said that there is nothing
        await store.submit([NEW])  # its note comes at once, before that answer
        store.let_go.set()
        assert await asyncio.wait_for(read_leases(session), 5) == ["a"]
        leasing.cancel()


async def test_a_stream_that_ends_while_leases_are_on_their_way_gives_them_back(
    stage: tuple[SlowAnswers, Hub],
) -> None:
    store, _ = stage
    await store.submit([NEW])
    session = session_on(store)
    leasing = asyncio.create_task(turn(session))
    await store.looked.wait()
    leasing.cancel()
    store.let_go.set()
    await asyncio.wait_for(session.give_back_unsent(), 5)
    record = (await store.get(["a"]))[0]
    assert record is not None
    assert (record.state, record.lost) == (State.QUEUED, 0)


class Patient:
    """The context of a call without a deadline."""

    def time_remaining(self) -> float | None:
        return None


async def test_a_poll_that_is_given_up_while_leases_are_on_their_way_gives_them_back(
    stage: tuple[SlowAnswers, Hub],
) -> None:
    store, hub = stage
    await store.submit([NEW])
    ends = LooseEnds()
    request = worker_service_pb2.PollTasksRequest(worker_id="w", queues=["q"])
    call = asyncio.create_task(Polling(store, hub, Settings(), ends).PollTasks(request, Patient()))  # type: ignore[arg-type]
    await store.looked.wait()
    call.cancel()
    store.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    await ends.finish()
    record = (await store.get(["a"]))[0]
    assert record is not None
    assert (record.state, record.lost) == (State.QUEUED, 0)
