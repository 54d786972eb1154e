"""An entry of an index that no record bears out is dropped, and holds up nothing behind it."""

from caraway_server.core.task import State
from caraway_server.store import keys
from caraway_server.store.values import ReportKind
from store.kit import Kit


async def test_the_reaper_drops_leases_of_tasks_that_nobody_holds(kit: Kit) -> None:
    await kit.started(task_id="held")
    await kit.ended(task_id="ended")
    await kit.redis.zadd(keys.LEASES, {"gone": 1, "ended": 2})
    assert await kit.wait_out_leases() == [("held", "w")]
    assert (await kit.state("held"), await kit.state("ended")) == (State.QUEUED, State.SUCCEEDED)


async def test_the_promoter_drops_what_is_not_delayed(kit: Kit) -> None:
    await kit.submit("delayed", delay=1)
    await kit.submit("queued")
    await kit.redis.zadd(keys.SCHEDULED, {"gone": 1, "queued": 2})
    await kit.advance(2)
    await kit.promote()
    assert await kit.leased_ids() == ["queued", "delayed"]


async def test_the_expirer_drops_what_is_not_there(kit: Kit) -> None:
    await kit.submit("late", ttl=1)
    await kit.redis.zadd(keys.EXPIRING, {"gone": 1})
    await kit.advance(2)
    await kit.expire()
    assert await kit.state("late") is State.EXPIRED


async def test_the_pruner_drops_what_has_not_ended_so(kit: Kit) -> None:
    await kit.ended(ReportKind.SUCCEEDED, task_id="old")
    await kit.submit("queued")
    await kit.redis.zadd(keys.ended(State.SUCCEEDED), {"gone": 1, "queued": 2})
    await kit.advance(3601)
    await kit.prune()
    assert (await kit.state("old"), await kit.state("queued")) == (State.TOMBSTONE, State.QUEUED)


async def test_a_purge_drops_what_has_no_record(kit: Kit) -> None:
    await kit.submit("first")
    await kit.submit("last")
    await kit.redis.delete(keys.task("first"))
    await kit.store.purge("q")
    assert await kit.state("last") is State.REVOKED


async def test_a_lease_passes_over_what_has_no_record(kit: Kit) -> None:
    await kit.submit("first")
    await kit.submit("last")
    await kit.redis.delete(keys.task("first"))
    assert await kit.leased_ids() == ["last"]
