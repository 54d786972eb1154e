"""A real pool with real children, and a record of what it told."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caraway.payload import encode_arguments
from caraway.v1 import task_pb2, worker_service_pb2
from caraway_worker import outcomes
from caraway_worker.catalog import Catalog
from caraway_worker.children import PoolOptions
from caraway_worker.delivery import Delivery
from caraway_worker.intake import Intake
from caraway_worker.options import ChildOptions
from caraway_worker.pool import Pool
from caraway_worker.settings import Settings
from caraway_worker.watch import Watch

TaskReport = worker_service_pb2.TaskReport
DEADLINE = 20.0

_numbers = itertools.count(1)


def lease(name: str, *args: Any, soft: float = 0, hard: float = 0, **kwargs: Any) -> worker_service_pb2.TaskLease:
    """Make a lease of a task."""
    number = next(_numbers)
    spec = task_pb2.TaskSpec(
        task_id=f"task-{number}", name=name, queue="default", payload=encode_arguments(args, kwargs)
    )
    if soft:
        spec.time_limits.soft.FromNanoseconds(int(soft * 1e9))
    if hard:
        spec.time_limits.hard.FromNanoseconds(int(hard * 1e9))
    return worker_service_pb2.TaskLease(
        lease_token=f"token-{number}", fence=number, task=spec, attempt=1, delivery_count=1
    )


def lines_of(path: str) -> list[str]:
    """What tasks have written to a file."""
    return Path(path).read_text().splitlines()


@dataclass
class Ended:
    """How a delivery ended."""

    delivery: Delivery
    outcome: int
    report: worker_service_pb2.TaskReport
    at: float

    @property
    def kind(self) -> str:
        """The name of the report's field."""
        return self.report.WhichOneof("report") or ""

    @property
    def result(self) -> str:
        """The result as JSON text."""
        assert self.kind == "succeeded", self.report
        return self.report.succeeded.result.json

    @property
    def error(self) -> task_pb2.TaskError:
        """The error of a failed or lost one."""
        return self.report.lost.error if self.kind == "lost" else self.report.failed.error


@dataclass
class Recorder:
    """The pool's owner: keeps what it is told, and lets a test wait for it."""

    ended: dict[str, Ended] = field(default_factory=dict)
    reports: list[tuple[str, worker_service_pb2.TaskReport]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_outcome(self, delivery: Delivery, outcome: int, report: bytes, run_ns: int) -> None:
        parsed = TaskReport.FromString(report)
        assert delivery.token not in self.ended, f"{delivery.token} ended twice: {parsed}"
        assert parsed.task_id == delivery.task_id and parsed.lease_token == delivery.token
        assert getattr(outcomes, (parsed.WhichOneof("report") or "").upper()) == outcome
        self.ended[delivery.token] = Ended(delivery, outcome, parsed, asyncio.get_running_loop().time())
        self.changed.set()

    def on_report(self, delivery: Delivery, report: bytes) -> None:
        self.reports.append((delivery.token, TaskReport.FromString(report)))
        self.changed.set()

    def on_drop(self, delivery: Delivery) -> None:
        self.dropped.append(delivery.token)
        self.changed.set()

    def on_room(self) -> None:
        self.changed.set()


class PoolKit:
    """A started pool with its watch."""

    def __init__(self, **options: Any) -> None:
        size = self.size = options.pop("size", 1)
        self.slots = options.get("slots", 1)
        fields: dict[str, Any] = {
            "app": "sample_tasks", "worker": "w@h", "supervisor": 0, "socket": -1, "shared": -1, "log_level": 30,
        }  # fmt: skip
        fields.update(options)
        self.recorder = Recorder()
        self.pool = Pool(PoolOptions(size, ChildOptions(**fields)), self.recorder)
        self.watch = Watch(self.pool)
        self.loop = asyncio.get_running_loop()

    async def start(self) -> Catalog:
        """Start the children and wait until all are ready."""
        catalog = await self.pool.start()
        async with asyncio.timeout(DEADLINE):
            await self.pool.crew.wait_all_up()
        self._intake = Intake(catalog, Settings(app="sample_tasks"))
        return catalog

    async def close(self) -> None:
        """End the children."""
        self.watch.close()
        self.pool.kill_running("the test ends")
        await self.pool.close()

    def give(self, *leases: worker_service_pb2.TaskLease) -> list[Delivery]:
        """Hand leases to the pool, as if they had just come."""
        deliveries = self._intake.deliveries(leases, self.loop.time())
        self.pool.take(deliveries)
        self.watch.wake()
        return deliveries

    async def changes(self) -> None:
        """Wait until the pool tells something, at most 5 ms."""
        self.recorder.changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.recorder.changed.wait(), 0.005)

    async def until(self, condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(deadline):
            while not condition():
                await self.changes()

    def give_wanted(self, left: list[worker_service_pb2.TaskLease]) -> list[Delivery]:
        """Hand over as many from the head of `left` as the pool has room for, as a gateway does by its credit."""
        room = max(0, self.pool.wanted - self.pool.open_count)
        given = self.give(*left[:room])
        del left[:room]
        return given

    async def run_as_wanted(self, *leases: worker_service_pb2.TaskLease) -> list[Ended]:
        """Run many leases, handed over as the pool wants them, and wait until all have ended."""
        left, given = list(leases), []
        while left or not all(delivery.ended for delivery in given):
            given += self.give_wanted(left)
            await self.changes()
        return [self.recorder.ended[delivery.token] for delivery in given]

    async def run(self, *leases: worker_service_pb2.TaskLease) -> list[Ended]:
        """Run leases and wait until all have ended."""
        deliveries = self.give(*leases)
        ended = self.recorder.ended
        await self.until(lambda: all(delivery.token in ended for delivery in deliveries))
        return [ended[delivery.token] for delivery in deliveries]

    async def run_one(self, name: str, *args: Any, **options: Any) -> Ended:
        """Run one task to its end."""
        return (await self.run(lease(name, *args, **options)))[0]

    async def until_up(self) -> None:
        """Wait until every child, replaced ones included, takes tasks."""
        children = self.pool.children
        await self.until(lambda: sum(child.takes for child in children.values()) == self.size)

    async def until_running(self, delivery: Delivery) -> int:
        """Wait until a child runs this delivery; returns the child's process id."""

        def runs() -> bool:
            child = self.pool.children.get(delivery.child)
            return child is not None and child.slot_of(delivery.sequence).running()[0] is delivery

        await self.until(runs)
        return self.pool.children[delivery.child].pid
