"""Revocation: a state in the store, that works with no worker up and reaches one that holds the task."""

import pytest

from caraway_server.core.task import State
from caraway_server.store.values import Cancel, Lease, Note, ReportKind
from store.kit import SECOND, Kit

MODES = ("p", "c", "t")


def cancels(notes: list[Note]) -> list[tuple[str, str]]:
    """The cancellations among notes, as (task id, mode); the notes are taken."""
    found = [(note.task_id, note.mode) for note in notes if isinstance(note, Cancel)]
    notes.clear()
    return found


async def waiting(kit: Kit, state: State) -> None:
    """A task "a" that waits in this state."""
    await kit.submit("a", delay=60 if state is State.SCHEDULED else 0)
    if state is State.RETRYING:
        await kit.report(ReportKind.RETRY, await kit.lease_one(), wait=60)
    assert await kit.state("a") is state


async def held(kit: Kit, state: State) -> Lease:
    """A task "a" that a worker of the first gateway holds."""
    return await (kit.started if state is State.RUNNING else kit.delivered)(task_id="a")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
async def test_a_waiting_task_is_revoked_at_once(kit: Kit, state: State, mode: str) -> None:
    await waiting(kit, state)
    assert await kit.store.revoke(["a"], mode, "no longer wanted") == ["revoked"]
    record = await kit.record("a")
    assert (record.state, record.cancel_reason) == (State.REVOKED, "no longer wanted")
    await kit.advance(120)
    await kit.promote()
    assert await kit.leased_ids() == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("state", [State.LEASED, State.RUNNING])
async def test_a_held_task_is_asked_to_stop(kit: Kit, state: State, mode: str) -> None:
    lease = await held(kit, state)
    assert await kit.store.revoke(["a"], mode, "why", 3 * SECOND, "SIGINT") == ["cancel_requested"]
    record = await kit.record("a")
    assert (record.state, record.cancel_mode, record.cancel_reason) == (state, mode, "why")
    told = [note for note in kit.notes if isinstance(note, Cancel)]
    if mode == "p" and state is State.RUNNING:
        assert told == []
    else:
        assert told == [Cancel("a", lease.fence, mode, "why", 3 * SECOND, "SIGINT", "w")]


@pytest.mark.parametrize("mode", ["c", "t"])
async def test_the_report_of_a_start_says_that_it_should_stop(kit: Kit, mode: str) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.store.revoke(["a"], mode)
    answer = await kit.report(ReportKind.STARTED, lease)
    assert (answer.word, answer.cancel_requested) == ("ok", True)
    assert (await kit.report(ReportKind.PROGRESS, lease)).cancel_requested


async def test_what_runs_is_not_told_of_pending_only(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.store.revoke(["a"], "p")
    assert not (await kit.report(ReportKind.STARTED, lease)).cancel_requested
    assert not (await kit.report(ReportKind.PROGRESS, lease)).cancel_requested


async def test_a_start_that_waits_for_its_confirmation_is_told_of_pending_only(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a", once=True)
    await kit.store.revoke(["a"], "p")
    assert (await kit.report(ReportKind.STARTED, lease)).cancel_requested


@pytest.mark.parametrize("kind", [ReportKind.RELEASED, ReportKind.LOST, ReportKind.RETRY, ReportKind.CANCELLED])
@pytest.mark.parametrize("mode", MODES)
async def test_a_task_that_gives_way_is_revoked(kit: Kit, mode: str, kind: ReportKind) -> None:
    lease = await held(kit, State.RUNNING)
    await kit.store.revoke(["a"], mode)
    assert (await kit.report(kind, lease, wait=5)).state == State.REVOKED


@pytest.mark.parametrize("kind", [ReportKind.SUCCEEDED, ReportKind.FAILED, ReportKind.REJECTED, ReportKind.IGNORED])
async def test_a_task_that_ends_by_itself_ends_so(kit: Kit, kind: ReportKind) -> None:
    lease = await held(kit, State.RUNNING)
    await kit.store.revoke(["a"], "t")
    assert (await kit.report(kind, lease)).state != State.REVOKED


@pytest.mark.parametrize("state", [State.LEASED, State.RUNNING])
async def test_a_revocation_is_raised_from_pending_to_cancel_to_terminate(kit: Kit, state: State) -> None:
    await held(kit, state)
    told = []
    revisions = []
    for mode in MODES:
        await kit.store.revoke(["a"], mode, f"reason {mode}")
        told += cancels(kit.notes)
        record = await kit.record("a")
        revisions.append(record.revision)
        assert (record.cancel_mode, record.cancel_reason) == (mode, f"reason {mode}")
    assert told == [("a", mode) for mode in MODES if state is State.LEASED or mode != "p"]
    assert revisions == sorted(set(revisions))


async def test_a_revocation_is_never_lowered(kit: Kit) -> None:
    await held(kit, State.RUNNING)
    await kit.store.revoke(["a"], "t", "first")
    revision = (await kit.record("a")).revision
    cancels(kit.notes)
    for mode in MODES:
        assert await kit.store.revoke(["a"], mode, "second") == ["cancel_requested"]
    record = await kit.record("a")
    assert (record.cancel_mode, record.cancel_reason, record.revision) == ("t", "first", revision)
    assert cancels(kit.notes) == []


@pytest.mark.parametrize("kind", [ReportKind.SUCCEEDED, ReportKind.FAILED, ReportKind.REJECTED, ReportKind.IGNORED])
async def test_an_ended_task_stays_as_it_is(kit: Kit, kind: ReportKind) -> None:
    await kit.ended(kind, task_id="a")
    before = await kit.record("a")
    assert await kit.store.revoke(["a"], "t") == ["already_terminal"]
    assert await kit.record("a") == before


async def test_revoking_twice_is_told(kit: Kit) -> None:
    await kit.submit("a")
    assert await kit.store.revoke(["a"], "p") == ["revoked"]
    assert await kit.store.revoke(["a"], "p") == ["already_terminal"]


async def test_an_unknown_or_deleted_task_is_not_found(kit: Kit) -> None:
    await kit.ended(task_id="a")
    await kit.store.delete(["a"])
    assert await kit.store.revoke(["a", "never-was"], "p") == ["not_found", "not_found"]


async def test_many_at_once_each_has_its_answer(kit: Kit) -> None:
    await kit.submit("held")
    await kit.lease_one()
    ids = [await kit.submit(f"t{n}") for n in range(700)]
    words = await kit.store.revoke([*ids, "held", "unknown"], "p")
    assert words == ["revoked"] * 700 + ["cancel_requested", "not_found"]


async def test_a_renewal_tells_of_it_again(kit: Kit) -> None:
    lease = await held(kit, State.RUNNING)
    await kit.store.revoke(["a"], "t", "why", 3 * SECOND, "SIGINT")
    renewed = await kit.store.renew([("a", lease.fence)])
    assert renewed.cancels == [Cancel("a", lease.fence, "t", "why", 3 * SECOND, "SIGINT")]


@pytest.mark.parametrize(("state", "told"), [(State.LEASED, True), (State.RUNNING, False)])
async def test_a_renewal_tells_of_a_pending_only_one_while_it_may_not_have_started(
    kit: Kit, state: State, told: bool
) -> None:
    lease = await held(kit, state)
    await kit.store.revoke(["a"], "p")
    renewed = await kit.store.renew([("a", lease.fence)])
    assert bool(renewed.cancels) is told


async def test_the_gateway_that_holds_the_stream_is_told(kit: Kit) -> None:
    lease = await held(kit, State.RUNNING)
    await kit.other.renew([("a", lease.fence)])  # the worker's stream has moved
    async with kit.redis.pubsub() as channel:
        await channel.subscribe("caraway:{0}:gateway:gateway-two", "caraway:{0}:gateway:gateway-one")
        for _ in range(2):
            await channel.get_message(timeout=5)
        await kit.store.revoke(["a"], "c")
        message = await channel.get_message(timeout=5)
    assert message is not None
    assert message["channel"] == b"caraway:{0}:gateway:gateway-two"
    assert cancels(kit.notes) == []
