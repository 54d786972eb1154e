"""The reaper: takes back what ran out, and never for an outage that was not the worker's."""

from caraway_server.core.task import State
from caraway_server.store import keys
from caraway_server.store.values import ReportKind
from store.kit import LIMITS, MANY, SECOND, Kit

LEASE = LIMITS.lease / SECOND
GAP = LIMITS.reaper_gap / SECOND


async def test_a_lease_that_runs_out_is_taken_back(kit: Kit) -> None:
    await kit.submit("a")
    lease = await kit.lease_one(worker="deaf")
    assert await kit.wait_out_leases() == [("a", "deaf")]
    record = await kit.record("a")
    assert (record.state, record.lost) == (State.QUEUED, 1)
    assert (await kit.report(ReportKind.SUCCEEDED, lease)).word == "lease_lost"


async def test_a_renewed_lease_is_left_alone(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.reap()
    for _ in range(10):
        await kit.advance(4)
        assert (await kit.store.renew([("a", lease.fence)])).lost == []
        assert await kit.reap() == []
    assert (await kit.report(ReportKind.SUCCEEDED, lease)).word == "ok"


async def test_after_a_gap_workers_may_renew_before_anything_is_taken(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.reap()
    await kit.advance(3600)  # no gateway, or no store
    assert await kit.reap() == []
    await kit.advance(GAP - 1)
    assert await kit.reap() == []
    assert (await kit.store.renew([("a", lease.fence)])).lost == []
    for _ in range(3):
        await kit.advance(GAP - 1)
        assert await kit.reap() == []
    assert (await kit.report(ReportKind.SUCCEEDED, lease)).word == "ok"


async def test_after_a_gap_and_its_grace_dead_workers_lose(kit: Kit) -> None:
    await kit.delivered(task_id="a")
    await kit.reap()
    await kit.advance(3600)
    await kit.reap()
    for _ in range(3):
        await kit.advance(GAP - 1)
        assert await kit.reap() == []
    await kit.advance(GAP - 1)
    assert [task_id for task_id, _ in await kit.reap()] == ["a"]


async def test_a_gap_is_seen_by_whichever_gateway_comes_first(kit: Kit) -> None:
    await kit.delivered(task_id="a")
    await kit.reap()
    await kit.advance(3600)
    assert (await kit.other.reap(MANY))[1] == []
    assert await kit.reap() == []


async def test_one_gateway_that_goes_on_is_no_gap(kit: Kit) -> None:
    await kit.delivered(task_id="a")
    taken = []
    for _ in range(5):
        taken += (await kit.other.reap(MANY))[1]
        await kit.advance(GAP - 1)
    assert [task_id for task_id, _ in taken] == ["a"]


async def test_a_clock_set_back_gives_workers_time_too(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.reap()
    await kit.advance(-3600)
    assert await kit.reap() == []
    await kit.store.renew([("a", lease.fence)])
    for _ in range(3):
        await kit.advance(GAP - 1)
        assert await kit.reap() == []
    assert (await kit.report(ReportKind.SUCCEEDED, lease)).word == "ok"


async def test_a_clock_set_back_keeps_no_dead_lease_alive(kit: Kit) -> None:
    for n in range(5):
        await kit.delivered(task_id=f"t{n}")
    await kit.reap()
    await kit.advance(-3600)
    passes = 0
    while (await kit.store.reap(2))[0].next_in == 0.0:
        passes += 1
    assert passes == 2
    taken = []
    for _ in range(6):
        await kit.advance(GAP - 1)
        taken += await kit.reap()
    assert len(taken) == 5


async def test_a_clock_set_back_twice_does_not_stop_the_reaper(kit: Kit) -> None:
    await kit.delivered(task_id="a")
    await kit.reap()
    for _ in range(2):
        await kit.advance(-3600)
        await kit.reap()
    taken = []
    for _ in range(6):
        await kit.advance(GAP - 1)
        taken += await kit.reap()
    assert len(taken) == 1


async def test_the_first_pass_on_a_new_store_is_no_gap(kit: Kit) -> None:
    assert await kit.reap() == []
    assert await kit.redis.exists(keys.ROOT + "reaper:grace") == 0


async def test_what_was_asked_to_stop_is_revoked_when_its_lease_runs_out(kit: Kit) -> None:
    await kit.started(task_id="a")
    await kit.store.revoke(["a"], "p")
    await kit.wait_out_leases()
    record = await kit.record("a")
    assert (record.state, record.lost) == (State.REVOKED, 1)


async def test_a_pass_is_bounded_and_asks_to_go_on(kit: Kit) -> None:
    await kit.store.submit([kit.new() for _ in range(30)])
    await kit.lease()
    for _ in range(4):
        await kit.reap()
        await kit.advance(4)
    reaped, taken = await kit.store.reap(20)
    assert (reaped.count, reaped.next_in, len(taken)) == (20, 0.0, 20)
    assert len(await kit.reap()) == 10


async def test_it_is_told_when_to_come_again(kit: Kit) -> None:
    assert (await kit.store.reap(MANY))[0].next_in is None
    await kit.delivered()
    next_in = (await kit.store.reap(MANY))[0].next_in
    assert next_in is not None
    assert LEASE - 1 < next_in <= LEASE
