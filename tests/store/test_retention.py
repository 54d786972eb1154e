"""How long things are kept: results, tombstones, and that nothing is left in the end."""

import random

import pytest

from caraway_server.core.task import State
from caraway_server.store import keys
from caraway_server.store.values import ReportKind
from store.kit import LIMITS, SECOND, Kit

# Keys that stay for ever: see keys.py.
BASELINE = {keys.SEQUENCE, keys.CLOCK, keys.ROOT + "reaper:seen", keys.ROOT + "reaper:grace"}
WINDOW = LIMITS.dedup_window / SECOND


async def all_keys(kit: Kit) -> set[str]:
    """The names of all keys."""
    return {raw.decode() async for raw in kit.redis.scan_iter()}


@pytest.mark.parametrize(("given", "kept"), [(0, LIMITS.result_ttl / SECOND), (5, 5), (10 * 365 * 86400, None)])
async def test_an_ended_task_is_kept_for_its_time(kit: Kit, given: float, kept: float | None) -> None:
    await kit.ended(task_id="a", result_ttl=given)
    record = await kit.record("a")
    kept = given if kept is None else kept
    assert record.purge - record.ended == kept * SECOND
    await kit.advance(kept - 1)
    assert (await kit.prune()).count == 0
    await kit.advance(2)
    assert (await kit.prune()).count == 1
    assert await kit.state("a") is State.TOMBSTONE
    assert await kit.store.get(["a"]) == [None]


async def test_a_waiting_task_is_kept_for_ever(kit: Kit) -> None:
    await kit.submit("a", result_ttl=1)
    await kit.submit("later", delay=86400 * 3000, result_ttl=1)
    await kit.advance(86400 * 2000)
    await kit.prune()
    assert await kit.state("a") is State.QUEUED
    assert await kit.state("later") is State.SCHEDULED


async def test_a_success_may_keep_no_result(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a", ignore_result=True)
    await kit.report(ReportKind.SUCCEEDED, lease, blob=b"large")
    record = await kit.record("a")
    assert (record.state, record.result) == (State.SUCCEEDED, None)


async def test_a_failure_keeps_its_error_all_the_same(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a", ignore_result=True)
    await kit.report(ReportKind.FAILED, lease, blob=b"why")
    assert (await kit.record("a")).error == b"why"


async def test_only_ended_tasks_can_be_deleted(kit: Kit) -> None:
    await kit.submit("waiting")
    await kit.submit("later", delay=60)
    await kit.submit("ended", priority=9)
    await kit.report(ReportKind.SUCCEEDED, await kit.lease_one())
    await kit.submit("running", priority=9)
    await kit.lease_one()
    words = await kit.store.delete(["ended", "waiting", "later", "running", "unknown", "ended"])
    assert words == ["deleted", "not_terminal", "not_terminal", "not_terminal", "not_found", "not_found"]
    assert await kit.store.get(["ended"]) == [None]


async def test_a_tombstone_keeps_nothing_but_the_id_and_the_fingerprint(kit: Kit) -> None:
    await kit.ended(task_id="a", spec=b"x" * 10_000)
    await kit.store.delete(["a"])
    assert set(await kit.redis.hkeys(keys.task("a"))) == {b"s", b"f", b"u"}
    size = await kit.redis.memory_usage(keys.task("a"))
    assert size is not None
    assert size < 400


async def test_a_tombstone_goes_after_the_window(kit: Kit) -> None:
    await kit.ended(task_id="a")
    await kit.store.delete(["a"])
    await kit.advance(WINDOW - 1)
    await kit.prune()
    assert await kit.state("a") is State.TOMBSTONE
    await kit.advance(2)
    await kit.prune()
    assert await kit.state("a") is None


async def test_a_pass_is_bounded_and_asks_to_go_on(kit: Kit) -> None:
    await kit.store.submit([kit.new(result_ttl=1) for _ in range(30)])
    for lease in await kit.lease():
        await kit.report(ReportKind.SUCCEEDED, lease)
    await kit.advance(2)
    first = await kit.store.prune(20)
    assert (first.count, first.next_in) == (20, 0.0)
    assert (await kit.store.prune(20)).count == 10
    next_in = (await kit.store.prune(20)).next_in
    assert next_in is not None
    assert WINDOW - 5 < next_in <= WINDOW


async def drain(kit: Kit, chance: random.Random) -> None:
    """Ends everything, each task in some way."""
    kinds = [kind for kind in ReportKind if kind not in (ReportKind.STARTED, ReportKind.PROGRESS)]
    for _ in range(200):
        await kit.advance(5)
        await kit.promote()
        await kit.expire()
        await kit.reap()
        leases = await kit.lease(queues=["q", "r"])
        for lease in leases:
            kind = chance.choice(kinds) if lease.deliveries < 5 else ReportKind.SUCCEEDED
            await kit.report(kind, lease, blob=b"x", wait=chance.choice([0, 3]))
        if not leases and not await kit.redis.zcard(keys.SCHEDULED):
            return
    raise AssertionError("it does not come to an end")


async def test_an_empty_system_is_back_to_its_baseline(kit: Kit) -> None:
    chance = random.Random(4)
    for n in range(300):
        await kit.submit(
            f"t{n}", name=chance.choice("abc"), queue=chance.choice("qr"), priority=chance.randrange(10),
            delay=chance.choice([0, 0, 7]), ttl=chance.choice([0, 0, 9]), result_ttl=chance.choice([0, 60]),
            watch=chance.random() < 0.2,
        )  # fmt: skip
    await kit.store.revoke([f"t{n}" for n in range(0, 300, 10)], "p")
    await kit.reap()
    await drain(kit, chance)
    for seconds in (LIMITS.result_ttl / SECOND, WINDOW, WINDOW):
        await kit.advance(seconds + 1)
        while (await kit.prune()).count:
            pass
    for queue in "qr":  # these alone go by themselves, within 30 s
        assert 0 < await kit.redis.pttl(f"{keys.ROOT}hungry:{queue}") <= 30_000
        await kit.redis.delete(f"{keys.ROOT}hungry:{queue}")
    assert await all_keys(kit) <= BASELINE
