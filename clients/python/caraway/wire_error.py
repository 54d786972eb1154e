"""Exceptions as TaskError messages, and back."""

import sys
import traceback
from typing import Any, Final

from caraway import exceptions
from caraway.exceptions import ContentDisallowed, DecodeError, EncodeError, SerializerNotInstalled
from caraway.payload import decode, encode
from caraway.v1 import task_pb2

__all__ = ["RemoteTraceback", "to_error", "to_exception", "type_name"]


def type_name(kind: type) -> str:
    """Give a class's full name, as TaskError.type holds it."""
    return f"{kind.__module__}.{kind.__qualname__}"


_MAX_MESSAGE: Final = 32 * 1024
_MAX_TRACEBACK: Final = 64 * 1024
_MAX_DETAIL: Final = 32 * 1024
_MAX_CAUSES: Final = 16
_GAP: Final = "\n... cut ...\n"

_Kind = task_pb2.TaskError

# Ends that Caraway itself decided: they have one class each, whatever type the wire names.
_BY_KIND: Final[dict[int, type[exceptions.CarawayError]]] = {
    _Kind.KIND_SOFT_TIME_LIMIT: exceptions.SoftTimeLimitExceeded,
    _Kind.KIND_TIME_LIMIT: exceptions.TimeLimitExceeded,
    _Kind.KIND_WORKER_LOST: exceptions.WorkerLostError,
    _Kind.KIND_LOST_LIMIT: exceptions.LostLimitError,
    _Kind.KIND_REVOKED: exceptions.TaskRevokedError,
    _Kind.KIND_EXPIRED: exceptions.TaskExpiredError,
    _Kind.KIND_REJECTED: exceptions.TaskRejectedError,
    _Kind.KIND_UNKNOWN_TASK: exceptions.NotRegistered,
}

_PAYLOAD_ERRORS: Final = {
    type_name(kind): kind for kind in (ContentDisallowed, DecodeError, EncodeError, SerializerNotInstalled)
}


class RemoteTraceback(Exception):
    """Shows, as the cause of an exception, where in the worker it was raised."""

    def __init__(self, text: str) -> None:
        """`text` is the traceback as the worker printed it."""
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        """Set the text off from the traceback around it."""
        return f'\n"""\n{self.text}"""'


def to_error(
    exc: BaseException, kind: task_pb2.TaskError.Kind.ValueType = _Kind.KIND_APPLICATION
) -> task_pb2.TaskError:
    """Write an exception with its traceback and causes. Never raises, whatever the exception's own methods do."""
    error = task_pb2.TaskError(
        kind=kind,
        type=type_name(type(exc)),
        message=_message(exc),
        traceback=_traceback(exc),
        language="python",
    )
    seen = {id(exc)}
    cause = _cause(exc)
    while cause is not None and id(cause) not in seen and len(error.causes) < _MAX_CAUSES:
        seen.add(id(cause))
        error.causes.add(type=type_name(type(cause)), message=_message(cause), traceback=_traceback(cause, chain=False))
        cause = _cause(cause)
    _write_detail(exc, error)
    return error


def to_exception(error: task_pb2.TaskError) -> BaseException:
    """Make the exception that a failed task is raised as.

    An error of the task's own code comes back as its class if that is an exception class in a module that is loaded
    here already; nothing else that the wire names is ever looked up, imported or called. Otherwise a RemoteError.
    """
    # What failed as a task before it did has that one's error.
    which = error.failed_kind if error.kind == _Kind.KIND_DEPENDENCY else error.kind
    kind = _BY_KIND.get(which)
    if kind is not None:
        exc: BaseException = kind(error.message)
    elif which == _Kind.KIND_PAYLOAD:
        exc = _PAYLOAD_ERRORS.get(error.type, exceptions.PayloadError)(error.message)
    else:
        exc = _rebuild(error) or exceptions.RemoteError(error.type, error.message, error.traceback)
    if error.traceback:
        exc.__cause__ = RemoteTraceback(error.traceback)
    return exc


def _cause(exc: BaseException) -> BaseException | None:
    return exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)


def _message(exc: BaseException) -> str:
    try:
        text = str(exc)
    except Exception as broken:
        text = f"<its text can't be made: {type_name(type(broken))}>"
    return _clean(text)[:_MAX_MESSAGE] if len(text) < _MAX_MESSAGE // 4 else _cut(text, _MAX_MESSAGE)


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "backslashreplace")[:size].decode("utf-8", "ignore")


def _clean(text: str) -> str:
    """Escape lone surrogates, which a message can't carry."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _traceback(exc: BaseException, chain: bool = True) -> str:
    try:
        text = "".join(traceback.format_exception(exc, chain=chain))
    except Exception as broken:
        text = f"<the traceback can't be made: {type_name(type(broken))}>"
    data = text.encode("utf-8", "backslashreplace")
    if len(data) > _MAX_TRACEBACK:
        # The middle goes: the start says where the task was called, the end what happened.
        half = (_MAX_TRACEBACK - len(_GAP)) // 2
        data = data[:half] + _GAP.encode() + data[-half:]
    return data.decode("utf-8", "ignore")


def _write_detail(exc: BaseException, error: task_pb2.TaskError) -> None:
    try:
        detail = encode(list(exc.args))
    except (EncodeError, RecursionError):
        return
    if len(detail.json) <= _MAX_DETAIL:
        error.detail.CopyFrom(detail)


def _rebuild(error: task_pb2.TaskError) -> BaseException | None:
    kind = _find_class(error.type)
    if kind is None:
        return None
    args: Any = [error.message] if error.message else []
    if error.HasField("detail"):
        try:
            args = decode(error.detail)
        except DecodeError:
            return None
    if type(args) is not list:
        return None
    try:
        made: Any = kind(*args)
    except Exception:
        # The class wants other arguments than it keeps in its args.
        return None
    # A __new__ may give anything.
    return made if isinstance(made, BaseException) else None


def _find_class(name: str) -> type[BaseException] | None:
    """Find an exception class by its full name among the modules that are loaded. Reads dictionaries only: no import,
    no attribute hook runs.
    """
    parts = name.split(".")
    for split in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:split]))
        if module is None:
            continue
        found: Any = module
        for part in parts[split:]:
            found = vars(found).get(part) if found is module or isinstance(found, type) else None
        return found if isinstance(found, type) and _is_allowed(found) else None
    return None


def _is_allowed(kind: type) -> bool:
    """Tell whether a class may be raised for a remote error.

    Not those that steer the interpreter, a generator or an event loop (SystemExit, KeyboardInterrupt, StopIteration,
    CancelledError): a remote task must not end its caller.
    """
    if issubclass(kind, StopIteration | StopAsyncIteration):
        return False
    if issubclass(kind, Exception):
        return True
    return issubclass(kind, BaseException) and kind.__module__.partition(".")[0] not in {"builtins", "asyncio"}
