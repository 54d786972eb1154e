"""From the gateway's refusals (google.rpc.Status) to exceptions, by the table of reasons."""

from typing import Any, Final

from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from caraway import exceptions
from caraway.reasons import DOMAIN, REASONS

__all__ = ["from_rpc_error", "from_status"]

_TRAILER: Final = "grpc-status-details-bin"

# What a status without a reason means: it comes from gRPC itself, or from something between here and the gateway.
_BY_CODE: Final[dict[str, type[exceptions.CarawayError]]] = {
    "UNAVAILABLE": exceptions.OperationalError,
    "DEADLINE_EXCEEDED": exceptions.OperationalError,
    "CANCELLED": exceptions.OperationalError,
    "RESOURCE_EXHAUSTED": exceptions.PayloadTooLarge,
    "INVALID_ARGUMENT": exceptions.InvalidTask,
    "NOT_FOUND": exceptions.TaskNotFound,
}


def from_status(status: status_pb2.Status) -> exceptions.CarawayError:
    """Make the exception for a refusal."""
    code = code_pb2.Code.Name(status.code) if status.code in code_pb2.Code.values() else "UNKNOWN"
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            known = REASONS.get(info.reason)
            kind = (known.exception if known else None) or _BY_CODE.get(code, exceptions.RequestError)
            return _make(kind, status.message, info.reason, code, dict(info.metadata))
    return _unexplained(code, status.message)


def from_rpc_error(error: Any, target: str) -> exceptions.CarawayError:
    """Make the exception for a failed call of the gateway at `target`; `error` is grpc's."""
    refusal = _from_trailer(error) or _unexplained(error.code().name, error.details() or "")
    if isinstance(refusal, exceptions.OperationalError):
        refusal.target = target
    return refusal


def _from_trailer(error: Any) -> exceptions.CarawayError | None:
    for key, value in error.trailing_metadata() or ():
        if key == _TRAILER:
            try:
                return from_status(status_pb2.Status.FromString(value))
            except DecodeError:
                return None
    return None


def _unexplained(code: str, message: str) -> exceptions.CarawayError:
    if code == "INTERNAL" and "RST_STREAM" in message:
        # How grpc reports some connections that broke under a call.
        code = "UNAVAILABLE"
    return _make(_BY_CODE.get(code, exceptions.RequestError), message, "", code, {})


def _make(
    kind: type[exceptions.CarawayError], message: str, reason: str, code: str, metadata: dict[str, str]
) -> exceptions.CarawayError:
    text = message or reason or code
    if issubclass(kind, exceptions.OperationalError):
        return kind(text, reason=reason)
    if issubclass(kind, exceptions.RequestError):
        return kind(text, reason=reason, code=code, metadata=metadata)
    return kind(text)
