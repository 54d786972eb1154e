"""Requests that end a task or forget it, and what their answers mean."""

from typing import Any, Final, TypedDict

from caraway.durations import Seconds, set_duration
from caraway.exceptions import TaskNotFound
from caraway.v1 import task_pb2, task_service_pb2

__all__ = [
    "CeleryOptions",
    "RevocationOptions",
    "cancellation",
    "check_forgotten",
    "check_revoked",
    "deletion",
    "revocation",
]

_Mode: Final = task_service_pb2.RevokeTasksRequest
_Revoked: Final = task_service_pb2.RevokeTasksResponse.Result
_Deleted: Final = task_service_pb2.DeleteTasksResponse.Result


class RevocationOptions(TypedDict, total=False):
    """How tasks are revoked, as `AsyncResult.revoke` has it."""

    terminate: bool
    """Kill what runs; without, it goes on."""
    signal: str | None
    """With terminate: what its process is sent first; "SIGTERM" by default."""
    reason: str | None
    """Kept with the task."""
    grace: Seconds | None
    """With terminate: seconds from the signal to the kill; 0 by default."""


class CeleryOptions(TypedDict, total=False):
    """What Celery's revoke takes beside that. No effect here: what is revoked is so when the call returns."""

    connection: Any
    wait: bool
    reply: bool
    timeout: Seconds | None


def revocation(
    task_id: str, terminate: bool, signal: str | None, reason: str | None, grace: Seconds | None
) -> task_service_pb2.RevokeTasksRequest:
    """Make the request of AsyncResult.revoke. Raises ValueError for options that do not go together."""
    if not terminate and (signal is not None or grace is not None):
        raise ValueError("signal and grace need terminate=True")
    request = task_service_pb2.RevokeTasksRequest(
        mode=_Mode.MODE_TERMINATE if terminate else _Mode.MODE_PENDING_ONLY,
        reason=reason or "",
        signal=signal or "",
    )
    request.selector.task_ids.append(task_id)
    if grace is not None:
        set_duration(request.grace, "grace", grace)
    return request


def cancellation(task_id: str, reason: str) -> task_service_pb2.RevokeTasksRequest:
    """Make the request of AbortableAsyncResult.abort."""
    return task_service_pb2.RevokeTasksRequest(
        selector=task_pb2.TaskSelector(task_ids=[task_id]), mode=_Mode.MODE_CANCEL, reason=reason
    )


def check_revoked(task_id: str, response: task_service_pb2.RevokeTasksResponse) -> None:
    """Raise TaskNotFound if there was nothing to revoke."""
    if response.results[0].outcome == _Revoked.OUTCOME_NOT_FOUND:
        raise _not_found(task_id)


def deletion(task_id: str) -> task_service_pb2.DeleteTasksRequest:
    """Make the request of AsyncResult.forget."""
    return task_service_pb2.DeleteTasksRequest(selector=task_pb2.TaskSelector(task_ids=[task_id]))


def check_forgotten(task_id: str, response: task_service_pb2.DeleteTasksResponse) -> None:
    """Raise TaskNotFound, or ValueError if the task has not ended, or its workflow has not."""
    outcome = response.results[0].outcome
    if outcome == _Deleted.OUTCOME_NOT_FOUND:
        raise _not_found(task_id)
    if outcome == _Deleted.OUTCOME_NOT_TERMINAL:
        raise ValueError(f"the task {task_id} has not ended: revoke it first")
    if outcome == _Deleted.OUTCOME_NEEDED:
        raise ValueError(f"the workflow of task {task_id} has not ended, and may need its result")


def _not_found(task_id: str) -> TaskNotFound:
    return TaskNotFound(
        f"there is no task {task_id}", reason="TASK_NOT_FOUND", code="NOT_FOUND", metadata={"task_id": task_id}
    )
