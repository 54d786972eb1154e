"""Delay and ETA: such tasks wait in the store until they are due."""

from caraway_server.core.task import State
from caraway_server.store.values import ReportKind
from store.kit import SECOND, Kit


async def test_a_delayed_task_waits_until_it_is_due(kit: Kit) -> None:
    answer = await kit.take(kit.new("a", delay=10))
    assert (answer.word, answer.state, answer.due) == ("created", State.SCHEDULED, answer.created + 10 * SECOND)
    await kit.advance(9)
    assert (await kit.promote()).count == 0
    assert await kit.leased_ids() == []
    await kit.advance(1)
    assert (await kit.promote()).count == 1
    record = await kit.record("a")
    assert (record.state, record.due, record.revision) == (State.QUEUED, 0, 2)
    assert await kit.leased_ids() == ["a"]


async def test_an_instant_that_has_passed_means_now(kit: Kit) -> None:
    answer = await kit.take(kit.new("a", at=await kit.now() - SECOND))
    assert (answer.state, answer.due) == (State.QUEUED, 0)


async def test_an_instant_ahead_is_kept(kit: Kit) -> None:
    at = await kit.now() + 30 * SECOND
    assert (await kit.take(kit.new("a", at=at))).due == at
    assert (await kit.record("a")).due == at


async def test_tasks_become_ready_in_the_order_of_their_times(kit: Kit) -> None:
    for delay in (3, 1, 2):
        await kit.submit(f"in-{delay}", delay=delay)
    await kit.submit("urgent", delay=3, priority=9)
    await kit.advance(5)
    await kit.promote()
    assert await kit.leased_ids() == ["urgent", "in-1", "in-2", "in-3"]


async def test_a_due_task_goes_behind_what_already_waits(kit: Kit) -> None:
    await kit.submit("delayed", delay=1)
    await kit.submit("waiting")
    await kit.advance(2)
    await kit.promote()
    await kit.submit("late")
    assert await kit.leased_ids() == ["waiting", "delayed", "late"]


async def test_the_promoter_is_told_when_to_come_again(kit: Kit) -> None:
    assert (await kit.promote()).next_in is None
    await kit.submit(delay=10)
    next_in = (await kit.promote()).next_in
    assert next_in is not None
    assert 9 < next_in <= 10
    await kit.advance(20)
    assert (await kit.promote()).next_in is None


async def test_a_pass_is_bounded_and_asks_to_go_on(kit: Kit) -> None:
    await kit.store.submit([kit.new(delay=1) for _ in range(30)])
    await kit.advance(2)
    first = await kit.store.promote(20)
    assert (first.count, first.next_in) == (20, 0.0)
    assert (await kit.store.promote(20)).count == 10


async def test_several_promoters_promote_once(kit: Kit) -> None:
    await kit.submit("a", delay=1)
    await kit.advance(2)
    assert [(await store.promote(10)).count for store in (kit.store, kit.other)] == [1, 0]
    assert (await kit.record("a")).revision == 2


async def test_a_delay_is_forgotten_after_the_first_start(kit: Kit) -> None:
    await kit.submit("a", delay=10)
    await kit.advance(11)
    await kit.promote()
    await kit.report(ReportKind.RELEASED, await kit.lease_one())
    assert await kit.leased_ids() == ["a"]
