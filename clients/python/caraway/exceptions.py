"""Every error that Caraway raises.

CarawayError                     Celery's CeleryError, which is another name of it here
├── ImproperlyConfigured         an app, or one of its options, is wrong
│   ├── AppNotFound              -A names no app
│   └── AlreadyRegistered        another function has the task's name (also TaskError)
├── OperationalError             the gateway, or its store, stays away (also BackendError)
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
│   ├── Unauthenticated          no token, or none that the gateway knows (also SecurityError)
│   └── InternalError
├── RemoteError                  a task failed with an error that this process does not know
├── SecurityError
├── TaskError                    about one task
│   ├── ChordError               a task of a chord's header failed (also that task's error)
│   ├── IncompleteStream         results that follow are not known yet
│   ├── MaxRetriesExceededError
│   ├── NotRegistered            no task has this name (also KeyError)
│   ├── TaskRevokedError
│   │   └── TaskExpiredError
│   └── TimeoutError             a wait took too long (also builtins.TimeoutError)
├── SoftTimeLimitExceeded
├── TimeLimitExceeded
├── Terminated                   never raised: a task whose process was ended is revoked, or lost
├── WorkerLostError
│   └── LostLimitError           quarantined: too many of its workers died
├── TaskRejectedError
└── TaskPredicate                raised by a task to steer its own end
    ├── Retry
    ├── Ignore
    │   └── Replaced
    └── Reject
BackendError
├── BackendGetMetaError          never raised, and so the next: the gateway keeps all results
└── BackendStoreError

Beside these are Celery's warnings and the two SystemExits that end its workers (`caraway.celery_warnings`). Nothing
here gives them.
"""

import builtins
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NoReturn

from caraway.celery_warnings import (
    AlwaysEagerIgnored,
    CDeprecationWarning,
    CeleryWarning,
    CPendingDeprecationWarning,
    DuplicateNodenameWarning,
    DuplicateTaskNameWarning,
    FixupWarning,
    NotConfigured,
    SecurityWarning,
    WorkerShutdown,
    WorkerTerminate,
)
from caraway.error_bases import BackendError, CarawayError, SecurityError, TaskError
from caraway.predicates import Ignore, Reject, Replaced, Retry, TaskPredicate
from caraway.request_errors import (
    BatchRejected,
    InternalError,
    InvalidTask,
    InvalidTaskError,
    InvalidWorkflow,
    PayloadTooLarge,
    QueueFull,
    QueueNotFound,
    RequestError,
    StoreFull,
    TaskIdConflict,
    TaskNotFound,
    Unauthenticated,
    UniqueConflict,
    WorkerNotFound,
    WorkflowFull,
    WorkflowIdConflict,
    WorkflowNotFound,
    WorkflowStateError,
)

__all__ = [
    "AlreadyRegistered",
    "AlwaysEagerIgnored",
    "AppNotFound",
    "BackendError",
    "BackendGetMetaError",
    "BackendStoreError",
    "BatchRejected",
    "CDeprecationWarning",
    "CPendingDeprecationWarning",
    "CarawayError",
    "CeleryError",
    "CeleryWarning",
    "ChordError",
    "ContentDisallowed",
    "DecodeError",
    "DuplicateNodenameWarning",
    "DuplicateTaskNameWarning",
    "EncodeError",
    "FixupWarning",
    "Ignore",
    "ImproperlyConfigured",
    "IncompleteStream",
    "InternalError",
    "InvalidTask",
    "InvalidTaskError",
    "InvalidWorkflow",
    "LostLimitError",
    "MaxRetriesExceededError",
    "NotConfigured",
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
    "SecurityError",
    "SecurityWarning",
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
    "Terminated",
    "TimeLimitExceeded",
    "TimeoutError",
    "Unauthenticated",
    "UniqueConflict",
    "WorkerLostError",
    "WorkerNotFound",
    "WorkerShutdown",
    "WorkerTerminate",
    "WorkflowFull",
    "WorkflowIdConflict",
    "WorkflowNotFound",
    "WorkflowStateError",
    "reraise",
]

CeleryError = CarawayError


class ImproperlyConfigured(CarawayError):
    """An app, a task or one of their options is wrong."""


class AppNotFound(ImproperlyConfigured):
    """No app is found under the name given."""


class AlreadyRegistered(ImproperlyConfigured, TaskError):
    """Another function has the task's name."""


class OperationalError(CarawayError, BackendError):
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


class BackendGetMetaError(BackendError):
    """A result could not be read. Never raised: what can't be read now is an OperationalError."""

    def __init__(self, *args: Any, task_id: str = "") -> None:
        """`task_id` is the result's."""
        super().__init__(*args)
        self.task_id = task_id


class BackendStoreError(BackendError):
    """A result could not be kept. Never raised: it is the worker that has the gateway keep it."""

    def __init__(self, *args: Any, state: str = "", task_id: str = "") -> None:
        """`state` and `task_id` are the task's."""
        super().__init__(*args)
        self.state = state
        self.task_id = task_id


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


class Terminated(CarawayError):
    """A task's process was ended. Never raised: the task is revoked, or its worker was lost."""


class ChordError(TaskError):
    """A task of a chord's header failed. What the chord's result raises is an error of that task's class, too."""


class TaskRevokedError(TaskError):
    """The task was revoked."""


class TaskExpiredError(TaskRevokedError):
    """The task had not started when it expired."""


class TaskRejectedError(CarawayError):
    """The worker rejected the task."""


def reraise(tp: Any, value: BaseException, tb: TracebackType | None = None) -> NoReturn:
    """Raise an exception with a traceback. `tp` is taken for Celery's sake."""
    raise value.with_traceback(tb)


# What they are called on the wire, in tracebacks and by pickle: where programs import them from.
for _name in __all__:
    globals()[_name].__module__ = __name__
