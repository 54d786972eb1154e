"""Fixtures of the worker's tests."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from caraway import Caraway
from caraway_worker.settings import Settings
from caraway_worker.worker import Worker
from support.gateway import GatewayProcess

from .pool_kit import PoolKit
from .stage import Stage
from .worker_process import WorkerProcess

PoolMaker = Callable[..., Coroutine[Any, Any, PoolKit]]


@pytest.fixture(autouse=True)
def tasks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let children import sample_tasks, which lies beside this file."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture
async def make_pool() -> AsyncIterator[PoolMaker]:
    """Make started pools; they end with the test."""
    made: list[PoolKit] = []

    async def make(**options: Any) -> PoolKit:
        kit = PoolKit(**options)
        made.append(kit)
        await kit.start()
        return kit

    yield make
    for kit in made:
        await kit.close()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A gateway of the tests' own."""
    made = Stage()
    await made.start()
    yield made
    await made.stop()


class RunningWorker:
    """A worker's main part in the test's own loop, its tasks in real children."""

    def __init__(self, target: str, **settings: Any) -> None:
        self.said: list[str] = []
        fields: dict[str, Any] = {"app": "sample_tasks", "name": "w@h", "concurrency": 1, "target": target, **settings}
        self.worker = Worker(Settings(**fields), self.said.append)
        self.task = asyncio.create_task(self.worker.run())

    @property
    def is_ready(self) -> bool:
        """Whether it has said so."""
        return "w@h ready." in self.said

    def signal(self) -> None:
        """What SIGTERM does."""
        self.worker.on_signal(signal.SIGTERM)

    async def exit_code(self) -> int:
        """Wait for its end."""
        return await asyncio.wait_for(self.task, 20)


WorkerMaker = Callable[..., Coroutine[Any, Any, RunningWorker]]


@pytest.fixture
async def make_worker(stage: Stage) -> AsyncIterator[WorkerMaker]:
    """Start workers that are connected to the stage and ready; they are stopped with the test."""
    made: list[RunningWorker] = []

    async def make(**settings: Any) -> RunningWorker:
        worker = RunningWorker(stage.target, **settings)
        made.append(worker)
        await stage.until(lambda: worker.is_ready or worker.task.done())
        return worker

    yield make
    for worker in made:
        while not worker.task.done():
            worker.signal()
            await asyncio.wait((worker.task,), timeout=0.2)


WorkerStarter = Callable[..., WorkerProcess]


@pytest.fixture
def start_worker(gateway: GatewayProcess) -> Iterator[WorkerStarter]:
    """Starts workers; those that still run are killed with the test."""
    started: list[WorkerProcess] = []

    def start(*flags: str, **options: Any) -> WorkerProcess:
        started.append(WorkerProcess(gateway.target, *flags, **options))
        return started[-1]

    yield start
    for worker in started:
        worker.end_family()
        worker.stop()


@pytest.fixture
def app(gateway: GatewayProcess) -> Iterator[Caraway]:
    """A client of the gateway."""
    made = Caraway("test", target=gateway.target)
    yield made
    made.close()
