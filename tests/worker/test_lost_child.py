"""Children that die: reported within a second, replaced, nothing else lost with them."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

from caraway.v1 import task_pb2
from caraway_worker.children import BrokenApp
from caraway_worker.delivery import Delivery
from support.processes import eventually

from .conftest import PoolMaker
from .pool_kit import DEADLINE, PoolKit, lease, lines_of

Kind = task_pb2.TaskError


@pytest.mark.parametrize(
    ("how", "words"), [("kill", "signal 9 (SIGKILL)"), ("segfault", "signal 11 (SIGSEGV)"), ("exit", "exit code 7")]
)
async def test_death_is_reported_within_a_second_and_the_child_replaced(
    make_pool: PoolMaker, how: str, words: str
) -> None:
    pool = await make_pool()
    before = (await pool.run_one("pid")).result
    began = pool.loop.time()
    ended = await pool.run_one("die", how)
    assert ended.kind == "lost"
    assert ended.error.kind == Kind.KIND_WORKER_LOST
    assert words in ended.error.message
    assert ended.at - began < 1
    await pool.until_up()
    assert (await pool.run_one("pid")).result != before


async def test_only_the_running_task_is_lost(make_pool: PoolMaker, tmp_path: Path) -> None:
    """Tasks before it keep their results, tasks behind it run in another child, each once."""
    pool = await make_pool()
    pool.pool.pace._mean = 0.0005
    path = str(tmp_path / "ran")
    before = [lease("note", path, f"before {number}") for number in range(40)]
    behind = [lease("note", path, f"behind {number}") for number in range(40)]
    ended = await pool.run(*before, lease("die", "kill"), *behind)
    assert [one.kind for one in ended[:40]] == ["succeeded"] * 40
    assert ended[40].kind == "lost"
    ran = lines_of(path)
    succeeded = [one.report.succeeded.result.json.strip('"') for one in ended if one.kind == "succeeded"]
    assert sorted(ran) == sorted(succeeded)
    assert {one.kind for one in ended[41:]} <= {"succeeded", "released"}


async def test_an_idle_child_is_replaced_too(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    before = (await pool.run_one("pid")).result
    os.kill(int(before), signal.SIGKILL)
    await pool.until(lambda: int(before) not in [child.pid for child in pool.pool.children.values()])
    await pool.until_up()
    assert (await pool.run_one("pid")).result != before
    assert len(pool.pool.children) == 1


async def test_an_app_that_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_app.py").write_text("import json\njson.no_such_name\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    kit = PoolKit(app="broken_app")
    with pytest.raises(BrokenApp, match="no attribute 'no_such_name'") as caught:
        await kit.start()
    await kit.close()
    assert "json.no_such_name" in str(caught.value)
    assert "importlib" not in str(caught.value)


async def test_max_tasks_per_child(make_pool: PoolMaker) -> None:
    pool = await make_pool(max_tasks=3)
    pool.pool.pace._mean = 0.001
    pids = []
    for _ in range(3):
        results = {one.result for one in await pool.run(*[lease("pid") for _ in range(3)])}
        assert len(results) == 1
        pids.append(results.pop())
        await pool.until(lambda: all(str(child.pid) != pids[-1] for child in pool.pool.children.values()))
        await pool.until_up()
    assert len(set(pids)) == 3


async def test_max_memory_per_child(make_pool: PoolMaker) -> None:
    pool = await make_pool(max_memory=150 * 1024)
    first = await pool.run_one("grow", 1)
    assert (await pool.run_one("pid")).result == first.result
    assert (await pool.run_one("grow", 200)).result == first.result
    await pool.until(lambda: all(str(child.pid) != first.result for child in pool.pool.children.values()))
    await pool.until_up()
    assert (await pool.run_one("pid")).result != first.result


async def test_children_killed_at_random_moments(make_pool: PoolMaker, tmp_path: Path) -> None:
    """Each task ends once; at most one is lost a kill; what is said to have succeeded ran, and none ran twice."""
    pool = await make_pool(size=2)
    path = str(tmp_path / "ran")
    chance = random.Random(20)
    left = [lease("note", path, str(number)) for number in range(5000)]
    given: list[Delivery] = []
    ended, kills = pool.recorder.ended, 0
    while left or len(ended) < len(given):
        given += pool.give_wanted(left)
        busy = [child.pid for child in pool.pool.children.values() if not child.is_idle]
        if busy and kills < 10 and chance.random() < 0.3:
            kills += 1
            os.kill(chance.choice(busy), signal.SIGKILL)
        await pool.changes()
    kinds = Counter(one.kind for one in ended.values())
    ran = lines_of(path)
    succeeded = {one.result.strip('"') for one in ended.values() if one.kind == "succeeded"}
    assert len(ended) == 5000
    assert kills > 2
    assert kinds["lost"] <= kills
    assert len(ran) == len(set(ran))
    assert succeeded <= set(ran)
    assert len(ran) - len(succeeded) <= kinds["lost"]


SUPERVISOR = """
import asyncio, sys
sys.path.insert(0, {parent!r})
from worker.pool_kit import PoolKit, lease

async def main():
    kit = PoolKit(size=2)
    await kit.start()
    deliveries = kit.give(lease("busy", 600), lease("block_in_c"))
    pids = [await kit.until_running(delivery) for delivery in deliveries]
    print(*pids, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def is_alive(process: psutil.Process) -> bool:
    """A zombie is dead; where nobody reaps orphans it stays for ever."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_no_child_outlives_its_supervisor(tmp_path: Path) -> None:
    """Not in a busy loop, and not in a call of C that holds the GIL."""
    program = SUPERVISOR.format(parent=str(Path(__file__).parent.parent))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), DEADLINE)
    children = [psutil.Process(int(pid)) for pid in line.split()]
    assert len(children) == 2
    process.kill()
    await process.wait()
    await asyncio.to_thread(eventually, lambda: not any(map(is_alive, children)), 1.0, "the children are dead")
    # asyncio keeps a reference to the pipe until it is closed.
    process._transport.close()  # type: ignore[attr-defined]
