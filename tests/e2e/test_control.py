"""`app.control` and `app.control.inspect()` with real workers."""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from caraway import Caraway
from caraway.exceptions import TaskRevokedError
from support.gateway import GatewayProcess
from support.processes import eventually
from support.worker import WorkerProcess

DEADLINE = 30.0
QUEUE = f"control-{uuid.uuid4().hex[:8]}"
NAME, OTHER = f"{QUEUE}@one", f"{QUEUE}@two"


@pytest.fixture(scope="module")
def worker(gateway: GatewayProcess) -> Iterator[WorkerProcess]:
    """A worker with one slot."""
    process = WorkerProcess(gateway.target, "cli.sample", "-c", "1", "-Q", QUEUE, "-n", NAME).ready()
    yield process
    process.stop()


@pytest.fixture
def app(gateway: GatewayProcess) -> Iterator[Caraway]:
    app = Caraway("control", target=gateway.target, default_queue=QUEUE)
    yield app
    app.close()


@pytest.fixture
def inspect(app: Caraway, worker: WorkerProcess) -> Any:
    return app.control.inspect(destination=[NAME], timeout=10)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """What cli.wait_for waits for."""
    path = tmp_path / "gate"
    yield path
    path.touch()


def test_what_workers_answer_themselves(app: Caraway, inspect: Any, worker: WorkerProcess) -> None:
    assert inspect.ping() == {NAME: {"ok": "pong"}}
    assert app.control.ping(destination=NAME, timeout=10) == [{NAME: {"ok": "pong"}}]
    assert inspect.stats()[NAME]["pid"] == worker.pid
    assert inspect.conf()[NAME]["queues"] == QUEUE
    assert "concurrency" in inspect.conf(with_defaults=True)[NAME]
    assert NAME in inspect.report()[NAME]["ok"]


def test_it_is_over_as_soon_as_all_have_answered(inspect: Any) -> None:
    began = time.monotonic()
    inspect.ping()
    assert time.monotonic() - began < 5  # of the ten seconds that it may take


def test_no_worker_is_none(app: Caraway) -> None:
    nobody = app.control.inspect(destination="nobody@nowhere")
    assert [nobody.ping(), nobody.active(), nobody.registered(), nobody.query_task("x")] == [None] * 4
    assert app.control.ping(destination=["nobody@nowhere"]) == []


def test_tasks_that_run_that_are_scheduled_and_that_were_revoked(app: Caraway, inspect: Any, gate: Path) -> None:
    running = app.send_task("cli.wait_for", (str(gate),), {}, priority=6)
    eventually(lambda: [task["id"] for task in inspect.active()[NAME]] == [running.id], DEADLINE, "it runs")
    (task,) = inspect.active()[NAME]
    assert (task["name"], task["args"], task["kwargs"], task["hostname"]) == ("cli.wait_for", [str(gate)], {}, NAME)
    assert abs(task["time_start"] - time.time()) < 60
    assert task["delivery_info"] == {"exchange": "", "routing_key": QUEUE, "priority": 6, "redelivered": False}
    assert inspect.query_task(running.id, "unknown") == {NAME: {running.id: ["active", task]}}

    later = app.send_task("cli.add", (1, 2), countdown=600)
    (scheduled,) = inspect.scheduled()[NAME]
    assert (scheduled["request"]["id"], scheduled["request"]["args"], scheduled["priority"]) == (later.id, [1, 2], 4)
    assert "T" in scheduled["eta"]
    assert inspect.query_task([later.id]) == {NAME: {}}

    app.control.revoke([later.id, "unknown"], reply=True, timeout=1, connection=None)
    with pytest.raises(TaskRevokedError):
        later.get(timeout=DEADLINE)
    assert inspect.scheduled() == {NAME: []}
    assert later.id in inspect.revoked()[NAME]
    app.control.terminate(running.id, signal="SIGKILL")
    with pytest.raises(TaskRevokedError):
        running.get(timeout=DEADLINE)


def test_what_a_worker_knows_and_serves(inspect: Any) -> None:
    names = inspect.registered()[NAME]
    assert [name for name in names if name.startswith("cli.")] == ["cli.add", "cli.fail", "cli.wait_for"]
    assert inspect.active_queues() == {NAME: [{"name": QUEUE, "routing_key": QUEUE}]}
    assert inspect.reserved() == {NAME: []}
    with pytest.raises(ValueError, match="names of their tasks alone"):
        inspect.registered("rate_limit")


def test_workers_are_chosen_by_name_and_shut_down(app: Caraway, gateway: GatewayProcess, worker: WorkerProcess) -> None:
    other = WorkerProcess(gateway.target, "cli.sample", "-c", "1", "-Q", QUEUE, "-n", OTHER).ready()
    try:
        several = app.control.inspect(pattern=f"{QUEUE}@*", timeout=10)
        assert several.ping() == {NAME: {"ok": "pong"}, OTHER: {"ok": "pong"}}
        assert app.control.inspect(pattern=f"{QUEUE}@t", matcher="pcre").registered().keys() == {OTHER}
        seen: list[Any] = []
        replies = app.control.broadcast("dance", pattern=f"{QUEUE}@*", reply=True, timeout=10, callback=seen.append)
        assert replies == seen
        assert {name for reply in seen for name in reply} == {NAME, OTHER}
        assert all("this worker has no command 'dance'" in answer["error"] for one in seen for answer in one.values())
        assert app.control.broadcast("ping", destination=NAME) is None
        assert len(app.control.inspect(pattern=f"{QUEUE}@*", limit=1, timeout=10).ping() or {}) == 1
        app.control.shutdown(destination=OTHER, timeout=10)
        assert other.end() == 0
        eventually(lambda: several.ping() == {NAME: {"ok": "pong"}}, DEADLINE, "it has left")
    finally:
        other.stop()


def test_a_silent_worker_is_left_out(app: Caraway, gateway: GatewayProcess, worker: WorkerProcess) -> None:
    process = psutil.Process(worker.pid)
    process.suspend()
    try:
        assert app.control.inspect(destination=NAME, timeout=0.5).ping() is None
        assert app.control.inspect(destination=NAME, timeout=0.5).registered() is not None
    finally:
        process.resume()
    eventually(lambda: app.control.inspect(destination=NAME, timeout=5).ping(), DEADLINE, "it is back")


def test_purge_empties_the_apps_queue(app: Caraway, gate: Path, worker: WorkerProcess) -> None:
    lonely = Caraway("lonely", target=app.target, default_queue=f"{QUEUE}-lonely")
    results = [lonely.send_task("nobody.knows") for _ in range(3)]
    assert lonely.control.purge() == 3
    assert {result.state for result in results} == {"REVOKED"}
    lonely.close()


def test_what_makes_no_sense_is_refused(app: Caraway) -> None:
    with pytest.raises(ValueError, match="leave destination out"):
        app.control.revoke("x", destination=["a"])
    with pytest.raises(ValueError, match="matcher is to be one of glob, pcre"):
        app.control.inspect(pattern="*", matcher="sql")


def test_two_workers_of_one_name_are_both_there(
    gateways: Callable[..., GatewayProcess],
) -> None:
    own = gateways()
    workers = [WorkerProcess(own.target, "cli.sample", "-c", "1", "-n", "same@here").ready() for _ in range(2)]
    app = Caraway("twins", target=own.target)
    try:
        answers = app.control.inspect(timeout=10).stats() or {}
        assert {answer["pid"] for answer in answers.values()} == {worker.pid for worker in workers}
        assert any(name.startswith("same@here#") for name in answers)
    finally:
        app.close()
        for worker in workers:
            worker.stop()
