"""No script handles more tasks than it may, however many are asked for, and any number goes through."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

import msgpack
import pytest

from caraway_server.core.task import State
from caraway_server.maintenance import expirer, promoter, pruner, reaper
from caraway_server.store import keys
from caraway_server.store.requests import MOST_IN_ONE_SCRIPT
from caraway_server.store.values import Lease, Report, ReportKind
from store.kit import Kit

ASKED = 4 * MOST_IN_ONE_SCRIPT
MANY_TASKS = 50_000


async def scripts_run(kit: Kit, work: Callable[[], Awaitable[object]]) -> int:
    """How many scripts some work takes."""
    await kit.redis.config_resetstat()
    await work()
    stats = await kit.redis.info("commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


def reports(kind: ReportKind, leases: list[Lease]) -> list[Report]:
    return [Report(kind, lease.task_id, lease.fence) for lease in leases]


@pytest.mark.parametrize("kind", [*ReportKind])
async def test_reports(kit: Kit, kind: ReportKind) -> None:
    await kit.store.submit([kit.new() for _ in range(ASKED)])
    leases = await kit.lease_all(ASKED)
    assert await scripts_run(kit, lambda: kit.store.report(reports(kind, leases))) == 4


async def test_everything_else(kit: Kit) -> None:
    tasks = [kit.new() for _ in range(ASKED)]
    ids = [task.task_id for task in tasks]
    assert await scripts_run(kit, lambda: kit.store.submit(tasks)) == 4
    assert await scripts_run(kit, lambda: kit.store.revoke(ids, "p")) == 4
    assert await scripts_run(kit, lambda: kit.store.requeue(ids)) == 4
    assert await kit.store.purge("q") == (MOST_IN_ONE_SCRIPT, True)
    await kit.store.revoke(ids, "p")
    assert await scripts_run(kit, lambda: kit.store.delete(ids)) == 4


def test_the_passes_of_the_duties() -> None:
    for duty in (expirer, promoter, pruner, reaper):
        assert duty.TASKS_IN_ONE_PASS <= MOST_IN_ONE_SCRIPT


async def test_a_script_ends_early_where_its_tasks_take_long(kit: Kit) -> None:
    """Each call then handles one task; that many calls handle all, and leave nothing half done."""
    kit.limit(hold=0)
    few = 5
    await kit.store.submit([kit.new(delay=1) for _ in range(few)])
    await kit.store.submit([kit.new(ttl=5, queue="short") for _ in range(few)])
    await kit.advance(10)
    assert [(await kit.store.promote(few)).count for _ in range(few + 1)] == [1] * few + [0]
    assert [(await kit.store.expire(few)).count for _ in range(few + 1)] == [1] * few + [0]
    await kit.lease_all(few)
    await kit.advance(4)
    await kit.store.reap(few)  # sees the gap, and grants a lease's time
    await kit.advance(16)
    kit.limit(reaper_gap=3600 * 1_000_000)
    assert [(await kit.store.reap(few))[0].count for _ in range(few + 1)] == [1] * few + [0]
    assert [await kit.store.purge("q") for _ in range(few)] == [(1, True)] * (few - 1) + [(1, False)]
    await kit.advance(90_000)
    assert [(await kit.store.prune(2 * few)).count for _ in range(2 * few + 1)] == [1] * (2 * few) + [0]


async def test_the_stopwatch_of_scripts_goes_on(kit: Kit) -> None:
    prelude = (files("caraway_server.store") / "lua" / "prelude.lua").read_text()
    script = prelude + "\nfor i = 1, request.turns do end\nreturn has_held_long() and 1 or 0"

    async def holds_long(turns: int) -> bool:
        request = msgpack.packb({"hold": 5_000, "turns": turns})
        return bool(await kit.redis.eval(script, 1, keys.ROOT, "gateway", request))

    assert not await holds_long(0)
    assert await holds_long(20_000_000)


async def in_passes(one_pass: Callable[[], Awaitable[int]], count: int) -> None:
    """Runs passes until so many tasks are handled; each handles at most what it may."""
    while count > 0:
        handled = await one_pass()
        assert 0 < handled <= MOST_IN_ONE_SCRIPT
        count -= handled


async def test_many_tasks_go_through_and_leave_nothing(kit: Kit) -> None:
    await kit.ended()  # brings the keys that stay
    await kit.advance(90_000)
    assert (await kit.prune()).count == 1
    await kit.advance(900)
    await kit.prune()
    before = await kit.redis.dbsize()
    half = MANY_TASKS // 2
    await kit.store.submit([kit.new() for _ in range(half)])
    await kit.store.submit([kit.new(delay=1, queue="later") for _ in range(half)])
    await kit.advance(2)

    async def promote() -> int:
        return (await kit.store.promote(promoter.TASKS_IN_ONE_PASS)).count

    async def prune() -> int:
        return (await kit.store.prune(pruner.TASKS_IN_ONE_PASS)).count

    async def purge() -> int:
        return (await kit.store.purge("later"))[0]

    await in_passes(promote, half)
    first = await kit.lease(1)
    assert first[0].task_id == "task-2"  # the oldest, out of all of them
    leases = [*first, *await kit.lease_all(half - 1)]
    assert {answer.state for answer in await kit.store.report(reports(ReportKind.SUCCEEDED, leases))} == {
        State.SUCCEEDED
    }
    await in_passes(purge, half)
    await kit.advance(90_000)
    await in_passes(prune, MANY_TASKS)
    await kit.advance(900)
    await in_passes(prune, MANY_TASKS)
    assert await kit.redis.dbsize() == before
