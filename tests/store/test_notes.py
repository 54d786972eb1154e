"""Notes: those who wait are told, on whichever gateway they wait, and nobody else is."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from caraway_server.core.task import State
from caraway_server.store import notes as note_reader
from caraway_server.store.connection import connect
from caraway_server.store.notes import NoteReader
from caraway_server.store.store import Store
from caraway_server.store.values import DueChanged, Missed, Note, ReportKind, TaskChanged, WorkArrived
from store.kit import Kit
from support.stores import StoreProcess


class Inbox:
    """The notes that reach the second gateway over the store's channels."""

    def __init__(self) -> None:
        self.notes: asyncio.Queue[Note] = asyncio.Queue()

    def take(self, notes: list[Note]) -> None:
        for note in notes:
            self.notes.put_nowait(note)

    async def next(self) -> Note:
        return await asyncio.wait_for(self.notes.get(), 10)


@pytest.fixture
async def inbox(kit: Kit) -> AsyncIterator[Inbox]:
    inbox = Inbox()
    reader = asyncio.create_task(NoteReader(kit.redis, "gateway-two", inbox.take).run())
    assert await inbox.next() == Missed()
    yield inbox
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)


async def hunger(kit: Kit) -> None:
    """The second gateway looks for work in q and finds none."""
    leases, more = await kit.other.lease("w2", ["q"], None, 1, 100)
    assert (leases, more) == ([], False)


async def test_a_hungry_gateway_is_woken_once(kit: Kit, inbox: Inbox) -> None:
    await hunger(kit)
    await kit.submit("a")
    await kit.submit("b")
    assert await inbox.next() == WorkArrived("q")
    await kit.submit("scheduled-last", delay=5)
    assert await inbox.next() == DueChanged()


async def test_the_submitting_gateway_is_told_with_the_answer(kit: Kit) -> None:
    await kit.lease()
    await kit.submit("a")
    assert kit.notes == [WorkArrived("q")]
    await kit.submit("b")
    assert kit.notes == [WorkArrived("q")]


async def test_work_in_another_queue_wakes_nobody(kit: Kit) -> None:
    await kit.lease(queues=["r"])
    await kit.submit("a", queue="q")
    assert kit.notes == []


@pytest.mark.parametrize("how", ["promoted", "released", "lost", "reaped", "retried", "submitted"])
async def test_whatever_becomes_ready_wakes_the_hungry(kit: Kit, inbox: Inbox, how: str) -> None:
    if how == "promoted":
        await kit.submit("a", delay=1)
        assert await inbox.next() == DueChanged()
        await hunger(kit)
        await kit.advance(2)
        await kit.promote()
    elif how == "submitted":
        await hunger(kit)
        await kit.submit("a")
    else:
        lease = await kit.delivered(task_id="a")
        await hunger(kit)
        if how == "reaped":
            await kit.wait_out_leases()
        else:
            kinds = {"released": ReportKind.RELEASED, "lost": ReportKind.LOST, "retried": ReportKind.RETRY}
            await kit.report(kinds[how], lease)
    assert await inbox.next() == WorkArrived("q")


async def test_a_watcher_of_the_end_is_told_of_the_end_alone(kit: Kit, inbox: Inbox) -> None:
    await kit.submit("a")
    watched = await kit.other.watch("a")
    assert watched is not None
    assert watched.state is State.QUEUED
    lease = await kit.lease_one()
    await kit.report(ReportKind.STARTED, lease)
    await kit.report(ReportKind.SUCCEEDED, lease)
    assert await inbox.next() == TaskChanged("a", State.SUCCEEDED, 4)


async def test_a_watcher_of_changes_is_told_of_each(kit: Kit, inbox: Inbox) -> None:
    await kit.submit("a")
    await kit.other.watch("a", 1)
    lease = await kit.lease_one()
    await kit.report(ReportKind.STARTED, lease)
    await kit.report(ReportKind.PROGRESS, lease)
    await kit.store.revoke(["a"], "c")
    await kit.report(ReportKind.RETRY, lease, wait=1)
    told = [await inbox.next() for _ in range(5)]
    states = [State.LEASED, State.RUNNING, State.RUNNING, State.RUNNING, State.REVOKED]
    assert told == [TaskChanged("a", state, number) for number, state in enumerate(states, 2)]


async def test_watching_twice_tells_once(kit: Kit, inbox: Inbox) -> None:
    await kit.submit("a")
    await kit.submit("b")
    for _ in range(3):
        await kit.other.watch("a")
        await kit.other.watch("b")
    await kit.store.revoke(["a", "b"], "p")
    assert [await inbox.next() for _ in range(2)] == [TaskChanged(task_id, State.REVOKED, 2) for task_id in "ab"]
    assert inbox.notes.empty()


async def test_gateways_that_have_ended_leave_no_entries_behind(kit: Kit, inbox: Inbox) -> None:
    await kit.submit("a")
    await kit.other.watch("a")
    for number in range(100):
        await Store(kit.redis, f"ended-{number}", kit.store.limits, lambda notes: None).watch("a")
    watchers = await kit.redis.hget("caraway:{0}:task:a", "W")
    assert watchers is not None
    assert len(watchers.split()) <= 5
    await kit.store.revoke(["a"], "p")
    assert await inbox.next() == TaskChanged("a", State.REVOKED, 2)  # one that listens is never dropped


async def test_a_submitter_that_waits_is_told_without_a_further_call(kit: Kit) -> None:
    await kit.submit("a", watch=True)
    await kit.store.revoke(["a"], "p")
    record = (await kit.store.get(["a"]))[0]
    assert kit.notes == [TaskChanged("a", State.REVOKED, 2, record)]  # nor does the answer need another read
    assert record is not None


async def test_what_has_happened_needs_no_watch(kit: Kit) -> None:
    await kit.ended(task_id="a")
    await kit.other.watch("a")
    await kit.submit("b")
    await kit.other.watch("b", 0)
    record = await kit.other.watch("b", 0)
    assert record is not None
    assert await kit.redis.hget("caraway:{0}:task:a", "W") is None
    assert await kit.redis.hget("caraway:{0}:task:b", "W") == b"gateway-two"


async def test_an_unknown_task_cannot_be_watched(kit: Kit) -> None:
    assert await kit.store.watch("unknown") is None
    assert await kit.redis.exists("caraway:{0}:task:unknown") == 0


async def test_only_an_earlier_time_calls_the_duties(kit: Kit, inbox: Inbox) -> None:
    await kit.submit("in-60", delay=60)
    assert await inbox.next() == DueChanged()
    await kit.submit("in-90", delay=90)
    await kit.submit("in-30", delay=30)
    assert await inbox.next() == DueChanged()
    await kit.submit("expires", ttl=300)
    assert await inbox.next() == DueChanged()
    await kit.submit("expires-later", ttl=400)
    await kit.other.watch("in-30")
    await kit.store.revoke(["in-30"], "p")
    assert await inbox.next() == TaskChanged("in-30", State.REVOKED, 2)


async def test_whatever_goes_wrong_it_listens_again(kit: Kit) -> None:
    inbox, broken = Inbox(), [True, True]

    def take(notes: list[Note]) -> None:
        if broken:
            broken.pop()
            raise ValueError("played")
        inbox.take(notes)

    reader = asyncio.create_task(NoteReader(kit.redis, "gateway-two", take).run())
    assert await inbox.next() == Missed()
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)


async def listener(redis: Redis) -> dict[str, str]:
    found: list[dict[str, str]] = await redis.client_list(_type="pubsub")
    return found[0]


async def is_asked(redis: Redis) -> bool:
    return (await listener(redis))["cmd"] == "ping"


async def is_told(caplog: pytest.LogCaptureFixture) -> bool:
    return "does not answer" in caplog.text


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await check():  # noqa: ASYNC110 - neither the store nor the log sets an event
            await asyncio.sleep(0.01)


async def test_a_store_that_falls_silent_is_noticed(
    stores: Callable[..., StoreProcess], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(note_reader, "SILENCE_SECONDS", 0.05)
    store, inbox = stores(), Inbox()
    redis = connect(store.url)
    reader = asyncio.create_task(NoteReader(redis, "gateway-two", inbox.take).run())
    assert await inbox.next() == Missed()
    first = await listener(redis)
    await until(lambda: is_asked(redis))  # silence alone is no fault: the store is asked
    store.signal(signal.SIGSTOP)  # as a host that is gone: no connection is closed
    await until(lambda: is_told(caplog))
    store.signal(signal.SIGCONT)
    assert await inbox.next() == Missed()
    assert (await listener(redis))["id"] != first["id"]
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    await redis.aclose()


async def test_after_a_lost_connection_it_says_what_may_be_missed(kit: Kit, inbox: Inbox) -> None:
    for client in await kit.redis.client_list(_type="pubsub"):
        await kit.redis.client_kill_filter(_id=client["id"])
    assert await inbox.next() == Missed()
    await hunger(kit)
    await kit.submit("a")
    assert await inbox.next() == WorkArrived("q")
