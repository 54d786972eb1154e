"""The buffer: work goes where a slot is free, and back where none is."""

from pathlib import Path

from caraway_worker.delivery import Delivery
from caraway_worker.pace import MOST_PER_CHILD, Pace

from .conftest import PoolMaker
from .pool_kit import lease, lines_of


async def test_short_tasks_do_not_wait_behind_a_long_one(make_pool: PoolMaker) -> None:
    """A1.17: none waits 0.5 s while a slot is idle; all 1,000 run while the long one does."""
    pool = await make_pool(size=2)
    await pool.run_as_wanted(*[lease("add", 1, 1) for _ in range(200)])  # the pace knows short tasks
    pool.pool.pace._mean = 0.0002  # as it is on a machine that has nothing else to do
    assert pool.pool.pace.per_child == MOST_PER_CHILD
    long, *short = pool.give(lease("sleep", 10), *[lease("add", 1, number) for number in range(1000)])
    given = pool.loop.time()
    ended = pool.recorder.ended
    await pool.until(lambda: all(one.token in ended for one in short))
    assert long.token not in ended
    assert {ended[one.token].kind for one in short} <= {"succeeded", "released"}
    assert max(ended[one.token].at for one in short) - given < 0.5
    ran = [one for one in short if ended[one.token].kind == "succeeded"]
    assert len(ran) > 800


async def test_what_no_slot_takes_goes_back_after_200_ms(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    pool.pool.pace._mean = 0.001
    given = pool.loop.time()
    long, *behind = pool.give(lease("sleep", 2), *[lease("add", 1, 1) for _ in range(10)])
    ended = pool.recorder.ended
    await pool.until(lambda: all(one.token in ended for one in behind))
    assert {ended[one.token].kind for one in behind} == {"released"}
    assert min(ended[one.token].at for one in behind) - given >= 0.2
    assert max(ended[one.token].at for one in behind) - given < 0.5
    assert long.token not in ended


async def test_taking_back_from_a_running_child_runs_each_once(make_pool: PoolMaker, tmp_path: Path) -> None:
    """The protocol of shared.py under stress: taken back again and again while the child starts one after the other."""
    pool = await make_pool(size=2)
    pool.pool.pace._mean = 0.0004
    path = str(tmp_path / "ran")
    left = [lease("note", path, str(number)) for number in range(3000)]
    given: list[Delivery] = []
    ended = pool.recorder.ended
    taken = 0
    while left or len(ended) < len(given):
        given += pool.give_wanted(left)
        for child in list(pool.pool.children.values()):
            back = child.slots[0].take_back()
            taken += len(back)
            pool.pool._requeue(back)
        pool.pool.rebalance([], stale_before=0)
        await pool.changes()
    succeeded = [one.result.strip('"') for one in ended.values() if one.kind == "succeeded"]
    assert len(ended) == 3000
    assert sorted(lines_of(path)) == sorted(succeeded)
    assert taken > 0


async def test_expired_before_its_start_is_handed_back_and_not_run(make_pool: PoolMaker, tmp_path: Path) -> None:
    pool = await make_pool()
    path = tmp_path / "ran"
    pool.pool.pace._mean = 0.001
    late = lease("note", str(path), "late")
    late.expires_in.FromMilliseconds(20)
    _, delivery = pool.give(lease("sleep", 0.1), late)
    await pool.until(lambda: delivery.token in pool.recorder.ended)
    ended = pool.recorder.ended[delivery.token]
    assert (ended.kind, ended.report.released.reason) == ("released", "it expired before it started")
    assert not path.exists()


def test_pace_starts_with_one_and_learns() -> None:
    pace = Pace()
    assert pace.per_child == 1
    for _ in range(60):
        pace.add(0.00005)
    assert pace.per_child == MOST_PER_CHILD
    pace.add(10.0)
    assert pace.per_child < 10
    for _ in range(40):
        pace.add(0.00005)
    assert pace.per_child > 60
    for _ in range(100):
        pace.add(0.01)
    assert pace.per_child in (4, 5)
