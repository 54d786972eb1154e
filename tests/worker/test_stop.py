"""Deliveries that are stopped from outside, and the pool's end."""

import signal
from pathlib import Path

from caraway_worker.delivery import Ending, Stop

from .conftest import PoolMaker
from .pool_kit import lease

TELL = Stop(Ending.CANCELLED, kill=False)
TERMINATE = Stop(Ending.CANCELLED, kill=True, sign=signal.SIGTERM, grace=5)


async def test_cancel_before_the_start_runs_nothing(make_pool: PoolMaker, tmp_path: Path) -> None:
    pool = await make_pool()
    pool.pool.pace._mean = 0.001
    first, behind = pool.give(lease("sleep", 0.15), lease("note", str(tmp_path / "ran"), "x"))
    await pool.until_running(first)
    pool.pool.stop(behind, TELL)
    assert pool.recorder.ended[behind.token].kind == "cancelled"
    await pool.until(lambda: first.token in pool.recorder.ended)
    await pool.run_one("pid")
    assert not (tmp_path / "ran").exists()


async def test_cancel_of_one_that_waits_in_the_supervisor(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    first, waiting = pool.give(lease("sleep", 0.15), lease("add", 1, 1))
    assert waiting in pool.pool.waiting
    pool.pool.stop(waiting, TELL)
    assert pool.recorder.ended[waiting.token].kind == "cancelled"
    await pool.until(lambda: first.token in pool.recorder.ended)
    assert pool.recorder.ended[first.token].kind == "succeeded"


async def test_cancel_tells_a_running_task_and_does_not_kill(make_pool: PoolMaker, tmp_path: Path) -> None:
    pool = await make_pool()
    before = (await pool.run_one("pid")).result
    begun = tmp_path / "begun"
    delivery = pool.give(lease("until_cancelled", str(begun)))[0]
    await pool.until(begun.exists)
    pool.pool.stop(delivery, TELL)
    await pool.until(lambda: delivery.token in pool.recorder.ended)
    assert pool.recorder.ended[delivery.token].result == '"gave way"'
    assert (await pool.run_one("pid")).result == before


async def test_terminate_kills_a_running_task(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    delivery = pool.give(lease("busy", 60))[0]
    await pool.until_running(delivery)
    began = pool.loop.time()
    pool.pool.stop(delivery, TERMINATE)
    await pool.until(lambda: delivery.token in pool.recorder.ended)
    ended = pool.recorder.ended[delivery.token]
    assert ended.kind == "cancelled"
    assert ended.at - began < 1
    await pool.until_up()
    assert (await pool.run_one("add", 1, 1)).result == "2"


async def test_pending_only_ends_what_waits_and_leaves_alone_what_runs(make_pool: PoolMaker, tmp_path: Path) -> None:
    pool = await make_pool()
    pool.pool.pace._mean = 0.001  # tasks are queued behind the running one
    begun = tmp_path / "begun"
    running, behind = pool.give(lease("until_cancelled", str(begun)), lease("add", 1, 1))
    await pool.until(begun.exists)
    stop = Stop(Ending.CANCELLED, kill=False, pending_only=True)
    pool.pool.stop(behind, stop)
    pool.pool.stop(running, stop)
    assert pool.recorder.ended[behind.token].kind == "cancelled"
    assert running.stop is None
    pool.pool.stop(running, Stop(Ending.CANCELLED, kill=False))
    await pool.until(lambda: running.token in pool.recorder.ended)
    assert pool.recorder.ended[running.token].kind == "succeeded"


async def test_pending_only_takes_no_earlier_order_back(make_pool: PoolMaker, tmp_path: Path) -> None:
    pool = await make_pool()
    begun = tmp_path / "begun"
    delivery = pool.give(lease("ignore_sigterm", str(begun)))[0]
    await pool.until(begun.exists)
    pool.pool.stop(delivery, Stop(Ending.CANCELLED, kill=True, sign=signal.SIGTERM, grace=0.3))
    pool.pool.stop(delivery, Stop(Ending.CANCELLED, kill=False, pending_only=True))
    await pool.until(lambda: delivery.token in pool.recorder.ended)
    assert pool.recorder.ended[delivery.token].kind == "cancelled"


async def test_terminate_kills_after_the_grace_what_ignores_the_signal(make_pool: PoolMaker, tmp_path: Path) -> None:
    pool = await make_pool()
    begun = tmp_path / "begun"
    delivery = pool.give(lease("ignore_sigterm", str(begun)))[0]
    await pool.until(begun.exists)
    began = pool.loop.time()
    pool.pool.stop(delivery, Stop(Ending.CANCELLED, kill=True, sign=signal.SIGTERM, grace=0.3))
    await pool.until(lambda: delivery.token in pool.recorder.ended)
    ended = pool.recorder.ended[delivery.token]
    assert ended.kind == "cancelled"
    assert 0.3 <= ended.at - began < 1.3


async def test_lost_lease_is_told_then_killed_and_never_reported(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    delivery = pool.give(lease("busy", 60))[0]
    await pool.until_running(delivery)
    pool.pool.stop(delivery, Stop(Ending.SILENT, kill=True, grace=0.2))
    await pool.until(lambda: delivery.token in pool.recorder.dropped)
    await pool.until_up()
    assert (await pool.run_one("add", 1, 1)).result == "2"
    assert delivery.token not in pool.recorder.ended
    assert pool.pool.open_count == 0


async def test_result_of_a_lost_lease_is_dropped(make_pool: PoolMaker, tmp_path: Path) -> None:
    pool = await make_pool()
    begun = tmp_path / "begun"
    delivery = pool.give(lease("until_cancelled", str(begun)))[0]
    await pool.until(begun.exists)
    pool.pool.stop(delivery, Stop(Ending.SILENT, kill=True, grace=5))
    await pool.until(lambda: delivery.token in pool.recorder.dropped)
    assert delivery.token not in pool.recorder.ended


async def test_drain_hands_back_what_waits_and_lets_the_rest_end(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    pool.pool.pace._mean = 0.001
    running, *behind = pool.give(lease("sleep", 0.4), *[lease("add", 1, 1) for _ in range(5)])
    await pool.until_running(running)
    pool.pool.hand_back_unstarted("drain")
    ended = pool.recorder.ended
    assert [ended[one.token].kind for one in behind] == ["released"] * 5
    assert running.token not in ended
    late = pool.give(lease("add", 1, 1))[0]
    assert ended[late.token].report.released.reason == "drain"
    await pool.until(lambda: running.token in ended)
    assert ended[running.token].kind == "succeeded"


async def test_kill_hands_back_what_runs(make_pool: PoolMaker) -> None:
    pool = await make_pool(size=2)
    deliveries = pool.give(lease("busy", 60), lease("sleep", 60))
    for delivery in deliveries:
        await pool.until_running(delivery)
    pool.pool.kill_running("now")
    ended = pool.recorder.ended
    await pool.until(lambda: len(ended) == 2, deadline=2)
    assert {ended[one.token].report.released.reason for one in deliveries} == {"now"}
    await pool.pool.close()
    assert pool.pool.children == {}
