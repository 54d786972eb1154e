"""Every operation on a task in every state: what is observed is exactly what core/task.py allows."""

from collections.abc import Awaitable, Callable

import pytest

from caraway_server.core.task import FAILURES, HELD, TRANSITIONS, WAITING, State
from caraway_server.store.values import Lease, ReportKind
from store.kit import QUARANTINED, Kit

TTL = 50.0  # of tasks that are to expire
Operation = Callable[[Kit, Lease], Awaitable[object]]

# test_workflow_transitions.py plays these.
_AGAIN = frozenset({State.BLOCKED, State.REPLACED})
ONLY_IN_WORKFLOWS: dict[State, frozenset[State]] = {
    **{state: TRANSITIONS[state] for state in (State.BLOCKED, State.REPLACED, State.SKIPPED)},
    **dict.fromkeys(HELD, frozenset({State.REPLACED})),
    **dict.fromkeys(FAILURES, _AGAIN),
    State.SUCCEEDED: frozenset({State.BLOCKED}),
}

_ENDS = {
    State.SUCCEEDED: ReportKind.SUCCEEDED,
    State.FAILED: ReportKind.FAILED,
    State.REVOKED: ReportKind.CANCELLED,
    State.REJECTED: ReportKind.REJECTED,
    State.IGNORED: ReportKind.IGNORED,
}


async def put(kit: Kit, state: State) -> Lease:
    """Brings a task "a" into a state; the lease of its last delivery, or one that never was."""
    lease = Lease("a", "1", b"", 0, 0, 0, 0)
    if state is State.SCHEDULED:
        await kit.submit("a", delay=20, ttl=TTL)
    elif state is State.EXPIRED:
        await kit.submit("a", ttl=1)
        await kit.advance(2)
        await kit.expire()
    elif state is not State.QUEUED:
        lease = await kit.delivered(task_id="a", ttl=TTL)
        if state is State.RUNNING:
            await kit.report(ReportKind.STARTED, lease)
        elif state is State.RETRYING:
            await kit.report(ReportKind.RETRY, lease, wait=20)
        elif state is State.TOMBSTONE:
            await kit.report(ReportKind.SUCCEEDED, lease)
            await kit.store.delete(["a"])
        elif state in _ENDS:
            await kit.report(_ENDS[state], lease)
    else:
        await kit.submit("a", ttl=TTL)
    assert await kit.state("a") is state
    return lease


def report(kind: ReportKind, wait: float = 0) -> Operation:
    return lambda kit, lease: kit.report(kind, lease, blob=QUARANTINED, wait=wait)


def revoke(mode: str) -> Operation:
    return lambda kit, lease: kit.store.revoke(["a"], mode)


async def run_out(kit: Kit, lease: Lease) -> None:
    for _ in range(5):
        await kit.reap()
        await kit.advance(4)


OPERATIONS: dict[str, Operation] = {
    **{str(kind): report(kind) for kind in ReportKind if kind is not ReportKind.REPLACED},
    "retry later": report(ReportKind.RETRY, 30),
    **{f"revoke {mode}": revoke(mode) for mode in "pct"},
    "submit again": lambda kit, lease: kit.store.submit([kit.new("a", ttl=TTL)]),
    "lease": lambda kit, lease: kit.lease(),
    "renew": lambda kit, lease: kit.store.renew([("a", lease.fence)]),
    "watch": lambda kit, lease: kit.store.watch("a", 99),
    "promote": lambda kit, lease: kit.promote(),
    "expire": lambda kit, lease: kit.expire(),
    "reap": run_out,
    "prune": lambda kit, lease: kit.prune(),
    "delete": lambda kit, lease: kit.store.delete(["a"]),
    "send back": lambda kit, lease: kit.store.requeue(["a"]),
    "purge": lambda kit, lease: kit.store.purge("q"),
}


async def nothing(kit: Kit) -> None:
    """No circumstance."""


async def lose_next(kit: Kit) -> None:
    kit.limit(max_lost=1)


async def ask_to_stop(kit: Kit) -> None:
    if await kit.state("a") in HELD:
        await kit.store.revoke(["a"], "p")


CIRCUMSTANCES: dict[str, Callable[[Kit], Awaitable[None]]] = {
    "at once": nothing,
    "when due": lambda kit: kit.advance(30),
    "when expired": lambda kit: kit.advance(TTL + 1),
    "when its time is over": lambda kit: kit.advance(3700),
    "when the tombstone's is": lambda kit: kit.advance(601),
    "at the limit of losses": lose_next,
    "asked to stop": ask_to_stop,
}


async def observe(kit: Kit, state: State, circumstance: str, operation: str) -> State | None:
    """The state that an operation leaves a task in."""
    await kit.redis.flushall()
    kit.limit(max_lost=3)
    lease = await put(kit, state)
    await CIRCUMSTANCES[circumstance](kit)
    assert await kit.state("a") is state, "a circumstance is not to change the state"
    await OPERATIONS[operation](kit, lease)
    return await kit.state("a")


@pytest.mark.parametrize("state", [state for state in State if state not in _AGAIN | {State.SKIPPED}])
async def test_what_happens_is_what_is_allowed(kit: Kit, state: State) -> None:
    seen: dict[State, str] = {}
    gone = []
    for circumstance in CIRCUMSTANCES:
        for operation in OPERATIONS:
            after = await observe(kit, state, circumstance, operation)
            if after is None:
                gone.append(operation)
            elif after is not state:
                seen.setdefault(after, f"{operation}, {circumstance}")
    assert seen.keys() == TRANSITIONS[state] - ONLY_IN_WORKFLOWS.get(state, frozenset()), seen
    assert set(gone) == ({"prune"} if state is State.TOMBSTONE else set())


async def test_every_state_but_the_last_has_a_way_out() -> None:
    assert TRANSITIONS.keys() == set(State)
    assert {state for state, targets in TRANSITIONS.items() if not targets} == {State.TOMBSTONE}
    assert all(State.REVOKED in TRANSITIONS[state] for state in WAITING | HELD | _AGAIN)
