"""What only the worker's main part knows of a task, told to receivers of signals.

The main part of `caraway worker` runs no code of the user's: it has a child call the receivers. Where the main part
runs in a process of the user's, as in tests, they are called there.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from caraway.signals import task_received, task_rejected, task_revoked, task_unknown
from caraway.v1 import task_pb2, worker_service_pb2
from caraway_worker import outcomes
from caraway_worker.delivery import Delivery
from caraway_worker.frames import Kind, pack
from caraway_worker.notice import Notice
from caraway_worker.pool import Pool

logger = logging.getLogger("caraway.worker")

_UNREADABLE: Final = ("ContentDisallowed", "DecodeError")
_MOST_WAITING: Final = 1000


class Notices:
    """Sees what happens to deliveries, and has told what receivers of signals are to hear."""

    def __init__(self, tell: Callable[[Notice], None]) -> None:
        self._tell = tell

    def received(self, delivery: Delivery) -> None:
        """It came."""
        self._tell(Notice(task_received.name, delivery.lease))

    def ended(self, delivery: Delivery, outcome: int, report: bytes) -> None:
        """It ended with this report."""
        stop = delivery.stop
        if outcome == outcomes.CANCELLED:
            signum = int(stop.sign) if stop is not None and stop.sign is not None else None
            terminated = stop is not None and stop.kill
            self._tell(Notice(task_revoked.name, delivery.lease, terminated=terminated, signum=signum))
        elif outcome == outcomes.RELEASED and delivery.is_expired():
            self._tell(Notice(task_revoked.name, delivery.lease, expired=True))
        elif outcome == outcomes.FAILED:
            error = worker_service_pb2.TaskReport.FromString(report).failed.error
            if error.kind == task_pb2.TaskError.KIND_UNKNOWN_TASK:
                self._tell(Notice(task_unknown.name, delivery.lease, error.message))
            elif error.kind == task_pb2.TaskError.KIND_PAYLOAD and error.type.rpartition(".")[2] in _UNREADABLE:
                self._tell(Notice(task_rejected.name, delivery.lease, error.message))


class ChildPost:
    """Sends notices to a child that has time for them. Those that wait for one too long are dropped, with a warning."""

    def __init__(self, pool: Pool, listens: Iterable[str]) -> None:
        self._pool = pool
        self._listens = frozenset(listens)
        self._waiting: deque[Notice] = deque()

    def tell(self, notice: Notice) -> None:
        """Pass it on, if any receiver is there."""
        if notice.signal not in self._listens:
            return
        if len(self._waiting) >= _MOST_WAITING:
            logger.warning("%d notices wait for a child; one more, of %s, is dropped", _MOST_WAITING, notice.signal)
            return
        self._waiting.append(notice)
        self.flush()

    def flush(self) -> None:
        """Send what waits, if a child is there."""
        ready = [child for child in self._pool.children.values() if child.takes] if self._waiting else []
        if ready:
            child = min(ready, key=lambda one: sum(len(slot.assigned) for slot in one.slots))
            while self._waiting:
                child.send(pack(Kind.NOTICE, self._waiting.popleft().to_bytes()))
