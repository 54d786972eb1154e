"""Unique tasks and crashes: whoever dies between which steps, the key is free once its holder has ended."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from caraway import AsyncResult, Caraway, Unique, exceptions
from caraway.ids import uuid7
from e2e.conftest import Gate, WorkerStarter
from support.gateway import GatewayProcess
from support.processes import eventually

SECONDS = 30
HOLD = "e2e.sample.hold"
RULE = Unique("the-key")


@pytest.fixture
def short(gateways: Callable[..., GatewayProcess]) -> GatewayProcess:
    """A gateway of the test's own, with short leases."""
    return gateways("--lease", "1", "--heartbeat", "0.3")


@pytest.fixture
def app(short: GatewayProcess) -> Iterator[Caraway]:
    """A client of it."""
    made = Caraway("e2e.unique", target=short.target, default_queue="e2e")
    yield made
    made.close()


def running(app: Caraway, gate: Gate) -> AsyncResult[int]:
    """Submit a task that holds the key and runs until the gate opens; wait until it runs."""
    result = app.send_task(HOLD, gate.arguments, unique=RULE)
    eventually(lambda: gate.started.exists() and gate.started.read_text(), SECONDS, "the task runs")
    return result


def assert_held_by(app: Caraway, holder: str) -> None:
    with pytest.raises(exceptions.UniqueConflict) as raised:
        app.send_task("x", unique=RULE)
    assert raised.value.metadata["task_id"] == holder


def assert_free(app: Caraway) -> None:
    app.send_task("e2e.sample.now", unique=RULE).get(timeout=SECONDS)
    app.send_task("e2e.sample.now", unique=RULE)


@pytest.mark.parametrize("victim", ["child", "worker", "gateway"])
def test_a_crash_while_the_holder_runs(
    short: GatewayProcess, app: Caraway, gate: Gate, start_worker: WorkerStarter, victim: str
) -> None:
    worker = start_worker(short.target, "-c", "1")
    held = running(app, gate)
    child = int(gate.started.read_text())
    if victim == "gateway":
        short.kill()
        short.start()
    else:
        gate.started.unlink()
        os.kill(child if victim == "child" else worker.pid, signal.SIGKILL)
        if victim == "worker":
            start_worker(short.target, "-c", "1")
        eventually(gate.started.exists, SECONDS, "it runs again")
    # However it went on, it has not ended: nobody else is let in.
    assert_held_by(app, held.id)
    gate.open()
    held.get(timeout=SECONDS)
    assert_free(app)


def test_a_crash_of_the_gateway_while_the_holder_waits(
    short: GatewayProcess, app: Caraway, start_worker: WorkerStarter
) -> None:
    held = app.send_task("e2e.sample.add", (1, 2), unique=RULE)
    short.kill()
    short.start()
    assert_held_by(app, held.id)
    start_worker(short.target, "-c", "1")
    assert held.get(timeout=SECONDS) == 3
    assert_free(app)


def test_a_crash_of_the_gateway_while_many_submit_for_the_key(
    short: GatewayProcess, app: Caraway, start_worker: WorkerStarter
) -> None:
    """Whatever step of a submit the kill meets, one task has the key, and everybody is told of that one."""
    rule = Unique("the-key", on_conflict="return_existing")
    told: list[str] = []
    is_over = threading.Event()

    def send(sender: int) -> None:
        while not is_over.is_set():
            told.append(app.send_task("e2e.sample.add", (sender, 0), unique=rule).id)

    with ThreadPoolExecutor(4) as threads:
        senders = [threads.submit(send, sender) for sender in range(4)]
        for _ in range(2):
            goal = len(told) + 20
            eventually(lambda goal=goal: len(told) >= goal, SECONDS, "they submit")  # type: ignore[misc]
            short.kill()
            short.start()
        is_over.set()
        for sender in senders:
            sender.result(SECONDS)
    (holder,) = set(told)
    assert_held_by(app, holder)
    start_worker(short.target, "-c", "1")
    assert app.AsyncResult(holder).get(timeout=SECONDS) in range(4)
    assert_free(app)


CLIENT = """
import os, sys
from caraway import Caraway, Unique
app = Caraway("client", target=sys.argv[1], default_queue="e2e")
when, task_id = sys.argv[2:]
with app.batch():
    app.send_task("e2e.sample.add", (1, 2), task_id=task_id, unique=Unique("the-key"))
    if when == "before":
        os._exit(9)
os._exit(9)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_client_that_dies_before_or_after_its_submit(
    short: GatewayProcess, app: Caraway, start_worker: WorkerStarter, when: str
) -> None:
    task_id = uuid7()
    ended = subprocess.run([sys.executable, "-c", CLIENT, short.target, when, task_id], timeout=SECONDS, check=False)
    assert ended.returncode == 9
    start_worker(short.target, "-c", "1")
    if when == "after":
        assert app.AsyncResult(task_id).get(timeout=SECONDS) == 3
    assert_free(app)


def test_a_window_outlasts_a_crash_and_then_the_key_is_free(short: GatewayProcess, app: Caraway) -> None:
    held = app.send_task("x", unique=Unique("the-key", window=5))
    held.revoke()
    short.kill()
    short.start()
    existing = Unique("the-key", on_conflict="return_existing")
    assert app.send_task("x", unique=existing) == held
    eventually(lambda: app.send_task("x", unique=existing) != held, SECONDS, "the window is over")
