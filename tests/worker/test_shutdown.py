"""The stages of the end: warm, soft, cold, hard."""

import asyncio
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from caraway import Caraway
from caraway_worker.autoscale import Autoscaler
from caraway_worker.delivery import Ending, Stop
from caraway_worker.shutdown import Shutdown, Stage
from support.processes import eventually

from .conftest import PoolMaker, WorkerMaker, WorkerStarter
from .pool_kit import lease
from .stage import Stage as Gateway
from .worker_process import DEADLINE

TERM, INT, QUIT = signal.SIGTERM, signal.SIGINT, signal.SIGQUIT
TERMINATE = Stop(Ending.CANCELLED, kill=True, sign=signal.SIGKILL)


@pytest.mark.parametrize(
    ("options", "signals", "stages"),
    [
        ({}, [TERM, TERM, TERM], [Stage.WARM, Stage.COLD, Stage.HARD]),
        ({}, [INT, INT, INT], [Stage.WARM, Stage.COLD, Stage.HARD]),
        ({}, [QUIT, QUIT], [Stage.COLD, Stage.HARD]),
        ({}, [TERM, QUIT, TERM], [Stage.WARM, Stage.COLD, Stage.HARD]),
        ({"soft_timeout": 60}, [QUIT, QUIT, QUIT], [Stage.SOFT, Stage.COLD, Stage.HARD]),
        ({"soft_timeout": 60}, [TERM, TERM, TERM], [Stage.WARM, Stage.SOFT, Stage.COLD]),
        ({"remap_term": True}, [TERM, TERM], [Stage.COLD, Stage.HARD]),
        ({"remap_term": True, "soft_timeout": 60}, [TERM, TERM], [Stage.SOFT, Stage.COLD]),
        ({"remap_term": True}, [INT, TERM], [Stage.WARM, Stage.COLD]),
    ],
)
async def test_signals_lead_from_stage_to_stage(
    options: dict[str, float], signals: list[signal.Signals], stages: list[Stage]
) -> None:
    shutdown = Shutdown(**options)  # type: ignore[arg-type]
    seen = []
    for sign in signals:
        shutdown.on_signal(sign)
        seen.append(shutdown.stage)
    assert seen == stages
    assert shutdown.asked.is_set()
    assert shutdown.cold.is_set() == (stages[-1] >= Stage.COLD)
    assert shutdown.hard.is_set() == (stages[-1] >= Stage.HARD)
    shutdown.close()


async def test_soft_becomes_cold_by_itself() -> None:
    shutdown = Shutdown(soft_timeout=0.05)
    shutdown.on_signal(QUIT)
    assert shutdown.stage is Stage.SOFT
    await asyncio.wait_for(shutdown.cold.wait(), 5)
    assert shutdown.stage is Stage.COLD


async def test_quit_hands_back_at_once(stage: Gateway, make_worker: WorkerMaker) -> None:
    worker = await make_worker()
    one = lease("busy", 60)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["started"])
    worker.worker.on_signal(QUIT)
    assert await worker.exit_code() == 0
    assert stage.kinds(one) == ["started", "released"]


async def test_soft_shutdown_lets_short_tasks_end_and_hands_back_long_ones(
    stage: Gateway, make_worker: WorkerMaker
) -> None:
    worker = await make_worker(concurrency=2, soft_shutdown_timeout=timedelta(seconds=1.5))
    short, long = lease("sleep", 0.5), lease("busy", 60)
    stage.push(short, long)
    await stage.until(lambda: stage.kinds(short) == stage.kinds(long) == ["started"])
    worker.worker.on_signal(QUIT)
    assert await worker.exit_code() == 0
    assert stage.kinds(short) == ["started", "succeeded"]
    assert stage.kinds(long) == ["started", "released"]


async def test_soft_shutdown_of_an_idle_worker_waits_for_nothing(stage: Gateway, make_worker: WorkerMaker) -> None:
    worker = await make_worker(soft_shutdown_timeout=timedelta(seconds=60))
    worker.worker.on_signal(QUIT)
    assert await worker.exit_code() == 0


async def test_hard_shutdown_waits_for_no_report(stage: Gateway, make_worker: WorkerMaker) -> None:
    worker = await make_worker()
    one = lease("busy", 60)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["started"])
    stage.fail_reports = 10_000
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(3):
        worker.worker.on_signal(TERM)
    assert await worker.exit_code() == 1
    assert loop.time() - began < 4


@pytest.mark.parametrize("pool", ["thread", "asyncio", "gevent"])
async def test_cold_shutdown_hands_back_all_slots(stage: Gateway, make_worker: WorkerMaker, pool: str) -> None:
    worker = await make_worker(pool=pool, concurrency=3)
    leases = [lease("nap", 60) for _ in range(3)]
    stage.push(*leases)
    await stage.until(lambda: all(stage.kinds(one) == ["started"] for one in leases))
    worker.signal()
    worker.signal()
    assert await worker.exit_code() == 0
    assert [stage.kinds(one) for one in leases] == [["started", "released"]] * 3


def test_remapped_sigterm_and_delayed_work(start_worker: WorkerStarter, app: Caraway, tmp_path: Path) -> None:
    """A worker holds no delayed tasks: they wait in the store, whatever becomes of it."""
    delayed = app.send_task("add", (1, 2), queue="remap", countdown=3)
    first = start_worker("-Q", "remap", "-c", "1", env={"REMAP_SIGTERM": "SIGQUIT"}).ready()
    running = app.send_task("context_after", (str(tmp_path / "begun"),), queue="remap")
    eventually((tmp_path / "begun").exists)
    first.signal(TERM)
    assert first.end() == 0, first.output
    start_worker("-Q", "remap", "-c", "1").ready()
    assert running.get(timeout=DEADLINE) == [1, 2]
    assert delayed.get(timeout=DEADLINE) == 3


def test_quit_to_the_process(start_worker: WorkerStarter, app: Caraway, tmp_path: Path) -> None:
    first = start_worker("-Q", "quit", "-c", "1", "--soft-shutdown-timeout", "0.5").ready()
    running = app.send_task("context_after", (str(tmp_path / "begun"),), queue="quit")
    eventually((tmp_path / "begun").exists)
    first.signal(QUIT)
    first.wait_for("soft shutdown")
    assert first.end() == 0, first.output
    start_worker("-Q", "quit", "-c", "1").ready()
    assert running.get(timeout=DEADLINE) == [1, 2]


async def test_autoscale_grows_while_busy_and_shrinks_when_idle(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    crew = pool.pool.crew
    scaler = Autoscaler(crew, most=4, fewest=1, interval=1, keepalive=3)

    def looks_until(condition: Callable[[], bool]) -> Callable[[], bool]:
        def look() -> bool:
            scaler.look()
            return condition()

        return look

    busy = pool.give(*[lease("nap", 60) for _ in range(1)])
    await pool.until(looks_until(lambda: crew.size == 2))
    await pool.until(lambda: sum(child.ready for child in crew.by_number.values()) == 2)
    pool.pool.stop(busy[0], TERMINATE)
    await pool.until(looks_until(lambda: crew.size == 1))
    await pool.until(lambda: len(crew.by_number) == 1)
    assert (await pool.run_one("add", 1, 2)).result == "3"
