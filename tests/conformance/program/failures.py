"""How a call of the library failed, as the suite reads it."""

import traceback
from typing import Any

from caraway.exceptions import ImproperlyConfigured, OperationalError, PayloadError, RequestError, TimeoutError
from caraway.v1 import task_pb2


class TaskEndedError(Exception):
    """A task ended without success; `error` is what the library raised for it."""

    def __init__(self, task: task_pb2.Task, error: BaseException) -> None:
        super().__init__(str(error))
        self.task = task


def as_failure(error: Exception) -> dict[str, Any]:
    """Give the members of an answer's `error`."""
    match error:
        case TaskEndedError():
            return {"code": "TASK", "state": state_name(error.task), **error_of(error.task.error)}
        case TimeoutError():
            return {"code": "TIMEOUT"}
        case RequestError():
            return {"code": error.code, "reason": error.reason, "metadata": error.metadata}
        case OperationalError():
            return {"code": "UNAVAILABLE", "reason": error.reason}
        case PayloadError():
            return {"code": "PAYLOAD", "message": str(error)}
        case ImproperlyConfigured() | ValueError() | TypeError():
            return {"code": "INVALID", "message": str(error)}
    return {"code": "UNEXPECTED", "message": "".join(traceback.format_exception(error))}


def state_name(task: task_pb2.Task) -> str:
    """A task's state without its prefix."""
    return task_pb2.Task.State.Name(task.state).removeprefix("STATE_")


def error_of(error: task_pb2.TaskError) -> dict[str, Any]:
    """Why a task ended."""
    return {
        "kind": task_pb2.TaskError.Kind.Name(error.kind).removeprefix("KIND_"),
        "type": error.type,
        "message": error.message,
        "language": error.language,
        "failed_task_id": error.failed_task_id or None,
    }
