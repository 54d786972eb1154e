"""Attempt: one delivery while it runs in the child, and the report that is written of it."""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from caraway.v1 import worker_service_pb2
from caraway_worker.soft_limit import SoftLimit

Ended = tuple[int, int, bytes]
"""The number of the report's field that is set, the run time in ns, and the report."""


class TaskSlot(Protocol):
    """The slot of the child that a task runs in."""

    soft_limit: SoftLimit
    run_coroutine: Callable[[Coroutine[Any, Any, Any]], Any]

    def progress(self, sequence: int, report: bytes) -> None:
        """Send a report of progress."""

    def cancelled(self, sequence: int) -> bool:
        """Whether the cancellation of this assignment is asked for."""


@dataclass(slots=True, repr=False)  # no text: it would show arguments, which may be hidden
class Attempt:
    """One delivery while it runs."""

    slot: TaskSlot
    sequence: int
    lease: worker_service_pb2.TaskLease
    report: worker_service_pb2.TaskReport
    began: int  # CLOCK_MONOTONIC, nanoseconds
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None  # what it ended by

    @classmethod
    def begin(cls, slot: TaskSlot, sequence: int, lease: worker_service_pb2.TaskLease) -> "Attempt":
        """Take the time from now on."""
        report = worker_service_pb2.TaskReport(task_id=lease.task.task_id, lease_token=lease.lease_token)
        return cls(slot, sequence, lease, report, time.monotonic_ns())

    @property
    def runtime(self) -> float:
        """How long it runs, in seconds."""
        return (time.monotonic_ns() - self.began) / 1e9

    def seal(self, outcome: int) -> Ended:
        """Take the time until now, and write the report down."""
        run_ns = time.monotonic_ns() - self.began
        run_time = self.report.run_time
        run_time.seconds, run_time.nanos = divmod(run_ns, 1_000_000_000)
        return outcome, run_ns, self.report.SerializeToString()
