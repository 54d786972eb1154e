"""Queues, workers and the server's facts; and what a command says when no gateway answers."""

import json
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest

from caraway.commands.output import printable
from support.gateway import GatewayProcess
from support.processes import CARAWAY
from support.worker import WorkerProcess

Run = Callable[..., click.testing.Result]
Read = Callable[..., list[Any]]


def test_a_queue_is_paused_limited_and_resumed(run: Run, read: Read) -> None:
    name = f"cli-{uuid.uuid4().hex}"
    (paused,) = read("queues", "pause", name, "--note", "a deploy")
    assert (paused["paused"], paused["pause_note"]) == (True, "a deploy")
    assert read("queues", "limit", name, "1")[0]["max_length"] == 1
    run("call", "some.task", "--queue", name)
    refused = run("call", "some.task", "--queue", name)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: ")
    assert len(refused.stderr.splitlines()) == 1
    assert [queue["waiting"] for queue in read("queues") if queue["name"] == name] == [1]
    assert "a deploy" in run("queues", "list").stdout
    assert read("queues", "resume", name)[0]["paused"] is False
    assert read("purge", name, "--yes") == [{"queue": name, "purged_count": 1}]


def test_a_purge_asks(run: Run) -> None:
    ended = run("purge", "cli-nothing", answer="n\n")
    assert (ended.exit_code, ended.stdout) == (1, "")


def test_workers_are_listed_and_shown(run: Run, read: Read, worker: WorkerProcess) -> None:
    (mine,) = [found for found in read("workers") if found.get("pid") == worker.pid]
    assert (mine["state"], mine["queues"], mine["concurrency"]) == ("ACTIVE", ["cli"], 1)
    assert read("workers", "show", mine["worker_id"])[0]["name"] == mine["name"]
    assert mine["worker_id"] in run("workers", "list").stdout


def test_a_worker_that_is_not_there(run: Run) -> None:
    ended = run("workers", "show", "nobody")
    assert ended.exit_code == 1
    assert len(ended.stderr.splitlines()) == 1


def test_the_server_s_facts(run: Run, read: Read, gateway: GatewayProcess) -> None:
    (facts,) = read("info")
    assert facts["target"] == gateway.target
    assert facts["max_batch_size"] > 0
    assert "durability" in run("info").stdout


def test_the_version(run: Run) -> None:
    assert json.loads(run("version", "--json").stdout)["caraway"] in run("version").stdout


@pytest.mark.parametrize("words", [("info",), ("queues",), ("call", "some.task"), ("watch", "some-id")])
def test_no_gateway_is_one_line_and_exit_code_3(words: tuple[str, ...], tmp_path: Path) -> None:
    target = f"unix:{tmp_path}/nothing"
    ended = subprocess.run(
        [*CARAWAY, *words, "--target", target], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == (
        f"Error: no gateway answers at {target}: start one (caraway server), or name another by --target or "
        "CARAWAY_TARGET\n"
    )


def test_help_and_completion_load_no_grpc() -> None:
    program = (
        "import sys\nfrom click.testing import CliRunner\nfrom caraway.cli import main\n"
        "for name in main.list_commands(None):\n"
        "    if name not in ('server', 'worker'):\n"
        "        assert CliRunner().invoke(main, [name, '--help']).exit_code == 0, name\n"
        "print('grpc' in sys.modules)\n"
    )
    ended = subprocess.run(
        [str(Path(CARAWAY[0]).with_name("python")), "-c", program],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ended.stdout == "False\n"


def test_what_tasks_say_can_t_steer_a_terminal() -> None:
    assert printable("a\x1b[31m\nb ä") == "a\\x1b[31m\\nb ä"
