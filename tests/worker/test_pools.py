"""Pools of many slots in one child: threads, coroutines, greenlets."""

import json
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from caraway.v1 import task_pb2
from caraway_worker.delivery import Ending, Stop

from .conftest import PoolMaker
from .pool_kit import lease, lines_of

Kind = task_pb2.TaskError
MANY = ["thread", "asyncio", "gevent"]
many = pytest.mark.parametrize("kind", MANY)


@many
async def test_slots_run_at_once_in_one_process(make_pool: PoolMaker, kind: str) -> None:
    pool = await make_pool(pool=kind, slots=8)
    began = pool.loop.time()
    ended = await pool.run(*[lease("sleep", 0.5) for _ in range(8)])
    assert {one.kind for one in ended} == {"succeeded"}
    assert pool.loop.time() - began < 2
    assert len(pool.pool.children) == 1


@pytest.mark.parametrize("kind", ["process", *MANY])
async def test_async_tasks_run_in_every_pool(make_pool: PoolMaker, kind: str) -> None:
    pool = await make_pool(pool=kind, slots=1 if kind == "process" else 50)
    count = 1 if kind == "process" else 50
    began = pool.loop.time()
    ended = await pool.run(*[lease("await_sleep", 0.3) for _ in range(count)])
    assert {one.result for one in ended} == {'"awaited"'}
    assert pool.loop.time() - began < 2


@many
async def test_many_short_tasks(make_pool: PoolMaker, kind: str) -> None:
    pool = await make_pool(pool=kind, slots=8)
    names = ["add", "await_add"]
    ended = await pool.run_as_wanted(*[lease(names[number % 2], number, 1) for number in range(1000)])
    assert [one.result for one in ended] == [str(number + 1) for number in range(1000)]


@many
@pytest.mark.parametrize("name", ["sleep", "await_sleep"])
async def test_soft_limit_strikes_one_slot_only(make_pool: PoolMaker, kind: str, name: str) -> None:
    pool = await make_pool(pool=kind, slots=4)
    before = (await pool.run_one("pid")).result
    # A thread can't be struck inside a call of C, such as a long sleep.
    struck = "nap" if name == "sleep" else name
    ended = await pool.run(lease(struck, 30, soft=0.2), *[lease(name, 0.6) for _ in range(3)])
    assert ended[0].error.kind == Kind.KIND_SOFT_TIME_LIMIT
    assert ended[0].error.type == "caraway.exceptions.SoftTimeLimitExceeded"
    assert ended[0].error.message == "the soft time limit struck"
    assert ended[0].report.run_time.ToNanoseconds() < 2e9
    assert [one.kind for one in ended[1:]] == ["succeeded"] * 3
    assert (await pool.run_one("pid")).result == before


@many
@pytest.mark.parametrize("name", ["nap_catch_soft", "await_catch_soft"])
async def test_task_may_handle_the_soft_limit(make_pool: PoolMaker, kind: str, name: str) -> None:
    pool = await make_pool(pool=kind, slots=2)
    assert (await pool.run_one(name, 30, soft=0.15)).result == '"cleaned up"'


@many
async def test_soft_limit_of_one_task_leaves_the_next_alone(make_pool: PoolMaker, kind: str) -> None:
    """Tasks that end just when their limit strikes: it hits none that is not meant, and no code of the pool's own."""
    pool = await make_pool(pool=kind, slots=2)
    for _ in range(10):
        ended = await pool.run(*[lease("nap", 0.045, soft=0.05) for _ in range(2)])
        ended += await pool.run(*[lease("nap", 0.03) for _ in range(2)])
        assert [one.kind for one in ended[2:]] == ["succeeded"] * 2
        assert {one.kind for one in ended[:2]} <= {"succeeded", "failed"}


@many
async def test_hard_limit_kills_the_child_and_the_others_go_back(make_pool: PoolMaker, kind: str) -> None:
    pool = await make_pool(pool=kind, slots=4)
    before = (await pool.run_one("pid")).result
    ended = await pool.run(lease("nap", 30, hard=0.3), *[lease("nap", 60) for _ in range(3)])
    assert ended[0].error.kind == Kind.KIND_TIME_LIMIT
    assert [one.kind for one in ended[1:]] == ["released"] * 3
    assert "because of another task" in ended[1].report.released.reason
    await pool.until_up()
    assert (await pool.run_one("pid")).result != before


@many
async def test_hard_limit_where_the_task_holds_the_gil(make_pool: PoolMaker, kind: str) -> None:
    pool = await make_pool(pool=kind, slots=2)
    assert (await pool.run_one("block_in_c", soft=0.1, hard=0.4)).error.kind == Kind.KIND_TIME_LIMIT


@many
async def test_a_dead_child_loses_all_that_ran_in_it(make_pool: PoolMaker, kind: str) -> None:
    pool = await make_pool(pool=kind, slots=3)
    naps = pool.give(lease("nap", 60), lease("nap", 60))
    for one in naps:
        await pool.until_running(one)
    ended = await pool.run_one("die", "kill")
    assert ended.kind == "lost"
    assert {pool.recorder.ended[one.token].kind for one in naps} == {"lost"}
    await pool.until_up()
    assert (await pool.run_one("add", 1, 2)).result == "3"


@many
async def test_cancel_reaches_its_own_slot_only(make_pool: PoolMaker, kind: str, tmp_path: Path) -> None:
    pool = await make_pool(pool=kind, slots=2)
    paths = [tmp_path / "one", tmp_path / "two"]
    one, two = pool.give(*[lease("until_cancelled", str(path)) for path in paths])
    await pool.until(lambda: all(path.exists() for path in paths))
    pool.pool.stop(one, Stop(Ending.CANCELLED, kill=False))
    await pool.until(lambda: one.token in pool.recorder.ended)
    assert two.token not in pool.recorder.ended
    pool.pool.stop(two, Stop(Ending.CANCELLED, kill=True, sign=signal.SIGTERM, grace=2))
    await pool.until(lambda: two.token in pool.recorder.ended)
    assert pool.recorder.ended[one.token].result == '"gave way"'


@many
async def test_max_tasks_per_child_lets_the_others_end(make_pool: PoolMaker, kind: str) -> None:
    pool = await make_pool(pool=kind, slots=2, max_tasks=3)
    long = pool.give(lease("nap_pid", 0.6))[0]
    await pool.until_running(long)
    pids: list[str] = []
    while len(pids) < 6:
        await pool.until(pool.pool.has_free_slot)
        # What came just as the child took its leave, and found no other in time, goes back.
        ended = await pool.run_one("pid")
        pids += [ended.result] if ended.kind == "succeeded" else []
    await pool.until(lambda: long.token in pool.recorder.ended)
    assert pool.recorder.ended[long.token].result == pids[0]
    assert len(set(pids)) > 1
    await pool.until(lambda: [str(child.pid) for child in pool.pool.children.values()].count(pids[0]) == 0)


@many
async def test_request_and_progress_belong_to_the_slots_own_task(make_pool: PoolMaker, kind: str) -> None:
    pool = await make_pool(pool=kind, slots=4)
    leases = [lease("own_id", 5) for _ in range(12)]
    # As many as there are slots: on a slow machine what waits for one for long is handed back.
    ended = [one for first in range(0, 12, 4) for one in await pool.run(*leases[first : first + 4])]
    assert [json.loads(one.result) for one in ended] == [[one.task.task_id] * 5 for one in leases]
    told = Counter(token for token, report in pool.recorder.reports if report.HasField("progress"))
    assert told == {one.lease_token: 5 for one in leases}


@many
async def test_slots_are_not_handed_more_than_keeps_the_process_busy(make_pool: PoolMaker, kind: str) -> None:
    pool = await make_pool(pool=kind, slots=16)
    pool.pool.pace._mean = 0.00001
    assert pool.pool.wanted == 128


async def test_sync_task_does_not_hold_up_the_loop_of_the_asyncio_pool(make_pool: PoolMaker) -> None:
    pool = await make_pool(pool="asyncio", slots=2)
    blocked = pool.give(lease("sleep", 5))[0]
    await pool.until_running(blocked)
    assert (await pool.run_one("await_sleep", 0.05)).result == '"awaited"'
    assert not blocked.ended


async def test_gevent_patches_before_the_app_is_imported(make_pool: PoolMaker) -> None:
    pool = await make_pool(pool="gevent", slots=1)
    assert "gevent" in json.loads((await pool.run_one("modules")).result)
    assert (await pool.run_one("socket_module")).result.startswith('"gevent.')


@many
async def test_tasks_of_killed_children_run_once(make_pool: PoolMaker, kind: str, tmp_path: Path) -> None:
    pool = await make_pool(pool=kind, size=2, slots=4)
    path = str(tmp_path / "ran")
    left = [lease("note", path, str(number)) for number in range(600)]
    given = pool.give_wanted(left)
    ended, kills = pool.recorder.ended, 0
    while left or len(ended) < len(given):
        given += pool.give_wanted(left)
        if len(ended) > 100 * (kills + 1) and kills < 3:
            kills += 1
            os.kill(next(iter(pool.pool.children.values())).pid, signal.SIGKILL)
        await pool.changes()
    ran = lines_of(path)
    assert len(ran) == len(set(ran))
    succeeded = {one.result.strip('"') for one in ended.values() if one.kind == "succeeded"}
    assert succeeded <= set(ran)
    assert kills == 3
