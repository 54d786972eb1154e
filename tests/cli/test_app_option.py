"""`caraway -A APP COMMAND`: the app for the commands that take one, and its gateway for the others."""

import os
import subprocess
from pathlib import Path

import pytest

from support.gateway import GatewayProcess
from support.processes import CARAWAY

PROGRAM = """
from caraway import Celery
app = Celery("proj", broker="grpc://{target}")
@app.task(name="proj.add")
def add(x, y): return x + y
"""


@pytest.fixture
def project(tmp_path: Path, gateway: GatewayProcess) -> Path:
    """A folder with an app whose code names the gateway."""
    (tmp_path / "proj.py").write_text(PROGRAM.format(target=gateway.target))
    return tmp_path


def run(project: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "CARAWAY_TARGET"}
    return subprocess.run(
        [*CARAWAY, *words], input=typed, capture_output=True, text=True, timeout=60, cwd=project, env=env, check=False
    )


def test_other_commands_ask_the_app_s_gateway(project: Path) -> None:
    sent = run(project, "-A", "proj", "call", "proj.add", "--args", "[1, 2]", "--queue", "app-option")
    assert run(project, "-A", "proj:app", "status", sent.stdout.strip(), "--json").returncode == 0
    assert run(project, "-Aproj", "queues", "list").returncode == 0
    away = run(project, "-A", "proj", "list", "--target", "127.0.0.1:1")
    assert (away.returncode, "127.0.0.1:1" in away.stderr) == (3, True)
    assert run(project, "-A", "proj", "purge", "app-option", "--yes").returncode == 0


@pytest.mark.parametrize(
    "words", [("-A", "proj", "shell"), ("shell", "-A", "proj"), ("-A", "x", "shell", "-A", "proj")]
)
def test_commands_that_take_an_app_are_given_it(project: Path, gateway: GatewayProcess, words: tuple[str, ...]) -> None:
    ended = run(project, *words, "--python", typed="print(app.main, app.target)\n")
    assert f"proj grpc://{gateway.target}" in ended.stdout, ended.stderr


def test_an_app_that_is_not_there_is_told(project: Path) -> None:
    ended = run(project, "-A", "nowhere", "workers")
    assert (ended.returncode, "there is no module 'nowhere'" in ended.stderr) == (1, True)
