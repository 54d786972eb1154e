"""Fixtures of the command line's tests."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import click.testing
import pytest
from click.testing import CliRunner

from caraway.cli import main
from support.gateway import GatewayProcess
from support.worker import WorkerProcess

Run = Callable[..., click.testing.Result]


@pytest.fixture
def run(gateway: GatewayProcess) -> Run:
    """Runs `caraway ...` against the gateway; whatever escapes as an exception fails the test."""

    def invoke(*words: str, answer: str | None = None) -> click.testing.Result:
        ended = CliRunner(env={"CARAWAY_TARGET": gateway.target}).invoke(main, words, input=answer)
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.output
        return ended

    return invoke


@pytest.fixture
def read(run: Run) -> Callable[..., list[Any]]:
    """Runs a command with --json that is to end well, and gives its objects."""

    def invoke(*words: str) -> list[Any]:
        ended = run(*words, "--json")
        assert ended.exit_code == 0, ended.output
        return [json.loads(line) for line in ended.stdout.splitlines()]

    return invoke


@pytest.fixture(scope="module")
def worker(gateway: GatewayProcess) -> Iterator[WorkerProcess]:
    """A worker that serves the queue `cli`."""
    process = WorkerProcess(gateway.target, "cli.sample", "--concurrency", "1").ready()
    yield process
    process.stop()
