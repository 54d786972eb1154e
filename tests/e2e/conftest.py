"""Fixtures of the end-to-end tests: one gateway and one worker for most, processes of their own for those that kill."""

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e import sample
from support.gateway import GatewayProcess
from support.worker import WorkerProcess

WorkerStarter = Callable[..., WorkerProcess]


class Gate:
    """Two files that a task of `sample` says its start by and waits for."""

    def __init__(self, folder: Path) -> None:
        self.started = folder / "started"
        self.release = folder / "release"

    @property
    def arguments(self) -> tuple[str, str]:
        """For sample.hold."""
        return str(self.started), str(self.release)

    def open(self) -> None:
        """Lets the task end."""
        self.release.touch()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """A closed one; opened with the test's end, so that no task outlives it."""
    made = Gate(tmp_path)
    yield made
    made.open()


@pytest.fixture(scope="session")
def sample_app(gateway: GatewayProcess) -> Iterator[None]:
    """The sample app talks to the session's gateway."""
    # The app reads it at its first call, once.
    os.environ["CARAWAY_TARGET"] = gateway.target
    assert sample.app.target == gateway.target
    yield
    sample.app.close()
    del os.environ["CARAWAY_TARGET"]


@pytest.fixture(scope="session")
def worker(gateway: GatewayProcess, sample_app: None) -> Iterator[WorkerProcess]:
    """A worker of the sample app for the session, with two processes."""
    process = WorkerProcess(gateway.target, "e2e.sample", "-c", "2").ready()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def canvas_worker(gateway: GatewayProcess) -> Iterator[WorkerProcess]:
    """A worker of canvas_app at the session's gateway, which the app of the tests talks to as well."""
    # Not above: an app is the current one of its process once it is made, and other tests have their own.
    app = importlib.import_module("e2e.canvas_app").app
    app.retarget(gateway.target)
    process = WorkerProcess(gateway.target, "e2e.canvas_app", "-c", "2").ready()
    yield process
    process.stop()
    app.close()


@pytest.fixture
def start_worker() -> Iterator[WorkerStarter]:
    """Starts workers of a test's own and waits until they are ready; kills with the test what still runs."""
    started: list[WorkerProcess] = []

    def start(target: str, *flags: str, app: str = "e2e.sample") -> WorkerProcess:
        started.append(WorkerProcess(target, app, *flags))
        return started[-1].ready()

    yield start
    for process in started:
        process.end_family()
        process.stop()
