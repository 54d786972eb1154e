"""One slot of a child, as the child itself holds it: runs one assignment after the other."""

import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from caraway.v1 import worker_service_pb2
from caraway_worker.attempt import Ended
from caraway_worker.coroutines import CoroutineRunner
from caraway_worker.execute import Executor
from caraway_worker.frames import ASSIGN_HEAD, DONE_HEAD, SEQUENCE, Kind
from caraway_worker.outbox import Outbox
from caraway_worker.shared import ChildSlotCells
from caraway_worker.soft_limit import SoftLimit

Assignment = tuple[int, worker_service_pb2.TaskLease]


class SlotOwner(Protocol):
    """The child that the slot belongs to."""

    executor: Executor
    outbox: Outbox
    tracked: set[str]
    leaving: bool

    def on_task_ended(self) -> None:
        """A slot has run a task."""


class ChildSlot:
    """Says over the cells and the outbox what it starts and how that ended."""

    def __init__(self, owner: SlotOwner, cells: ChildSlotCells, soft_limit: SoftLimit) -> None:
        self.soft_limit = soft_limit
        self.run_count = 0
        self._owner = owner
        self.run_coroutine: Callable[[Coroutine[Any, Any, Any]], Any] = self._run_coroutine
        self._cells = cells
        self._coroutines: CoroutineRunner | None = None

    def begin(self, body: bytes) -> Assignment | None:
        """Say that an assignment starts; None: it was withdrawn, or came too late, and is not run."""
        sequence, not_after_ns = ASSIGN_HEAD.unpack_from(body)
        now = time.monotonic_ns()
        owner = self._owner
        # Order matters: `start` says that it begins, then looks whether it was withdrawn. See shared.py.
        if owner.leaving or not self._cells.start(sequence, now) or 0 < not_after_ns < now:
            owner.outbox.put(Kind.SKIPPED, SEQUENCE.pack(sequence))
            return None
        lease = worker_service_pb2.TaskLease.FromString(body[ASSIGN_HEAD.size :])
        if lease.task.name in owner.tracked:
            owner.outbox.put(Kind.BEGUN, SEQUENCE.pack(sequence))
        return sequence, lease

    def run(self, body: bytes, more: bool) -> None:
        """Run an assignment here and now; `more` says that another one follows at once."""
        assignment = self.begin(body)
        if assignment is not None:
            self.run_begun(assignment, more)

    def run_begun(self, assignment: Assignment, more: bool) -> None:
        """Run an assignment that has begun."""
        self._finish(assignment[0], self._owner.executor.run(self, *assignment), more)

    async def arun(self, assignment: Assignment, more: bool) -> None:
        """Run an async task's assignment that has begun, in the running loop."""
        self._finish(assignment[0], await self._owner.executor.arun(self, *assignment), more)

    def _finish(self, sequence: int, ended: Ended, more: bool) -> None:
        outcome, run_ns, report = ended
        self.run_count += 1
        self._owner.outbox.put(Kind.DONE, DONE_HEAD.pack(sequence, run_ns, outcome) + report, more)
        self._owner.on_task_ended()

    # What a running task asks for.

    def progress(self, sequence: int, report: bytes) -> None:
        """Send a report of progress."""
        self._owner.outbox.put(Kind.PROGRESS, SEQUENCE.pack(sequence) + report)

    def cancelled(self, sequence: int) -> bool:
        """Whether the cancellation of this assignment is asked for."""
        return self._cells.cancelled(sequence)

    def _run_coroutine(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run the coroutine of an async task to its end, on a loop of this slot's own; a pool may know a better way."""
        if self._coroutines is None:
            self._coroutines = CoroutineRunner(self.soft_limit)
        return self._coroutines.run(coroutine)

    def close(self) -> None:
        """Close the loop of its coroutines."""
        if self._coroutines is not None:
            self._coroutines.close()
