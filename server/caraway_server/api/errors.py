"""Errors on the wire: a status with a google.rpc.ErrorInfo whose reason stands in the SDK's one table."""

from typing import Final

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from caraway.reasons import DOMAIN, REASONS
from caraway_server.core.errors import CarawayServerError, Refused
from caraway_server.store.values import NewTask

OK: Final = status_pb2.Status()


def status_for(error: CarawayServerError) -> status_pb2.Status:
    """The google.rpc.Status of an error, for items of a batch and for whole calls."""
    reason = REASONS[error.reason]
    info = error_details_pb2.ErrorInfo(reason=reason.name, domain=DOMAIN, metadata=error.metadata)
    detail = any_pb2.Any()
    detail.Pack(info)
    code: int = grpc.StatusCode[reason.code].value[0]
    return status_pb2.Status(code=code, message=error.message, details=[detail])


def not_found(task_id: str) -> Refused:
    """There is no such task."""
    return Refused(
        "TASK_NOT_FOUND",
        f"there is no task {task_id!r}: it was never submitted here, or its result has expired",
        task_id=task_id,
    )


def lease_lost(task_id: str) -> Refused:
    """A report of a delivery that is over."""
    return Refused(
        "LEASE_LOST", f"this delivery of task {task_id!r} is over; the report changed nothing", task_id=task_id
    )


def batch_rejected() -> Refused:
    """Another item of the batch was refused."""
    return Refused("BATCH_REJECTED", "another item of this all-or-nothing batch was refused; nothing was accepted")


def for_submit(word: str, new: NewTask, holder: str = "") -> Refused:
    """Why the store did not take a task; `holder` has the uniqueness key."""
    if word == "unique_conflict":
        return Refused(
            "UNIQUE_CONFLICT",
            f"task {holder!r} has the uniqueness key {new.unique_key!r}; wait for its end, or say another on_conflict",
            task_id=holder,
            key=new.unique_key,
        )
    if word == "conflict":
        return Refused(
            "TASK_ID_CONFLICT", f"task {new.task_id!r} exists with another spec; use a new id", task_id=new.task_id
        )
    if word == "queue_full":
        return Refused(
            "QUEUE_FULL",
            f"queue {new.queue!r} holds as many tasks as it may; retry later or start workers",
            queue=new.queue,
        )
    if word == "too_far":
        field = "task.schedule_time" if new.at > new.until else "task.expire_time"
        return Refused("INVALID_FIELD", f"{field} lies more than 10 years ahead", field=field)
    return batch_rejected()
