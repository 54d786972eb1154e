"""Something that only the worker's main part knows, and that receivers of signals are to hear."""

import json
import struct
from dataclasses import asdict, dataclass
from typing import Final

from caraway.exceptions import DecodeError, NotRegistered
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
from caraway.v1 import worker_service_pb2
from caraway.worker import WorkerInstance
from caraway_worker.received import Request

_OF_TASKS: Final = (task_received, task_rejected, task_revoked, task_unknown)
_OF_WORKERS: Final = (heartbeat_sent, worker_ready, worker_shutdown, worker_shutting_down)
SIGNALS: Final = (*_OF_TASKS, *_OF_WORKERS)
_BY_NAME: Final = {signal.name: signal for signal in SIGNALS}
_HEAD: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened: `signal` is the name of the signal, the rest what it tells.

    `lease` is the delivery that it happened to, where there is one; `sig` and `how` are about the worker's end.
    """

    signal: str
    lease: bytes = b""
    error: str = ""
    terminated: bool = False
    signum: int | None = None
    expired: bool = False
    sig: str = ""
    how: str = ""

    def to_bytes(self) -> bytes:
        """Return it as the body of a NOTICE frame."""
        fields = asdict(self)
        del fields["lease"]
        head = json.dumps(fields).encode()
        return _HEAD.pack(len(head)) + head + self.lease

    @classmethod
    def from_bytes(cls, body: bytes) -> "Notice":
        """Read the body of a NOTICE frame."""
        start = _HEAD.size
        end = start + _HEAD.unpack_from(body)[0]
        return cls(lease=body[end:], **json.loads(body[start:end]))

    def send(self, worker: WorkerInstance) -> None:
        """Call the receivers, here."""
        signal = _BY_NAME[self.signal]
        if signal in _OF_TASKS:
            self._send_of_task(worker)
        elif signal is worker_shutting_down:
            signal.send(sender=worker.hostname, sig=self.sig, how=self.how, exitcode=0)
        else:
            signal.send(sender=worker)

    def _send_of_task(self, worker: WorkerInstance) -> None:
        request = Request(worker_service_pb2.TaskLease.FromString(self.lease), worker.hostname, worker.app)
        if self.signal == task_received.name:
            task_received.send(sender=worker, request=request)
        elif self.signal == task_unknown.name:
            error = NotRegistered(self.error)
            task_unknown.send(sender=worker, message=request, exc=error, name=request.name, id=request.id)
        elif self.signal == task_rejected.name:
            task_rejected.send(sender=worker, message=request, exc=DecodeError(self.error))
        else:
            task_revoked.send(
                sender=worker.app.tasks.get(request.name, request.name),
                request=request.as_context(),
                terminated=self.terminated,
                signum=self.signum,
                expired=self.expired,
            )
