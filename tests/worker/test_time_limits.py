"""Soft and hard time limits."""

import pytest

from caraway.v1 import task_pb2

from .conftest import PoolMaker
from .pool_kit import lease

Kind = task_pb2.TaskError


@pytest.mark.parametrize("name", ["sleep", "busy", "await_sleep"])
async def test_soft_limit_is_raised_in_the_task(make_pool: PoolMaker, name: str) -> None:
    pool = await make_pool()
    before = (await pool.run_one("pid")).result
    ended = await pool.run_one(name, 30, soft=0.15)
    assert (ended.error.kind, ended.error.type) == (
        Kind.KIND_SOFT_TIME_LIMIT,
        "caraway.exceptions.SoftTimeLimitExceeded",
    )
    assert 0.15 <= ended.report.run_time.ToNanoseconds() / 1e9 < 2
    assert (await pool.run_one("pid")).result == before


@pytest.mark.parametrize("name", ["catch_soft", "await_catch_soft"])
async def test_task_may_handle_the_soft_limit(make_pool: PoolMaker, name: str) -> None:
    pool = await make_pool()
    assert (await pool.run_one(name, 30, soft=0.15)).result == '"cleaned up"'


async def test_soft_limit_of_one_task_leaves_the_next_alone(make_pool: PoolMaker) -> None:
    """Tasks that end just when their limit strikes: whatever the signal does, it hits none that is not meant."""
    pool = await make_pool()
    limited = [lease("sleep", 0.045, soft=0.05) for _ in range(10)]
    free = [lease("sleep", 0.03) for _ in range(10)]
    for one, other in zip(limited, free, strict=True):
        ended = await pool.run(one, other)
        assert ended[1].kind == "succeeded"
        assert ended[0].kind == "succeeded" or ended[0].error.kind == Kind.KIND_SOFT_TIME_LIMIT


@pytest.mark.parametrize(("name", "args"), [("sleep", [30]), ("busy", [30]), ("block_in_c", []), ("await_sleep", [30])])
async def test_hard_limit_kills(make_pool: PoolMaker, name: str, args: list[int]) -> None:
    pool = await make_pool()
    before = (await pool.run_one("pid")).result
    began = pool.loop.time()
    ended = await pool.run_one(name, *args, hard=0.3)
    assert ended.error.kind == Kind.KIND_TIME_LIMIT
    assert "0.3 s" in ended.error.message
    assert 0.3 <= ended.at - began < 1.3
    await pool.until_up()
    assert (await pool.run_one("pid")).result != before


async def test_soft_then_hard_limit_where_the_soft_one_cannot_reach(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    ended = await pool.run_one("block_in_c", soft=0.1, hard=0.4)
    assert ended.error.kind == Kind.KIND_TIME_LIMIT


async def test_the_tasks_own_limit_holds_where_the_spec_has_none(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    assert (await pool.run_one("limited", 30)).error.kind == Kind.KIND_SOFT_TIME_LIMIT
    assert (await pool.run_one("limited", 0.4, soft=10)).kind == "succeeded"


async def test_hard_limit_spares_what_is_queued_behind(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    pool.pool.pace._mean = 0.001  # as after many short tasks: the queue behind the long one is deep
    ended = await pool.run(lease("block_in_c", hard=0.1), *[lease("add", 1, number) for number in range(20)])
    assert ended[0].error.kind == Kind.KIND_TIME_LIMIT
    assert {one.kind for one in ended[1:]} <= {"succeeded", "released"}
