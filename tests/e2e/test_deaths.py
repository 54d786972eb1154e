"""Workers, their processes and gateways that end, well or badly: what they held is run by others."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from caraway import AsyncResult, Caraway
from e2e.conftest import Gate, WorkerStarter
from support.gateway import GatewayProcess
from support.processes import eventually

SECONDS = 30
LEASE = 2.0


@pytest.fixture
def short(gateways: Callable[..., GatewayProcess]) -> GatewayProcess:
    """A gateway of the test's own, with short leases."""
    return gateways("--lease", str(LEASE), "--heartbeat", "0.5")


@pytest.fixture
def app(short: GatewayProcess) -> Iterator[Caraway]:
    """A client of it."""
    made = Caraway("e2e.deaths", target=short.target, default_queue="e2e")
    yield made
    made.close()


def hold(app: Caraway, gate: Gate) -> AsyncResult[int]:
    """Submit a task that runs until the gate opens, and wait until it runs."""
    result = app.send_task("e2e.sample.hold", gate.arguments)
    eventually(lambda: gate.started.exists() and gate.started.read_text(), SECONDS, "the task runs")
    return result


def test_sigterm_ends_what_runs_and_hands_back_the_rest(
    short: GatewayProcess, app: Caraway, gate: Gate, start_worker: WorkerStarter
) -> None:
    first = start_worker(short.target, "-c", "1")
    held = hold(app, gate)
    waiting = app.submit_many(app.signature("e2e.sample.add", (number, 1)) for number in range(50))
    first.signal(signal.SIGTERM)
    first.wait_for_line("no more tasks are taken")
    start_worker(short.target, "-c", "1")
    assert [result.get(timeout=SECONDS) for result in waiting] == list(range(1, 51))
    assert {result.retries for result in waiting} == {0}
    assert not held.ready()
    gate.open()
    assert held.get(timeout=SECONDS) == int(gate.started.read_text())
    assert first.end() == 0


def test_tasks_of_a_killed_worker_run_elsewhere_within_the_lease_and_two_seconds(
    short: GatewayProcess, app: Caraway, gate: Gate, start_worker: WorkerStarter
) -> None:
    victim = start_worker(short.target, "-c", "1")
    held = hold(app, gate)
    child = int(gate.started.read_text())
    start_worker(short.target, "-c", "1")
    gate.started.unlink()
    victim.kill()
    killed = time.monotonic()
    eventually(gate.started.exists, LEASE + 2.0, "the task runs elsewhere")
    assert time.monotonic() - killed <= LEASE + 2.0
    gate.open()
    assert held.get(timeout=SECONDS) not in (child, victim.pid)
    assert held.retries == 0


def test_task_of_a_dead_child_runs_again_at_once(
    short: GatewayProcess, app: Caraway, gate: Gate, start_worker: WorkerStarter
) -> None:
    start_worker(short.target, "-c", "1")
    held = hold(app, gate)
    child = int(gate.started.read_text())
    gate.started.unlink()
    os.kill(child, signal.SIGKILL)
    eventually(lambda: gate.started.exists() and gate.started.read_text(), SECONDS, "the task runs again")
    gate.open()
    assert held.get(timeout=SECONDS) != child
    assert held.retries == 0


def test_child_that_exits_is_replaced_and_its_task_runs_again(
    short: GatewayProcess, app: Caraway, gate: Gate, start_worker: WorkerStarter
) -> None:
    start_worker(short.target, "-c", "1")
    assert app.send_task("e2e.sample.die_once", [str(gate.started)]).get(timeout=SECONDS) == "survived"


def test_worker_and_client_go_on_after_a_killed_gateway(
    short: GatewayProcess, app: Caraway, gate: Gate, start_worker: WorkerStarter
) -> None:
    start_worker(short.target, "-c", "2")
    held = hold(app, gate)
    delayed = app.send_task("e2e.sample.add", (1, 2), countdown=1)
    short.kill()
    short.start()
    gate.open()
    assert held.get(timeout=SECONDS) == int(gate.started.read_text())
    assert delayed.get(timeout=SECONDS) == 3
    assert app.send_task("e2e.sample.add", (3, 4)).get(timeout=SECONDS) == 7
