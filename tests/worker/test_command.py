"""The command `caraway worker`, as a process of its own against a real gateway."""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from caraway import Caraway
from support.gateway import GatewayProcess
from support.processes import eventually

from .conftest import WorkerStarter
from .worker_process import DEADLINE


def test_banner_log_lines_and_drain(start_worker: WorkerStarter, app: Caraway) -> None:
    worker = start_worker("-n", "w1@%h", "-Q", "cmd,cmd2", "-c", "2").ready()
    head = "\n".join(worker.lines[:40])
    for words in (r"w1@\S+", r"queues: +cmd, cmd2", r"concurrency: +2", r"target: +127\.0\.0\.1:\d+", r"  \. add$"):
        assert re.search(words, head, re.MULTILINE), head
    result = app.send_task("add", (2, 3), queue="cmd2")
    assert result.get(timeout=DEADLINE) == 5
    worker.wait_for(rf"Task add\[{result.id}\] received$")
    worker.wait_for(rf"Task add\[{result.id}\] succeeded in [\d.e-]+s: 5$")
    failed = app.send_task("fail", ("boom",), queue="cmd")
    assert "boom" in str(failed.get(timeout=DEADLINE, propagate=False))
    worker.wait_for(rf"Task fail\[{failed.id}\] raised unexpected: sample_tasks\.Broken: boom$")
    app.send_task("raise_one", ("Retry",), queue="cmd")
    worker.wait_for(r"Task raise_one\[\S+\] retry: Retry in 2\.5s: builtins\.OSError: no route$")
    worker.signal(signal.SIGTERM)
    assert worker.end() == 0, worker.output


def test_app_that_is_not_there(start_worker: WorkerStarter) -> None:
    worker = start_worker(app="no_such_app")
    assert worker.end() == 1
    assert "the app 'no_such_app' can't be loaded" in worker.output
    assert "there is no module 'no_such_app'" in worker.output
    assert "Traceback" not in worker.output


@pytest.mark.parametrize(
    "where",
    ["Caraway('lacking', task_compression='zstd')", "Caraway('lacking', result_compression='zstd')", "of_task()"],
)
def test_a_package_that_arguments_or_results_need_is_missed_at_the_start(
    start_worker: WorkerStarter, tmp_path: Path, where: str
) -> None:
    (tmp_path / "lacking.py").write_text(
        "import sys\n"
        "from caraway import Caraway\n"
        "sys.modules['zstandard'] = None  # as where it is not installed\n"
        "def of_task():\n"
        "    app = Caraway('lacking')\n"
        "    app.task(name='large', compression='zstd')(print)\n"
        "    return app\n"
        f"app = {where}\n"
    )
    worker = start_worker(app="lacking", env={"PYTHONPATH": str(tmp_path)})
    assert worker.end() == 1
    assert "pip install 'caraway[zstd]'" in worker.output


def test_wrong_settings_are_named_all_at_once(start_worker: WorkerStarter) -> None:
    worker = start_worker("-c", "0", "--time-limit", "-1", "-n", "w@%x", env={"CARAWAY_WORKER_POOL": "fibers"})
    assert worker.end() == 2
    assert "4 settings are wrong" in worker.output
    assert "hostname = w@%x (--hostname): %x is unknown" in worker.output
    assert "concurrency = 0 (--concurrency): write 1 to 1000" in worker.output
    assert "time_limit = -1s (--time-limit): write more than 0" in worker.output
    assert "pool = fibers (CARAWAY_WORKER_POOL): write one of process, " in worker.output


def test_drain_moves_waiting_tasks_to_another_worker(start_worker: WorkerStarter, app: Caraway) -> None:
    first = start_worker("-Q", "move", "-c", "1").ready()
    long = app.send_task("sleep", (1.5,), queue="move")
    first.wait_for(rf"{long.id}\] received")
    waiting = [app.send_task("add", (number, 1), queue="move") for number in range(20)]
    first.signal(signal.SIGTERM)
    start_worker("-Q", "move", "-c", "1").ready()
    assert [one.get(timeout=DEADLINE) for one in waiting] == [number + 1 for number in range(20)]
    assert long.get(timeout=DEADLINE) == 1.5
    assert first.end() == 0, first.output


def test_second_signal_hands_back_and_burns_no_attempt(
    start_worker: WorkerStarter, app: Caraway, tmp_path: Path
) -> None:
    first = start_worker("-Q", "twice", "-c", "1").ready()
    result = app.send_task("context_after", (str(tmp_path / "begun"),), queue="twice")
    first.wait_for(rf"{result.id}\] received")
    eventually((tmp_path / "begun").exists)
    for _ in range(2):
        first.signal(signal.SIGINT)
        first.wait_for("no more tasks are taken")
    assert first.end() == 0, first.output
    start_worker("-Q", "twice", "-c", "1").ready()
    assert result.get(timeout=DEADLINE) == [1, 2]


def test_a_killed_worker_leaves_no_child_and_its_task_runs_elsewhere(
    start_worker: WorkerStarter, gateways: Callable[..., GatewayProcess], tmp_path: Path
) -> None:
    gateway = gateways("--lease", "3", "--heartbeat", "1")
    target = ("--target", gateway.target)
    first = start_worker("-c", "2", *target).ready()
    app = Caraway("test", target=gateway.target)
    result = app.send_task("context_after", (str(tmp_path / "begun"),))
    eventually((tmp_path / "begun").exists)
    children = psutil.Process(first.pid).children()
    assert len(children) == 2
    start_worker("-c", "1", *target).ready()
    killed = time.monotonic()
    first.kill()
    eventually(lambda: not any(map(is_alive, children)), 1.0)
    assert result.get(timeout=DEADLINE) == [1, 2]
    assert time.monotonic() - killed < 3 + 2
    app.close()


def is_alive(process: psutil.Process) -> bool:
    """A zombie is dead; where nobody reaps orphans it stays for ever."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_throughput_is_back_after_gateway_restarts(
    start_worker: WorkerStarter, gateways: Callable[..., GatewayProcess]
) -> None:
    """Pain 1: the worker finds the gateway again by itself, each time within 5 s."""
    gateway = gateways("--lease", "3", "--heartbeat", "1")
    start_worker("-c", "1", "--target", gateway.target).ready()
    app = Caraway("test", target=gateway.target)
    for _ in range(3):
        gateway.kill()
        gateway.stop()  # collects the remains
        gateway.start()
        began = time.monotonic()
        assert app.send_task("add", (1, 2)).get(timeout=DEADLINE) == 3
        assert time.monotonic() - began < 5
    app.close()


def test_revoke_with_terminate_reaches_a_running_task(
    start_worker: WorkerStarter, app: Caraway, tmp_path: Path
) -> None:
    start_worker("-Q", "revoked", "-c", "1").ready()
    result = app.send_task("context_after", (str(tmp_path / "begun"),), queue="revoked")
    eventually((tmp_path / "begun").exists)
    result.revoke(terminate=True)
    eventually(result.ready, DEADLINE)
    assert result.state == "REVOKED"
    assert app.send_task("add", (1, 2), queue="revoked").get(timeout=DEADLINE) == 3
