"""A package of somebody else's, installed by pip: a command of its own, and middleware for every app."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from support.gateway import GatewayProcess
from support.processes import CARAWAY
from support.worker import WorkerProcess

pytestmark = [pytest.mark.installs, pytest.mark.timeout(300)]

PROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "caraway-greeting"
version = "1.0"

[project.entry-points."caraway.commands"]
greet = "greeting:greet"

[project.entry-points."caraway.middleware"]
greeting = "greeting:Greeting"

[tool.hatch.build.targets.wheel]
include = ["greeting.py"]
"""
MODULE = """
import click
from caraway import Middleware


@click.command()
@click.argument("name")
def greet(name):
    "Say hello."
    click.echo(f"hello {name}")


class Greeting(Middleware):
    def submit(self, submission, call_next):
        submission.options = {**submission.options, "headers": {"greeting": "hello"}}
        return call_next(submission)

    async def asubmit(self, submission, call_next):
        return self.submit(submission, call_next)

    def attempt(self, context, call_next):
        return [context.headers["greeting"], call_next(context)]

    async def aattempt(self, context, call_next):
        return [context.headers["greeting"], await call_next(context)]
"""
TASKS = """
from caraway import Caraway

app = Caraway("polite")

@app.task
def add(x, y):
    return x + y
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that it is installed in, and a user's program."""
    source, folder = tmp_path_factory.mktemp("greeting"), tmp_path_factory.mktemp("installed")
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "greeting.py").write_text(MODULE)
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder / "polite.py").write_text(TASKS)
    return folder


def run(installed: Path, *command: str) -> str:
    env = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_command_is_one_of_caraway_s(installed: Path) -> None:
    assert run(installed, *CARAWAY, "greet", "you") == "hello you\n"
    assert "greet" in run(installed, *CARAWAY, "--help")


def test_its_middleware_is_around_submits_and_attempts_of_every_app(gateway: GatewayProcess, installed: Path) -> None:
    queue = f"polite-{uuid.uuid4().hex[:8]}"
    worker = WorkerProcess(gateway.target, "polite", "-Q", queue, "-c", "1", env={"PYTHONPATH": str(installed)}).ready()
    program = f"""
import json
from caraway import Caraway
with Caraway("client", target={gateway.target!r}) as app:
    print(json.dumps(app.send_task("polite.add", (1, 2), queue={queue!r}).get(timeout=30)))
"""
    try:
        assert json.loads(run(installed, sys.executable, "-c", program)) == ["hello", 3]
    finally:
        worker.stop()
