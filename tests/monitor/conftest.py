"""A gateway and a worker that may be watched, for all tests that only look."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caraway import Caraway
from support.gateway import GatewayProcess
from support.watching import Watched
from support.worker import WorkerProcess

FREE = ("--metrics-bind", "127.0.0.1:0")


@pytest.fixture(scope="session")
def watched_gateway(short_folder: Callable[[], Path]) -> Iterator[GatewayProcess]:
    process = GatewayProcess(short_folder(), *FREE, "--log-format", "json", "--lease", "2s", "--heartbeat", "500ms")
    yield process.start()
    process.stop()


@pytest.fixture(scope="session")
def watched_worker(watched_gateway: GatewayProcess) -> Iterator[WorkerProcess]:
    flags = ("-c", "2", *FREE, "--log-format", "json")
    process = WorkerProcess(watched_gateway.target, "monitor.sample", *flags).ready()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def gateway_metrics(watched_gateway: GatewayProcess) -> Watched:
    assert watched_gateway.running is not None
    return Watched(watched_gateway.running)


@pytest.fixture(scope="session")
def worker_metrics(watched_worker: WorkerProcess) -> Watched:
    return Watched(watched_worker)


@pytest.fixture
def client(watched_gateway: GatewayProcess) -> Iterator[Caraway]:
    app = Caraway("client", target=watched_gateway.target, default_queue="watched")
    yield app
    app.close()
