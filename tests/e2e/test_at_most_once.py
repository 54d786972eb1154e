"""`acks_late=False`, from the call to the end: what has started never runs again."""

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from caraway import Caraway
from caraway.exceptions import WorkerLostError
from caraway.spec import CallOptions
from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running, eventually

TASKS = """
import os, pathlib, time
from caraway import Caraway
app = Caraway("once")

@app.task(name="once.run", acks_late=False)
def run(path):
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(60)
"""


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    (tmp_path / "once_tasks.py").write_text(TASKS)
    return tmp_path / "ran"


def start_worker(gateway: GatewayProcess, folder: Path) -> Running:
    worker = Running([*CARAWAY, "worker", "-A", "once_tasks", "-c", "1", "--target", gateway.target], cwd=folder)
    worker.wait_for_line("ready.")
    return worker


@pytest.mark.parametrize("options", [{}, {"acks_late": False}], ids=["by the worker's definition", "by the call"])
@pytest.mark.parametrize("victim", ["child", "worker"])
def test_a_started_task_that_is_lost_never_runs_again(
    gateways: Callable[..., GatewayProcess], ran: Path, victim: str, options: CallOptions
) -> None:
    gateway = gateways("--lease", "2", "--heartbeat", "0.5")
    worker = start_worker(gateway, ran.parent)
    app = Caraway(target=gateway.target)
    result = app.send_task("once.run", (str(ran),), **options)
    eventually(ran.exists, what="it runs")
    if victim == "child":
        psutil.Process(int(ran.read_text())).kill()
    else:
        worker.kill()
        worker = start_worker(gateway, ran.parent)
    with pytest.raises(WorkerLostError):
        result.get(timeout=20)
    assert len(ran.read_text().splitlines()) == 1
    worker.stop()
    app.close()
