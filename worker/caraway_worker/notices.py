"""What only the worker's main part knows, told to receivers of signals.

The main part of `caraway worker` runs no code of the user's: its service process calls the receivers. Where the main
part runs in a process of the user's, as in tests, they are called there.
"""

from collections.abc import Callable, Iterable
from typing import Final

from caraway.signals import (
    heartbeat_sent,
    task_received,
    task_rejected,
    task_revoked,
    task_unknown,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from caraway.v1 import task_pb2, worker_service_pb2
from caraway_worker import outcomes
from caraway_worker.delivery import Delivery
from caraway_worker.notice import SIGNALS, Notice
from caraway_worker.shutdown import Stage

_ALL: Final = tuple(signal.name for signal in SIGNALS)
_UNREADABLE: Final = ("ContentDisallowed", "DecodeError")


class Notices:
    """Sees what happens to deliveries and to the worker, and has told what receivers of signals are to hear."""

    def __init__(self, tell: Callable[[Notice], None], listens: Iterable[str] = _ALL) -> None:
        """`listens` names the signals that anyone wants to hear of; of others `tell` is not."""
        self.listens = frozenset(listens)
        self._call = tell

    def _tell(self, notice: Notice) -> None:
        if notice.signal in self.listens:
            self._call(notice)

    def received(self, delivery: Delivery) -> None:
        """It came."""
        if task_received.name in self.listens:
            self._call(Notice(task_received.name, delivery.lease))

    def ended(self, delivery: Delivery, outcome: int, report: bytes) -> None:
        """It ended with this report."""
        if not self.listens:
            return
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

    def ready(self) -> None:
        """The worker takes tasks."""
        self._tell(Notice(worker_ready.name))

    def renewed(self) -> None:
        """A heartbeat was sent."""
        self._tell(Notice(heartbeat_sent.name))

    def ending(self, stage: Stage, sign: str) -> None:
        """The worker ends, or ends sooner; `sign` is the signal that it was told by, if any."""
        self._tell(Notice(worker_shutting_down.name, sig=sign, how=stage.name.capitalize()))

    def over(self) -> None:
        """The worker is about to exit."""
        self._tell(Notice(worker_shutdown.name))
