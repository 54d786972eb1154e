"""When tasks start, or no longer do: delays, expiry, revocation, names that no worker knows."""

import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from caraway.exceptions import TaskExpiredError, TaskRevokedError
from e2e import sample
from e2e.conftest import Gate, WorkerStarter
from support.gateway import GatewayProcess
from support.processes import eventually

pytestmark = pytest.mark.usefixtures("worker")

SECONDS = 20
NOBODYS = "e2e-nobody"


def test_countdown_and_eta_start_no_earlier_and_soon_after() -> None:
    before = time.time()
    eta = datetime.now(UTC) + timedelta(seconds=0.6)
    by_countdown = sample.now.apply_async(countdown=0.4)
    by_eta = sample.now.apply_async(eta=eta)
    assert by_countdown.state == "PENDING"
    assert 0.4 <= by_countdown.get(timeout=SECONDS) - before < 2.0
    assert 0.0 <= by_eta.get(timeout=SECONDS) - eta.timestamp() < 2.0


def test_not_started_in_time_is_expired() -> None:
    result = sample.add.apply_async((1, 1), queue=NOBODYS, expires=0.2)
    with pytest.raises(TaskExpiredError):
        result.get(timeout=SECONDS)


@pytest.mark.parametrize("expires", [0, -1, -1e300, timedelta(seconds=-5), datetime(2020, 1, 1, tzinfo=UTC)])
def test_what_has_expired_already_is_taken_and_never_runs(expires: float | timedelta | datetime) -> None:
    result = sample.add.apply_async((1, 1), expires=expires)
    with pytest.raises(TaskExpiredError):
        result.get(timeout=SECONDS)
    assert result.state == "REVOKED"


def test_revoked_before_its_start_never_runs(gate: Gate) -> None:
    result = sample.hold.apply_async(gate.arguments, countdown=0.3)
    result.revoke(reason="changed our mind")
    assert result.state == "REVOKED"
    with pytest.raises(TaskRevokedError):
        result.get(timeout=SECONDS)
    # One that was due at the same time has run.
    assert sample.add.apply_async((1, 1), countdown=0.4).get(timeout=SECONDS) == 2
    assert not gate.started.exists()


def test_revoke_leaves_a_running_task_alone(gate: Gate) -> None:
    result = sample.hold.delay(*gate.arguments)
    eventually(gate.started.exists, SECONDS)
    result.revoke()
    gate.open()
    assert result.get(timeout=SECONDS) == int(gate.started.read_text())
    assert result.state == "SUCCESS"


def test_terminate_kills_a_running_task_and_no_other(gate: Gate) -> None:
    result = sample.hold.delay(*gate.arguments)
    pid = int(str(eventually(lambda: gate.started.exists() and gate.started.read_text(), SECONDS)))
    result.revoke(terminate=True)
    with pytest.raises(TaskRevokedError):
        result.get(timeout=SECONDS)
    assert result.state == "REVOKED"
    eventually(lambda: not psutil.pid_exists(pid), SECONDS)
    assert sample.add.delay(1, 1).get(timeout=SECONDS) == 2


def test_unknown_name_waits_and_runs_when_a_worker_comes_that_knows_it(
    gateway: GatewayProcess, start_worker: WorkerStarter
) -> None:
    result = sample.app.send_task("e2e.not_yet_deployed")
    assert sample.add.delay(1, 1).get(timeout=SECONDS) == 2
    assert result.state == "PENDING"
    start_worker(gateway.target, "-c", "1", app="e2e.later")
    assert result.get(timeout=SECONDS) == "deployed"


def test_higher_priority_first_then_in_order(gateway: GatewayProcess, start_worker: WorkerStarter) -> None:
    order = {}
    for number, priority in enumerate((1, 9, 5, 9)):
        order[number] = sample.now.apply_async(queue="e2e-order", priority=priority)
    start_worker(gateway.target, "-c", "1", "-Q", "e2e-order")
    ran = sorted(order, key=lambda number: order[number].get(timeout=SECONDS))
    assert ran == [1, 3, 2, 0]
