"""Fixtures that all tests share, real stores and real gateways; and a guard: in CI nothing is skipped."""

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from support.gateway import GatewayProcess
from support.replicated import Replicated
from support.stores import PROGRAMS, StoreProcess

IN_CI = bool(os.environ.get("CI"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: what was not run was not shown. Expected failures stay what they are."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped, and in CI nothing may be: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome, report.longrepr = "failed", f"skipped, and in CI nothing may be: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Callable[[], Path]]:
    """Makes folders whose paths are short enough for unix sockets."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="cw")))
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def gateway(short_folder: Callable[[], Path]) -> Iterator[GatewayProcess]:
    """One gateway with an embedded store for all tests of a session; use queues and task names of your own."""
    process = GatewayProcess(short_folder()).start()
    yield process
    process.stop()


@pytest.fixture
def gateways(short_folder: Callable[[], Path]) -> Iterator[Callable[..., GatewayProcess]]:
    """Starts gateways of a test's own, with flags; ends them with the test."""
    started: list[GatewayProcess] = []

    def start(*flags: str) -> GatewayProcess:
        started.append(GatewayProcess(short_folder(), *flags).start())
        return started[-1]

    yield start
    for process in started:
        process.stop()


def require(kind: str) -> None:
    """Skips without the program of this store."""
    if not PROGRAMS[kind]:
        pytest.skip(f"no {kind}-server on this machine; on Debian: apt install redis-server")


@pytest.fixture(scope="session", params=["valkey", "redis"])
def store_process(request: pytest.FixtureRequest, short_folder: Callable[[], Path]) -> Iterator[StoreProcess]:
    """A store of each kind, for all store tests."""
    require(request.param)
    process = StoreProcess(request.param, short_folder()).start()
    yield process
    process.stop()


@pytest.fixture
def replicated(short_folder: Callable[[], Path]) -> Iterator[Callable[..., Replicated]]:
    """Starts primaries with their replicas; ends them with the test."""
    started: list[Replicated] = []

    def start(kind: str, *, sentinels: bool = False, password: str = "") -> Replicated:
        require(kind)
        started.append(Replicated(kind, short_folder, sentinels=sentinels, password=password))
        return started[-1]

    yield start
    for group in started:
        group.stop()


@pytest.fixture
def stores(short_folder: Callable[[], Path]) -> Iterator[Callable[..., StoreProcess]]:
    """Starts stores of a test's own, with settings; ends them with the test."""
    started: list[StoreProcess] = []

    def start(kind: str = "valkey", **settings: str) -> StoreProcess:
        require(kind)
        started.append(StoreProcess(kind, short_folder(), **settings).start())
        return started[-1]

    yield start
    for process in started:
        if process.process is not None and process.process.poll() is None:
            process.stop()
