"""Something that only the worker's main part knows of a task, and that receivers of signals are to hear."""

import json
import struct
from dataclasses import asdict, dataclass
from typing import Final

from caraway.app import Caraway
from caraway.exceptions import DecodeError, NotRegistered
from caraway.signals import task_received, task_rejected, task_revoked, task_unknown
from caraway.v1 import worker_service_pb2
from caraway_worker.received import Request

SIGNALS: Final = (task_received, task_rejected, task_revoked, task_unknown)
_HEAD: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened to a delivery: `signal` is the name of the signal, the rest what it tells."""

    signal: str
    lease: bytes
    error: str = ""
    terminated: bool = False
    signum: int | None = None
    expired: bool = False

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

    def send(self, worker: str, app: Caraway) -> None:
        """Call the receivers, here. `worker` is the worker's name."""
        request = Request(worker_service_pb2.TaskLease.FromString(self.lease), worker, app)
        if self.signal == task_received.name:
            task_received.send(sender=worker, request=request)
        elif self.signal == task_unknown.name:
            error = NotRegistered(self.error)
            task_unknown.send(sender=worker, message=request, exc=error, name=request.name, id=request.id)
        elif self.signal == task_rejected.name:
            task_rejected.send(sender=worker, message=request, exc=DecodeError(self.error))
        else:
            task_revoked.send(
                sender=app.tasks.get(request.name, request.name),
                request=request,
                terminated=self.terminated,
                signum=self.signum,
                expired=self.expired,
            )
