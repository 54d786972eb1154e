"""`caraway config`, and settings as the commands themselves take them."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import psutil
import pytest
from click.testing import CliRunner

from caraway.cli import main
from caraway.commands.reference import reference
from caraway.settings.sections import sections
from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"

Run = Callable[..., click.testing.Result]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `caraway config` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str, **env: str) -> click.testing.Result:
        return CliRunner(env=env).invoke(main, ["config", *words])

    return invoke


def rows(ended: click.testing.Result) -> dict[str, tuple[str, str]]:
    """Value and source by setting."""
    assert ended.exit_code == 0, ended.output
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    return {row["setting"]: (row["value"], row["source"]) for row in found}


def test_a_module_of_settings_is_checked(tmp_path: Path) -> None:
    (tmp_path / "celeryconfig.py").write_text("task_serializer = 'yaml'\nmy_password = 'word'\n")
    (tmp_path / "wrong.py").write_text("CELERY_TASK_SERIALISER = 'yaml'\n")
    command = [*CARAWAY, "config", "--check"]
    good = subprocess.run([*command, "celeryconfig"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert good.stdout == "task_serializer: 'yaml'\n"
    wrong = subprocess.run([*command, "wrong", "--namespace", "CELERY"], cwd=tmp_path, capture_output=True, text=True)
    assert wrong.returncode == 1
    assert "did you mean 'task_serializer'" in wrong.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = (", "Error: mine: {file}:1: SyntaxError: '(' was never closed"),
        (
            "x = 1\nimport nowhere_at_all",
            "Error: mine: {file}:2: ModuleNotFoundError: No module named 'nowhere_at_all'",
        ),
        ("timezone = 'Mars/One'", "Mars/One"),
        ("worker_pool = 'weird'", "Error: mine: the setting worker_pool can't be 'weird': "),
        ("worker_redirect_stdouts_level = 'LOUD'", "the setting worker_redirect_stdouts_level can't be 'LOUD': "),
        ("worker_concurrency = 'many'", "the setting worker_concurrency can't be 'many': write a whole number"),
    ],
)
def test_what_is_wrong_in_a_module_of_settings_is_told_shortly(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    ended = subprocess.run(
        [*CARAWAY, "config", "--check", "mine"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert told.format(file=tmp_path / "mine.py") in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_settings_without_effect_are_told_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("result_backend = 'rpc://'\ntask_serializer = 'json'\n")
    ended = subprocess.run(
        [*CARAWAY, "config", "--check", "mine"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "task_serializer: 'json'" in ended.stdout
    assert ended.stderr.startswith("Warning: settings that have no effect in Caraway:\n  result_backend: unneeded")
    assert ".py" not in ended.stderr


def test_the_reference_is_what_the_settings_say() -> None:
    assert DOCUMENT.read_text() == reference(sections()), "run `make reference`"


def test_each_setting_is_shown_with_its_source(config: Run, tmp_path: Path) -> None:
    (tmp_path / "caraway.toml").write_text("[server]\nlease = '20s'\n[worker]\nqueues = ['a', 'b']\n")
    shown = rows(config("server", "--json", CARAWAY_SERVER_MAX_LOST="7"))
    assert shown["lease"] == ("20s", "caraway.toml [server]")
    assert shown["max_lost"] == ("7", "CARAWAY_SERVER_MAX_LOST")
    assert shown["heartbeat"] == ("5s", "default")
    assert rows(config("worker", "--json"))["queues"] == ("a,b", "caraway.toml [worker]")
    text = config().stdout
    assert {line.split()[0] for line in text.splitlines()[1:]} == {"client", "server", "worker"}


def test_secrets_are_masked(config: Run) -> None:
    for words in ((), ("--json",)):
        shown = config(*words, CARAWAY_SERVER_REDIS="redis://user:secret@host/0")
        assert "redis://user:***@host/0" in shown.output
        assert "secret" not in shown.output


def test_all_that_is_wrong_in_every_section_is_told(config: Run, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text("[server]\nlaese = 1\n[worker]\nconcurrency = 'many'\n")
    ended = config("--config", "my.toml", CARAWAY_SERVER_LEASE="0.1")
    assert ended.exit_code == 2
    for told in (
        "laese (my.toml [server]): there is no such setting; did you mean lease?",
        "concurrency = many (my.toml [worker]): write a whole number",
        "lease = 0.1s (CARAWAY_SERVER_LEASE): write at least 1s",
    ):
        assert told in ended.output


def test_a_command_takes_its_target_from_the_file(gateway: GatewayProcess, tmp_path: Path) -> None:
    (tmp_path / "caraway.toml").write_text(f"[client]\ntarget = '{gateway.target}'\n")
    env = {name: value for name, value in os.environ.items() if name != "CARAWAY_TARGET"}
    info = Running([*CARAWAY, "info", "--json"], tmp_path, env)
    assert info.process.wait(30) == 0
    info.stop()
    facts: dict[str, Any] = json.loads(info.output)
    assert facts["target"] == gateway.target


def test_wrong_settings_of_a_command_are_exit_code_2(tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, ["info", "--config", str(tmp_path / "gone.toml")])
    assert ended.exit_code == 2
    assert "gone.toml: it can't be read" in ended.output


def test_a_server_and_its_processes_take_file_and_environment(short_folder: Callable[[], Path]) -> None:
    folder = short_folder()
    (folder / "caraway.toml").write_text("[server]\nlisten = '127.0.0.1:0'\nmax_payload = 1000\nmax_queue_length = 5\n")
    env = {"CARAWAY_SERVER_MAX_QUEUE_LENGTH": "6", "CARAWAY_SERVER_PROCESSES": "2"}
    server = Running([*CARAWAY, "server", "--data-dir", str(folder)], folder, env)
    try:
        target = server.wait_for_line("with 2 processes").split("listens on ")[1].split()[0]
        server.wait_for_line("caraway_server.app: ready")  # a command gives a gateway five seconds
        ended = CliRunner(env={"CARAWAY_TARGET": target}).invoke(main, ["info", "--json"])
        facts = json.loads(ended.stdout)
        assert (facts["max_payload_bytes"], facts["max_queue_length"]) == (1000, 6)
        # The store's URL may hold a password; what stands on a command line anybody on the machine can read.
        lines = [child.cmdline() for child in psutil.Process(server.pid).children()]
        gateways = [line for line in lines if "caraway_server.cli" in line]
        assert len(gateways) == 2
        assert "valkey.sock" not in str(gateways)
    finally:
        assert server.stop() == 0
