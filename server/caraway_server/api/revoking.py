"""How a caller wants tasks, or a workflow's, to be revoked."""

import signal
from dataclasses import dataclass
from typing import Literal, Protocol

from google.protobuf import duration_pb2

from caraway.v1 import task_service_pb2
from caraway_server.api import validate

LONGEST_REASON = 1024

_Mode = task_service_pb2.RevokeTasksRequest
_MODES = {
    _Mode.MODE_UNSPECIFIED: "p",
    _Mode.MODE_PENDING_ONLY: "p",
    _Mode.MODE_CANCEL: "c",
    _Mode.MODE_TERMINATE: "t",
}


class Revocation(Protocol):
    """A request that says how."""

    mode: task_service_pb2.RevokeTasksRequest.Mode.ValueType
    reason: str
    signal: str

    @property
    def grace(self) -> duration_pb2.Duration:
        """May be unset."""

    def HasField(self, field_name: Literal["grace"], /) -> bool:
        """Whether it is set."""


@dataclass(frozen=True, slots=True)
class How:
    """The same, checked, as the store takes it; `grace` is microseconds."""

    mode: str
    reason: str
    grace: int
    signal: str


def read_how(request: Revocation, otherwise: str) -> How:
    """Checks how a caller wants it done.

    Args:
        request: says so.
        otherwise: the reason where none is given.

    Raises:
        Refused: a field is unfit.
    """
    if request.mode not in _MODES:
        raise validate.invalid("mode", f"{request.mode} is not known")
    if len(request.reason) > LONGEST_REASON:
        raise validate.invalid("reason", f"is longer than {LONGEST_REASON} characters")
    if request.signal and request.signal not in signal.Signals.__members__:
        raise validate.invalid("signal", f"{request.signal!r} is no signal; say SIGTERM, SIGKILL, ...")
    grace = validate.bounded("grace", request.grace, zero=True) if request.HasField("grace") else 0
    return How(_MODES[request.mode], request.reason or otherwise, grace, request.signal)
