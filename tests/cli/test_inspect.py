"""`caraway inspect` and `caraway report`, with a real worker that holds tasks."""

import json
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click.testing
import pytest
from click.testing import CliRunner

from caraway import Caraway
from caraway.cli import main
from support.gateway import GatewayProcess
from support.processes import eventually
from support.worker import WorkerProcess

Run = Callable[..., click.testing.Result]
Read = Callable[..., list[Any]]

NAME = f"inspected-{uuid.uuid4().hex[:8]}@here"
BUILTIN = sorted(Caraway("any").tasks)


@pytest.fixture(scope="module")
def inspected(gateway: GatewayProcess) -> Iterator[WorkerProcess]:
    """A worker with one slot, on a queue of its own."""
    flags = ("--concurrency", "1", "-Q", "inspected", "-n", NAME)
    process = WorkerProcess(gateway.target, "cli.sample", *flags).ready()
    yield process
    process.stop()


@pytest.mark.usefixtures("inspected")
def test_tasks_that_run_that_are_held_and_that_are_scheduled(run: Run, read: Read, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    def call(*words: str) -> str:
        ended = run("call", "cli.wait_for", "--queue", "inspected", "--args", json.dumps([str(gate)]), *words)
        return str(ended.stdout.strip())

    def ids(method: str) -> set[str]:
        rows = read("inspect", method, "-d", NAME)
        assert {row["worker"] for row in rows} <= {NAME}
        return {row["task_id"] for row in rows}

    first = call()
    later = call("--countdown", "10m")
    eventually(lambda: ids("active") == {first})
    assert ids("scheduled") == {later}
    assert later in run("inspect", "scheduled", "-d", NAME).stdout
    assert first not in ids("reserved")
    gate.touch()
    eventually(lambda: ids("active") == set())
    run("revoke", later)


def test_what_a_worker_knows_and_serves(read: Read, inspected: WorkerProcess) -> None:
    registered = [row["task"] for row in read("inspect", "registered", "-d", NAME)]
    assert registered == [*BUILTIN, "cli.add", "cli.fail", "cli.wait_for"]
    assert read("inspect", "active_queues", "-d", NAME) == [{"worker": NAME, "queue": "inspected"}]
    (stats,) = read("inspect", "stats", "-d", NAME)
    assert (stats["pid"], stats["concurrency"], stats["pool"]) == (inspected.pid, 1, "process")
    assert read("inspect", "stats", "-d", stats["worker_id"]) == read("inspect", "stats", "-d", NAME)


def test_what_workers_tell_themselves(run: Run, read: Read, inspected: WorkerProcess) -> None:
    assert read("inspect", "ping", "-d", NAME) == [{"worker": NAME, "ping": {"ok": "pong"}}]
    assert run("inspect", "ping", "-d", NAME).stdout == f"-> {NAME}\n   pong\n"
    (conf,) = read("inspect", "conf", "-d", NAME)
    assert (conf["conf"]["app"], conf["conf"]["queues"]) == ("cli.sample", "inspected")
    shown = run("inspect", "report", "-d", NAME, "--timeout", "20s").stdout.splitlines()
    assert shown[0] == f"-> {NAME}"
    assert shown[1].startswith("   software -> caraway:")
    assert f"pid:{inspected.pid}" in shown[3]


def test_a_worker_that_is_silent_is_exit_code_1(run: Run, inspected: WorkerProcess) -> None:
    inspected.signal(signal.SIGSTOP)
    try:
        ended = run("inspect", "ping", "-d", NAME, "--timeout", "100ms")
    finally:
        inspected.signal(signal.SIGCONT)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "1 of 1 workers did not answer in time" in ended.stderr


def test_a_worker_that_is_not_there_is_exit_code_1(run: Run) -> None:
    ended = run("inspect", "active", "-d", "nobody@nowhere")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (1, "", "Error: there is no worker nobody@nowhere\n")


def test_what_no_worker_knows_is_told_by_each(run: Run, worker: WorkerProcess) -> None:
    ended = run("inspect", "everything")
    assert (ended.exit_code, "this worker has no command 'everything'" in ended.output) == (1, True)


def test_no_worker_at_all_is_exit_code_1(gateways: Callable[[], GatewayProcess]) -> None:
    ended = CliRunner(env={"CARAWAY_TARGET": gateways().target}).invoke(main, ["inspect", "stats"])
    assert (ended.exit_code, ended.stderr) == (1, "Error: no worker is there\n")


def test_what_no_worker_needs_to_be_asked_for_takes_no_arguments(run: Run) -> None:
    ended = run("inspect", "active", "worker1")
    assert (ended.exit_code, "active takes no arguments" in ended.output) == (2, True)


def test_a_report_has_versions_settings_and_the_gateway(gateway: GatewayProcess) -> None:
    env = {"CARAWAY_TARGET": gateway.target, "CARAWAY_SERVER_REDIS": "redis://u:secret@h", "CARAWAY_WORKER_POOL": "x"}
    ended = CliRunner(env=env).invoke(main, ["report", "--json"])
    assert ended.exit_code == 0, ended.output
    report = json.loads(ended.stdout)
    assert {"caraway", "grpcio", "protobuf"} <= report["versions"].keys()
    assert report["settings"]["client.target"] == gateway.target
    assert report["settings"]["server.redis"] == "redis://u:***@h"
    assert "write one of process" in report["settings"]["worker"]
    assert report["gateway"]["server_version"] == report["versions"]["caraway"]
    text = CliRunner(env=env).invoke(main, ["report"]).output
    assert "[versions]" in text
    assert "secret" not in text


def test_a_report_without_a_gateway(tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, ["report", "--json", "--target", f"unix:{tmp_path}/nothing"])
    assert ended.exit_code == 0
    assert "error" in json.loads(ended.stdout)["gateway"]


def test_a_report_tells_of_an_app(run: Run, gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[1])
    app = json.loads(run("report", "-A", "cli.sample", "--json").stdout)["app"]
    assert (app["name"], app["default_queue"], app["task_base"]) == ("cli.sample", "cli", "caraway.task.Task")
    assert app["conf.task_default_queue"] == "'cli'"
    # The test kit's task, where another test of this process has imported it.
    assert [name for name in app["tasks"] if name != "celery.ping"] == [*BUILTIN, "cli.add", "cli.fail", "cli.wait_for"]
    ended = run("report", "-A", "cli.nothing")
    assert (ended.exit_code, "Error: " in ended.stderr) == (1, True)


def test_an_apps_own_report_masks_secrets() -> None:
    app = Caraway("reported", "gateway.example:50051", token="secret")
    app.conf.update(task_time_limit=7, own_password="secret")
    lines = app.bugreport().splitlines()
    assert "  task_time_limit: 7" in lines
    assert lines[0].startswith("software -> caraway:")
    assert "gateway  -> gateway.example:50051" in lines
    assert not any("secret" in line for line in lines)
    assert any(line.startswith("  token: ") for line in lines)
