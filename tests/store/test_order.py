"""The order of deliveries: priority, then first in, first out, over all lanes and queues."""

import random

from caraway_server.core.task import State
from caraway_server.store.values import ReportKind
from store.kit import Kit


async def test_priority_9_first_then_down_to_0(kit: Kit) -> None:
    order = list(range(10))
    random.Random(1).shuffle(order)
    for priority in order:
        await kit.submit(f"p{priority}", priority=priority)
    assert await kit.leased_ids() == [f"p{priority}" for priority in range(9, -1, -1)]


async def test_first_in_first_out_within_a_priority(kit: Kit) -> None:
    ids = [await kit.submit(f"id-{n * 7919 % 100:02}") for n in range(50)]
    assert await kit.leased_ids() == ids


async def test_a_batch_keeps_its_order(kit: Kit) -> None:
    await kit.store.submit([kit.new(f"t{n:03}", name=f"name{n % 3}", priority=n % 2) for n in range(100)])
    wanted = [f"t{n:03}" for n in range(1, 100, 2)] + [f"t{n:03}" for n in range(0, 100, 2)]
    assert await kit.leased_ids() == wanted


async def test_lanes_and_queues_are_merged_by_priority_then_age(kit: Kit) -> None:
    chance = random.Random(2)
    made = []
    for n in range(200):
        priority = chance.randrange(10)
        task_id = await kit.submit(f"t{n}", name=chance.choice("abc"), queue=chance.choice("qr"), priority=priority)
        made.append((-priority, n, task_id))
    got: list[str] = []
    while leased := await kit.leased_ids(chance.randint(1, 9), queues=["r", "q"]):
        got += leased
    assert got == [task_id for _, _, task_id in sorted(made)]


async def test_what_is_released_returns_to_its_old_place(kit: Kit) -> None:
    for n in range(4):
        await kit.submit(f"t{n}")
    leases = await kit.lease(2)
    await kit.submit("new")
    for lease in reversed(leases):
        await kit.report(ReportKind.RELEASED, lease)
    assert await kit.leased_ids() == ["t0", "t1", "t2", "t3", "new"]


async def test_what_is_lost_returns_to_its_old_place(kit: Kit) -> None:
    await kit.submit("old")
    await kit.submit("young")
    await kit.report(ReportKind.LOST, await kit.lease_one())
    assert await kit.leased_ids() == ["old", "young"]


async def test_new_work_never_overtakes_older_work_of_its_priority(kit: Kit) -> None:
    chance = random.Random(3)
    waiting: list[tuple[int, int, str]] = []
    for n in range(300):
        if chance.random() < 0.55 or not waiting:
            priority = chance.choice([2, 4])
            task_id = await kit.submit(f"t{n}", name=chance.choice("ab"), priority=priority)
            waiting.append((-priority, n, task_id))
            continue
        lease = await kit.lease_one()
        assert lease.task_id == min(waiting)[2]
        if chance.random() < 0.5:
            await kit.report(ReportKind.RELEASED, lease)
        else:
            waiting.remove(min(waiting))


async def test_a_retry_without_wait_goes_behind_what_waits(kit: Kit) -> None:
    await kit.submit("again")
    await kit.submit("other")
    answer = await kit.report(ReportKind.RETRY, await kit.lease_one())
    assert answer.state == State.QUEUED
    assert await kit.leased_ids() == ["other", "again"]


async def test_a_higher_priority_overtakes_in_every_lane(kit: Kit) -> None:
    for n in range(3):
        await kit.submit(f"low-a{n}", name="a", priority=0)
        await kit.submit(f"low-b{n}", name="b", priority=0)
    assert await kit.leased_ids(1) == ["low-a0"]
    await kit.submit("urgent", name="b", priority=9)
    assert await kit.leased_ids(2) == ["urgent", "low-b0"]
