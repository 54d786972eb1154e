"""Every error that Caraway raises.

CarawayError                     Celery's CeleryError, which is another name of it here
├── ImproperlyConfigured         an app, or one of its options, is wrong
│   ├── AppNotFound              -A names no app
│   └── AlreadyRegistered        another function has the task's name (also TaskError)
├── OperationalError             the gateway, or its store, stays away
├── SubmitError                  some tasks of a batch were refused
├── PayloadError                 a value can't be written or read
│   ├── EncodeError
│   ├── DecodeError
│   ├── ContentDisallowed        accept_content does not name its content type
│   └── SerializerNotInstalled   a serializer or a compression is not known here, or lacks its package
├── RequestError                 the gateway refused a call
│   ├── TaskNotFound
│   ├── TaskIdConflict
│   ├── InvalidTask              Celery's InvalidTaskError (also TaskError)
│   │   ├── InvalidWorkflow      its graph is not sound
│   │   └── PayloadTooLarge
│   ├── UniqueConflict           another task has the uniqueness key
│   ├── QueueNotFound            (also TaskError and KeyError)
│   ├── WorkerNotFound
│   ├── WorkflowNotFound
│   ├── WorkflowIdConflict
│   ├── WorkflowFull
│   ├── WorkflowStateError       it takes no more nodes, or can't be run again
│   ├── QueueFull
│   ├── StoreFull
│   ├── BatchRejected
│   ├── Unauthenticated          no token, or none that the gateway knows
│   └── InternalError
├── RemoteError                  a task failed with an error that this process does not know
├── TaskError                    about one task
│   ├── IncompleteStream         results that follow are not known yet
│   ├── MaxRetriesExceededError
│   ├── NotRegistered            no task has this name (also KeyError)
│   ├── TaskRevokedError
│   │   └── TaskExpiredError
│   └── TimeoutError             a wait took too long (also builtins.TimeoutError)
├── SoftTimeLimitExceeded
├── TimeLimitExceeded
├── WorkerLostError
│   └── LostLimitError           quarantined: too many of its workers died
├── TaskRejectedError
└── TaskPredicate                raised by a task to steer its own end
    ├── Retry
    ├── Ignore
    │   └── Replaced
    └── Reject
"""

import builtins
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = [
    "AlreadyRegistered",
    "AppNotFound",
    "BatchRejected",
    "CarawayError",
    "CeleryError",
    "ContentDisallowed",
    "DecodeError",
    "EncodeError",
    "Ignore",
    "ImproperlyConfigured",
    "IncompleteStream",
    "InternalError",
    "InvalidTask",
    "InvalidTaskError",
    "InvalidWorkflow",
    "LostLimitError",
    "MaxRetriesExceededError",
    "NotRegistered",
    "OperationalError",
    "PayloadError",
    "PayloadTooLarge",
    "QueueFull",
    "QueueNotFound",
    "Reject",
    "RemoteError",
    "Replaced",
    "RequestError",
    "Retry",
    "SerializerNotInstalled",
    "SoftTimeLimitExceeded",
    "StoreFull",
    "SubmitError",
    "TaskError",
    "TaskExpiredError",
    "TaskIdConflict",
    "TaskNotFound",
    "TaskPredicate",
    "TaskRejectedError",
    "TaskRevokedError",
    "TimeLimitExceeded",
    "TimeoutError",
    "Unauthenticated",
    "UniqueConflict",
    "WorkerLostError",
    "WorkerNotFound",
    "WorkflowFull",
    "WorkflowIdConflict",
    "WorkflowNotFound",
    "WorkflowStateError",
]


class CarawayError(Exception):
    """Base of all errors of Caraway."""


CeleryError = CarawayError


class TaskError(CarawayError):
    """Base of errors that are about one task, as Celery has it."""


class ImproperlyConfigured(CarawayError):
    """An app, a task or one of their options is wrong."""


class AppNotFound(ImproperlyConfigured):
    """No app is found under the name given."""


class AlreadyRegistered(ImproperlyConfigured, TaskError):
    """Another function has the task's name."""


class OperationalError(CarawayError):
    """The gateway, or the store behind it, could not be reached in time.

    Whether the call took effect is then unknown; submitting again with the same task_id is safe.
    """

    def __init__(self, message: str, *, target: str = "", reason: str = "") -> None:
        """`target` is the gateway's address; `reason` the gateway's word for it, empty if it did not answer."""
        super().__init__(message)
        self.target = target
        self.reason = reason


class TimeoutError(TaskError, builtins.TimeoutError):
    """A wait for a result took longer than its timeout; the task goes on."""


class IncompleteStream(TaskError):
    """A result has not ended, so that what comes after it is not known yet."""


class PayloadError(CarawayError):
    """A value could not be written, read or kept."""


class EncodeError(PayloadError):
    """A value has no form in the payload contract (docs/payload.md)."""


class DecodeError(PayloadError):
    """A payload does not follow the contract (docs/payload.md)."""


class ContentDisallowed(PayloadError):
    """A payload's content type is not one of the app's `accept_content`: it is neither written nor read."""


class SerializerNotInstalled(PayloadError):
    """No serializer or compression of this name is known here, or the package that it needs is missing."""


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


class Unauthenticated(RequestError):
    """The gateway asks for a token, and was sent none that it knows (docs/security.md)."""


class InternalError(RequestError):
    """A fault of the gateway itself; its log says more."""


class SubmitError(CarawayError):
    """Some tasks of a batch were not accepted; the others were."""

    def __init__(self, results: Sequence[Any], errors: Mapping[str, CarawayError], *, accepted: int) -> None:
        """`errors` holds the error of each task that was not accepted, by its id; `accepted` counts the others.

        `results` are the AsyncResults of the accepted; empty after `with app.batch()`, whose caller has them already.
        """
        first = next(iter(errors.values()))
        super().__init__(f"{len(errors)} of {len(errors) + accepted} tasks were not accepted; the first: {first}")
        self.accepted = accepted
        self.results = list(results)
        self.errors = dict(errors)


class RemoteError(CarawayError):
    """A task failed with an exception whose class this process does not know."""

    def __init__(self, type_name: str, message: str, traceback: str = "") -> None:
        """`type_name` is the full name of the error's class, `traceback` its text as the worker saw it."""
        super().__init__(f"{type_name}: {message}" if message else type_name)
        self.type_name = type_name
        self.message = message
        self.traceback = traceback


class NotRegistered(TaskError, KeyError):
    """No task of this name is registered."""

    def __str__(self) -> str:
        """Shows the message as it is; KeyError would show its repr."""
        return str(self.args[0]) if self.args else ""


class MaxRetriesExceededError(TaskError):
    """A task asked for a retry when its retries were used up."""

    def __init__(self, message: str = "", task_args: Sequence[Any] = (), task_kwargs: Mapping[str, Any] | None = None):
        """`task_args` and `task_kwargs` are what the task was called with."""
        super().__init__(message)
        self.task_args = task_args
        self.task_kwargs = dict(task_kwargs or {})


class SoftTimeLimitExceeded(CarawayError):
    """Raised inside a task when its soft time limit strikes."""


class TimeLimitExceeded(CarawayError):
    """The hard time limit struck and the task's process was killed."""


class WorkerLostError(CarawayError):
    """The process or the worker that ran the task vanished."""


class LostLimitError(WorkerLostError):
    """The task was quarantined: too many of its deliveries ended in a lost worker or process."""


class TaskRevokedError(TaskError):
    """The task was revoked."""


class TaskExpiredError(TaskRevokedError):
    """The task had not started when it expired."""


class TaskRejectedError(CarawayError):
    """The worker rejected the task."""


class TaskPredicate(CarawayError):
    """Base of what a task raises to steer its own end."""


class Retry(TaskPredicate):
    """The task is to be tried again. Raised by `Task.retry`; raised by hand, nobody counts the retries."""

    def __init__(
        self,
        message: str = "",
        exc: BaseException | None = None,
        when: float | timedelta | datetime | None = None,
        *,
        overrides: Any = None,
    ) -> None:
        """`exc` is the error that made it necessary.

        `when` is the wait before the next attempt, in seconds or as a timedelta, or the instant (with a time zone) to
        wait for; by default it is at once. `overrides` is a TaskSpec with what the next attempt has different.
        """
        super().__init__(message or (str(exc) if exc is not None else ""))
        self.exc = exc
        self.when = when
        self.overrides = overrides

    def humanize(self) -> str:
        """Say when: "in 3s", "at" an instant, or "now"."""
        if isinstance(self.when, datetime):
            return f"at {self.when}"
        return f"in {self.delay:g}s" if self.delay else "now"

    @property
    def delay(self) -> float:
        """The wait from now, in seconds."""
        when = self.when
        if isinstance(when, datetime):
            when = when - datetime.now(UTC)
        seconds = when.total_seconds() if isinstance(when, timedelta) else when or 0.0
        return max(seconds, 0.0)


class Ignore(TaskPredicate):
    """The task ends without an outcome."""


class Replaced(Ignore):
    """The task gives its place to other nodes, and ends as one of them does: see `Task.replace`."""

    def __init__(self, nodes: Sequence[Any], output_node_id: str, plan: Any = None) -> None:
        """`nodes` are WorkflowNode messages, as TaskReport.Replaced has them; `output_node_id` is the one that counts.

        `plan` is the canvas that they are compiled from; where the task runs here and now it is all there is.
        """
        super().__init__("Replaced by new task")
        self.nodes = nodes
        self.output_node_id = output_node_id
        self.plan = plan


class Reject(TaskPredicate):
    """The worker refuses the task."""

    def __init__(self, reason: object = "", requeue: bool = False) -> None:
        """`reason` is a text, or the error that it is for. `requeue=True` hands it back to its queue."""
        super().__init__(reason)
        self.reason = reason
        self.requeue = requeue
