"""What the gateway refuses, and would refuse again."""

from collections.abc import Mapping

from caraway.error_bases import CarawayError, SecurityError, TaskError

__all__ = [
    "BatchRejected",
    "InternalError",
    "InvalidTask",
    "InvalidTaskError",
    "InvalidWorkflow",
    "PayloadTooLarge",
    "QueueFull",
    "QueueNotFound",
    "RequestError",
    "StoreFull",
    "TaskIdConflict",
    "TaskNotFound",
    "Unauthenticated",
    "UniqueConflict",
    "WorkerNotFound",
    "WorkflowFull",
    "WorkflowIdConflict",
    "WorkflowNotFound",
    "WorkflowStateError",
]


class RequestError(CarawayError):
    """The gateway refused a call, and would refuse it again."""

    def __init__(
        self, message: str, *, reason: str = "", code: str = "", metadata: Mapping[str, str] | None = None
    ) -> None:
        """`reason` is a key of `caraway.reasons.REASONS`, `code` gRPC's status, `metadata` the gateway's details."""
        super().__init__(message)
        self.reason = reason
        self.code = code
        self.metadata = dict(metadata or {})


class TaskNotFound(RequestError):
    """No task has this id: it never existed, or was forgotten."""


class TaskIdConflict(RequestError):
    """The id belongs to a task with another specification."""


class UniqueConflict(RequestError):
    """Another task has the uniqueness key; `metadata["task_id"]` says which."""


class QueueNotFound(RequestError, TaskError, KeyError):
    """No queue has this name: it holds no task, and nothing was set for it; or a setting of the app names none.

    The app's `task_create_missing_queues` may forget about the latter.
    """

    __str__ = CarawayError.__str__


class WorkerNotFound(RequestError):
    """No worker of this id was heard of lately."""


class WorkflowNotFound(RequestError):
    """There is no workflow of this id: it was never submitted, or its time is over."""


class WorkflowIdConflict(RequestError):
    """The id belongs to another workflow."""


class WorkflowFull(RequestError):
    """The workflow has as many nodes as it may."""


class WorkflowStateError(RequestError):
    """The workflow is not in a state for this: it takes no more nodes, a part is missing, or it can't be run again."""


class InvalidTask(RequestError, TaskError):
    """A field of the request is missing, malformed or out of its range; `metadata["field"]` says which."""


InvalidTaskError = InvalidTask


class InvalidWorkflow(InvalidTask):
    """The graph is not sound: a cycle, an unknown or repeated node, an edge that makes no sense."""


class PayloadTooLarge(InvalidTask):
    """Arguments are larger than the gateway takes."""


class QueueFull(RequestError):
    """The queue holds as many waiting tasks as it may."""


class StoreFull(RequestError):
    """The store's memory is full."""


class BatchRejected(RequestError):
    """Another item of an all-or-nothing batch was refused."""


class Unauthenticated(RequestError, SecurityError):
    """The gateway asks for a token, and was sent none that it knows (docs/security.md)."""


class InternalError(RequestError):
    """A fault of the gateway itself; its log says more."""
