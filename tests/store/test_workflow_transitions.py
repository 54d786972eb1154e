"""What only nodes of workflows do: each transition that core/task.py allows beyond those of lone tasks, played once."""

from collections.abc import Awaitable, Callable

import pytest

from caraway_server.core.task import FAILURES, TERMINAL, TRANSITIONS, State
from caraway_server.core.workflow import On
from caraway_server.store.values import Lease, ReportKind
from store.flows import Flows, edge
from store.test_transitions import ONLY_IN_WORKFLOWS

Step = Callable[[Flows], Awaitable[object]]

_KINDS = {
    State.SUCCEEDED: ReportKind.SUCCEEDED,
    State.FAILED: ReportKind.FAILED,
    State.REVOKED: ReportKind.CANCELLED,
    State.REJECTED: ReportKind.REJECTED,
    State.IGNORED: ReportKind.IGNORED,
}


async def end_as(flows: Flows, node_id: str, state: State) -> None:
    """Has a node that can run, and may expire, end in this state; the relay is not told."""
    if state is State.EXPIRED:
        await flows.kit.advance(10)
        await flows.kit.expire()
    elif state is State.SKIPPED:
        await flows.end("before", relay=False)
    else:
        await flows.end(node_id, _KINDS[state], relay=False)


async def replaced(flows: Flows, by: State = State.SUCCEEDED) -> None:
    """A task "a" that x replaces, which may end in this state; and a failure beside it."""
    await flows.submit([flows.task("a")])
    lease = await flows.kit.lease_one()
    after = [edge("before", On.FAILURE)] if by is State.SKIPPED else []
    before = [flows.task("before")] if by is State.SKIPPED else []
    ttl = 5 if by is State.EXPIRED else 0
    await flows.grow(lease, *before, flows.task("x", *after, replaces="a", ttl=ttl), flows.task("bad"), output="x")
    await flows.advance()


async def replaced_ends(flows: Flows, state: State) -> None:
    await replaced(flows, state)
    assert await flows.kit.state("a") is State.REPLACED
    await end_as(flows, "x", state)
    await flows.advance()


BLOCKED: dict[State, Step] = {
    State.QUEUED: lambda flows: flows.end("p"),
    State.SCHEDULED: lambda flows: flows.end("p"),
    State.EXPIRED: lambda flows: flows.end("p"),
    State.SUCCEEDED: lambda flows: flows.end("p"),
    State.FAILED: lambda flows: flows.end("p", ReportKind.FAILED),
    State.SKIPPED: lambda flows: flows.end("p", ReportKind.IGNORED),
    State.REVOKED: lambda flows: flows.kit.store.revoke(["a"], "p"),
}


@pytest.mark.parametrize("after", sorted(TRANSITIONS[State.BLOCKED]))
async def test_blocked(flows: Flows, after: State) -> None:
    now = await flows.kit.now()
    nodes = {
        State.SCHEDULED: flows.task("a", "p", delay=60),
        State.SUCCEEDED: flows.collect("a", "p"),
        State.EXPIRED: flows.task("a", "p", until=now + 1_000_000),
    }
    await flows.submit([flows.task("p"), nodes.get(after) or flows.task("a", "p")])
    assert await flows.kit.state("a") is State.BLOCKED
    if after is State.EXPIRED:
        await flows.kit.advance(2)  # and no expirer came by
    await BLOCKED[after](flows)
    assert await flows.kit.state("a") is after
    await flows.advance()


@pytest.mark.parametrize("after", sorted(TRANSITIONS[State.REPLACED]))
async def test_replaced(flows: Flows, after: State) -> None:
    await replaced_ends(flows, after)
    assert await flows.kit.state("a") is after


@pytest.mark.parametrize("before", [State.LEASED, State.RUNNING])
async def test_a_delivery_is_replaced(flows: Flows, before: State) -> None:
    await flows.submit([flows.task("a")])
    lease: Lease = await flows.kit.lease_one()
    if before is State.RUNNING:
        await flows.kit.report(ReportKind.STARTED, lease)
    assert await flows.kit.state("a") is before
    await flows.grow(lease, flows.task("x", replaces="a"), output="x")
    assert await flows.kit.state("a") is State.REPLACED
    await flows.advance()


@pytest.mark.parametrize("before", sorted(FAILURES))
async def test_a_retry_blocks_what_failed_until_it_is_decided(flows: Flows, before: State) -> None:
    await flows.submit([flows.task("a", ttl=5 if before is State.EXPIRED else 0)])
    await end_as(flows, "a", before)
    await flows.advance()
    assert await flows.kit.state("a") is before
    await flows.workflows.retry("w")
    await flows.workflows.advance(limit=1)
    assert await flows.kit.state("a") is State.BLOCKED
    await flows.advance()
    assert await flows.kit.state("a") is State.QUEUED


@pytest.mark.parametrize("before", sorted(FAILURES | {State.SKIPPED}))
async def test_a_retry_takes_a_replaced_one_back_to_waiting_for_its_replacement(flows: Flows, before: State) -> None:
    await replaced_ends(flows, before)
    await flows.end("bad", ReportKind.FAILED)
    assert await flows.kit.state("a") is before
    assert (await flows.workflows.retry("w"))[0] == "retried"
    await flows.workflows.advance(limit=1)
    assert await flows.kit.state("a") is State.REPLACED
    await flows.advance()


async def test_a_collect_of_what_runs_again_is_decided_again(flows: Flows) -> None:
    await flows.submit([flows.task("p"), flows.collect("a", edge("p", On.TERMINAL))])
    await flows.end("p", ReportKind.FAILED)
    assert await flows.kit.state("a") is State.SUCCEEDED
    await flows.workflows.retry("w")
    await flows.workflows.advance(limit=2)
    assert await flows.kit.state("a") is State.BLOCKED
    await flows.advance()
    assert await flows.kit.state("a") is State.BLOCKED
    await flows.end("p")
    assert await flows.kit.state("a") is State.SUCCEEDED


async def test_skipped(flows: Flows) -> None:
    await flows.submit([flows.task("p"), flows.task("a", edge("p", On.FAILURE)), flows.task("bad")])
    await flows.end("p")
    await flows.end("bad", ReportKind.FAILED)
    assert await flows.kit.state("a") is State.SKIPPED
    await flows.workflows.retry("w")
    await flows.workflows.advance(limit=2)
    assert await flows.kit.state("a") is State.BLOCKED
    await flows.advance()
    assert await flows.kit.state("a") is State.SKIPPED
    await flows.end("bad")
    await flows.kit.store.delete(["a"])
    assert await flows.kit.state("a") is State.TOMBSTONE


def test_these_are_all() -> None:
    again = {state: {State.BLOCKED, State.REPLACED} for state in FAILURES}
    assert {
        State.BLOCKED: BLOCKED.keys(), State.REPLACED: TERMINAL, State.LEASED: {State.REPLACED},
        State.RUNNING: {State.REPLACED}, State.SUCCEEDED: {State.BLOCKED},
        State.SKIPPED: {State.BLOCKED, State.REPLACED, State.TOMBSTONE}, **again,
    } == ONLY_IN_WORKFLOWS  # fmt: skip
