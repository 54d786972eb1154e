"""What a running task is told of itself, read from its lease when it asks."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from caraway import request
from caraway.app import Caraway
from caraway.stamps import stamps_of
from caraway.task import Task
from caraway.v1 import worker_service_pb2
from caraway_worker.attempt import Attempt
from caraway_worker.options import ChildOptions

Progress = Callable[[Attempt, str, Any], None]


class LeaseContext(request.Context):
    """The context of a delivery.

    Most tasks ask for little of it, and making all would cost as much as running a small task does: what is seldom
    asked for is made when it is.
    """

    __slots__ = ("_attempt", "_options", "_progress", "_task")

    def __init__(
        self, attempt: Attempt, task: "Task[Any, Any]", app: Caraway, options: ChildOptions, progress: Progress
    ) -> None:
        """`progress` sends what the task tells of itself."""
        spec = attempt.lease.task
        self._attempt, self._task, self._options, self._progress = attempt, task, options, progress
        self.id = self.root_id = spec.task_id
        self.task = spec.name
        self.args, self.kwargs = attempt.args, attempt.kwargs
        self.app = app
        self.called_directly = self.entered = False
        self.parent_id = self.shadow = self.added_nodes = None
        if spec.headers:
            headers = self.headers = dict(spec.headers)
            self.root_id = headers.get(request.ROOT_HEADER, self.id)
            self.parent_id = headers.get(request.PARENT_HEADER)
            self.shadow = headers.get(request.SHADOW_HEADER)

    def __getattr__(self, name: str) -> Any:
        """Make a field that was not asked for yet."""
        make = _MAKERS.get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = make(self)
        setattr(self, name, value)
        return value

    @property
    def _lease(self) -> worker_service_pb2.TaskLease:
        return self._attempt.lease

    def _delivery_info(self) -> dict[str, Any]:
        lease = self._lease
        return {
            "queue": lease.task.queue,
            "priority": self.app.turned(lease.task.priority),
            "redelivered": lease.delivery_count > lease.attempt,
        }

    def _timelimit(self) -> tuple[float | None, float | None]:
        """Hard and soft limit as the supervisor enforces them, in seconds."""
        task, options, spec = self._task, self._options, self._lease.task
        hard = task.time_limit if task.time_limit is not None else options.hard
        soft = task.soft_time_limit if task.soft_time_limit is not None else options.soft
        if spec.HasField("time_limits"):
            limits = spec.time_limits
            if limits.HasField("hard"):
                hard = limits.hard.ToTimedelta().total_seconds()
            if limits.HasField("soft"):
                soft = limits.soft.ToTimedelta().total_seconds()
        return hard, soft

    def _expires(self) -> datetime | None:
        lease = self._lease
        if lease.task.HasField("expire_time"):
            return lease.task.expire_time.ToDatetime(tzinfo=UTC)
        if lease.HasField("expires_in"):
            left = timedelta(seconds=lease.expires_in.seconds - self._attempt.runtime)
            return datetime.now(UTC) + left
        return None

    def _eta(self) -> datetime | None:
        spec = self._lease.task
        return spec.schedule_time.ToDatetime(tzinfo=UTC) if spec.HasField("schedule_time") else None


def _default(field: Any) -> Callable[[LeaseContext], Any]:
    if field.default is not MISSING:
        return lambda _context: field.default
    return lambda _context: field.default_factory()


_MAKERS: Final[dict[str, Callable[[LeaseContext], Any]]] = {
    **{field.name: _default(field) for field in fields(request.Context)},
    "argsrepr": lambda context: context._lease.task.args_repr,
    "kwargsrepr": lambda context: context._lease.task.kwargs_repr,
    "attempt": lambda context: context._lease.attempt,
    "delivery_count": lambda context: context._lease.delivery_count,
    "fence": lambda context: context._lease.fence,
    "hostname": lambda context: context._options.worker,
    "delivery_info": LeaseContext._delivery_info,
    "timelimit": LeaseContext._timelimit,
    "expires": LeaseContext._expires,
    "eta": LeaseContext._eta,
    "ignore_result": lambda context: context._lease.task.ignore_result or bool(context._task.ignore_result),
    "stamps": lambda context: stamps_of(context._lease.task),
    "trail": lambda context: context._task.trail,
    "report_progress": lambda context: partial(context._progress, context._attempt),
    "is_cancelled": lambda context: partial(context._attempt.slot.cancelled, context._attempt.sequence),
}
