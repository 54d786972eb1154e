"""Why the gateway refuses: the one table of reasons, their gRPC status codes and their exceptions."""

from dataclasses import dataclass
from typing import Final

from caraway import exceptions

__all__ = ["DOMAIN", "REASONS", "Reason"]

DOMAIN: Final = "caraway"
"""Domain of every google.rpc.ErrorInfo that a gateway sends."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One value of the contract's ErrorReason.

    `code` is the name of the gRPC status code that it always comes with; `exception` what the SDK raises for it, or
    None where only workers meet it.
    """

    name: str
    code: str
    exception: type[exceptions.CarawayError] | None


_TABLE: Final = (
    Reason("TASK_NOT_FOUND", "NOT_FOUND", exceptions.TaskNotFound),
    Reason("TASK_ID_CONFLICT", "ALREADY_EXISTS", exceptions.TaskIdConflict),
    Reason("INVALID_FIELD", "INVALID_ARGUMENT", exceptions.InvalidTask),
    Reason("NUMBER_NOT_EXACT", "INVALID_ARGUMENT", exceptions.InvalidTask),
    Reason("MALFORMED_MESSAGE", "INVALID_ARGUMENT", exceptions.InvalidTask),
    Reason("PAYLOAD_TOO_LARGE", "INVALID_ARGUMENT", exceptions.PayloadTooLarge),
    Reason("BATCH_TOO_LARGE", "INVALID_ARGUMENT", exceptions.InvalidTask),
    Reason("QUEUE_FULL", "RESOURCE_EXHAUSTED", exceptions.QueueFull),
    Reason("LEASE_LOST", "ABORTED", None),
    Reason("BATCH_REJECTED", "ABORTED", exceptions.BatchRejected),
    Reason("STORE_UNAVAILABLE", "UNAVAILABLE", exceptions.OperationalError),
    Reason("STORE_READ_ONLY", "UNAVAILABLE", exceptions.OperationalError),
    Reason("STORE_NOT_CONFIRMED", "UNAVAILABLE", exceptions.OperationalError),
    Reason("STORE_FULL", "RESOURCE_EXHAUSTED", exceptions.StoreFull),
    Reason("STREAM_PROTOCOL", "FAILED_PRECONDITION", None),
    Reason("SHUTTING_DOWN", "UNAVAILABLE", exceptions.OperationalError),
    Reason("UNIQUE_CONFLICT", "ALREADY_EXISTS", exceptions.UniqueConflict),
    Reason("QUEUE_NOT_FOUND", "NOT_FOUND", exceptions.QueueNotFound),
    Reason("WORKER_NOT_FOUND", "NOT_FOUND", exceptions.WorkerNotFound),
    Reason("UNAUTHENTICATED", "UNAUTHENTICATED", exceptions.Unauthenticated),
    Reason("WORKFLOW_NOT_FOUND", "NOT_FOUND", exceptions.WorkflowNotFound),
    Reason("WORKFLOW_ID_CONFLICT", "ALREADY_EXISTS", exceptions.WorkflowIdConflict),
    Reason("INVALID_WORKFLOW", "INVALID_ARGUMENT", exceptions.InvalidWorkflow),
    Reason("WORKFLOW_NOT_OPEN", "FAILED_PRECONDITION", exceptions.WorkflowStateError),
    Reason("WORKFLOW_PART_MISSING", "FAILED_PRECONDITION", exceptions.WorkflowStateError),
    Reason("WORKFLOW_NOT_RETRYABLE", "FAILED_PRECONDITION", exceptions.WorkflowStateError),
    Reason("WORKFLOW_FULL", "RESOURCE_EXHAUSTED", exceptions.WorkflowFull),
    Reason("INTERNAL", "INTERNAL", exceptions.InternalError),
)

REASONS: Final[dict[str, Reason]] = {reason.name: reason for reason in _TABLE}
"""Every reason by its name, which is the proto's without the prefix ERROR_REASON_."""
