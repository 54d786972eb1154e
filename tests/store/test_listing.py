"""Lists in pages, and counts, from the indexes alone."""

import pytest

from caraway_server.core.errors import Refused
from caraway_server.core.task import Record, State
from caraway_server.store.values import ReportKind
from store.kit import Kit

ALL = frozenset(State) - {State.TOMBSTONE}


def any_task(record: Record) -> bool:
    return True


async def pages(
    kit: Kit, states: frozenset[State] = ALL, size: int = 2, queues: tuple[str, ...] = ()
) -> list[list[str]]:
    """All pages of a list, as ids."""
    found, token = [], ""
    while True:
        records, token = await kit.store.listing.page(states, queues, any_task, size, token)
        found.append([record.task_id for record in records])
        if not token:
            return found


async def one_of_each(kit: Kit) -> None:
    await kit.submit("scheduled", delay=50)
    lease = await kit.delivered(task_id="retrying")
    await kit.report(ReportKind.RETRY, lease, wait=90)
    await kit.ended(task_id="succeeded")
    await kit.ended(ReportKind.FAILED, task_id="failed")
    await kit.started(task_id="running")
    await kit.delivered(task_id="leased")
    await kit.submit("queued")


async def test_pages_hold_everything_once_in_order(kit: Kit) -> None:
    await one_of_each(kit)
    listed = [task for page in await pages(kit) for task in page]
    assert listed == ["scheduled", "retrying", "queued", "running", "leased", "succeeded", "failed"]


@pytest.mark.parametrize("state", [State.RETRYING, State.QUEUED, State.RUNNING, State.FAILED])
async def test_a_state_is_listed_alone(kit: Kit, state: State) -> None:
    await one_of_each(kit)
    listed = [task for page in await pages(kit, frozenset({state})) for task in page]
    assert listed == [state.name.lower()]


async def test_many_with_the_same_score_are_paged_through(kit: Kit) -> None:
    await kit.store.submit([kit.new(f"{number:03}") for number in range(130)])
    leases = await kit.lease()
    await kit.store.revoke([lease.task_id for lease in leases], "p")
    for lease in leases:
        await kit.report(ReportKind.RELEASED, lease)  # revoked, many in the same microsecond or not
    listed = [task for page in await pages(kit, frozenset({State.REVOKED}), 7) for task in page]
    assert sorted(listed) == [f"{number:03}" for number in range(130)]


async def test_queued_tasks_are_listed_by_queue_and_place(kit: Kit) -> None:
    await kit.submit("late", queue="b")
    await kit.submit("low", queue="a", priority=1)
    await kit.submit("high", queue="a", priority=8)
    assert await pages(kit, frozenset({State.QUEUED}), 10) == [["high", "low", "late"]]
    assert await pages(kit, frozenset({State.QUEUED}), 10, ("b",)) == [["late"]]


async def test_a_page_reads_only_so_much(kit: Kit) -> None:
    for start in range(3):
        await kit.store.submit([kit.new(f"{start}-{number}") for number in range(400)])
    nothing, token = await kit.store.listing.page(ALL, [], lambda record: False, 10, "")
    assert nothing == [] and token
    nothing, token = await kit.store.listing.page(ALL, [], lambda record: False, 10, token)
    assert nothing == [] and token == ""


async def test_a_lane_that_has_gone_does_not_stop_a_list(kit: Kit) -> None:
    await kit.submit("a", queue="a")
    await kit.submit("b", queue="b")
    first, token = await kit.store.listing.page(ALL, [], any_task, 1, "")
    assert [record.task_id for record in first] == ["a"]
    await kit.store.revoke(["a"], "p")
    second, _ = await kit.store.listing.page(frozenset({State.QUEUED}), [], any_task, 5, token)
    assert [record.task_id for record in second] == ["b"]


async def test_what_is_no_token_is_refused(kit: Kit) -> None:
    with pytest.raises(Refused, match="page_token"):
        await kit.store.listing.page(ALL, [], any_task, 1, "nonsense")


async def test_counts(kit: Kit) -> None:
    await one_of_each(kit)
    await kit.submit("elsewhere", queue="z")
    assert await kit.store.listing.count_by_state() == {
        "SCHEDULED": 2, "QUEUED": 2, "LEASED": 2, "SUCCEEDED": 1, "FAILED": 1,
    }  # fmt: skip
    assert await kit.store.listing.count_by_queue() == {"q": 3, "z": 1}
