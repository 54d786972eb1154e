"""A task as a worker was given it, told to receivers of signals in Celery's words."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from caraway import request
from caraway.app import Caraway
from caraway.exceptions import PayloadError
from caraway.payload import decode_arguments
from caraway.v1 import worker_service_pb2


@dataclass(frozen=True, slots=True)
class Request:
    """A delivery that a worker has, or had. `hostname` is the worker's name."""

    lease: worker_service_pb2.TaskLease
    hostname: str
    app: Caraway

    @property
    def id(self) -> str:
        """Of the task."""
        return self.lease.task.task_id

    task_id = id

    @property
    def name(self) -> str:
        """Of the task."""
        return self.lease.task.name

    task_name = type = name

    @property
    def task(self) -> Any:
        """The task; its name, where the app does not know it."""
        return self.app.tasks.get(self.name, self.name)

    @property
    def correlation_id(self) -> str:
        """The task's id."""
        return self.id

    reply_to = None

    @property
    def args(self) -> tuple[Any, ...]:
        """What it is called with. Raises PayloadError."""
        return decode_arguments(self.lease.task, self.app)[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        """What it is called with. Raises PayloadError."""
        return decode_arguments(self.lease.task, self.app)[1]

    @property
    def headers(self) -> dict[str, str]:
        """The task's own headers."""
        return dict(self.lease.task.headers)

    @property
    def root_id(self) -> str:
        """Of the first task of its family."""
        return self.lease.task.headers.get(request.ROOT_HEADER, self.id)

    @property
    def parent_id(self) -> str | None:
        """Of the task that submitted it."""
        return self.lease.task.headers.get(request.PARENT_HEADER)

    @property
    def expires(self) -> datetime | None:
        """When it ends unless it has started."""
        spec = self.lease.task
        return spec.expire_time.ToDatetime(tzinfo=UTC) if spec.HasField("expire_time") else None

    @property
    def eta(self) -> datetime | None:
        """When its sender wanted it to run; None: at once."""
        spec = self.lease.task
        return spec.schedule_time.ToDatetime(tzinfo=UTC) if spec.HasField("schedule_time") else None

    @property
    def delivery_info(self) -> dict[str, Any]:
        """Where it came from."""
        spec, lease = self.lease.task, self.lease
        return {
            "exchange": "",
            "routing_key": spec.queue,
            "queue": spec.queue,
            "priority": self.app.turned(spec.priority),
            "redelivered": lease.delivery_count > lease.attempt,
        }

    def as_context(self) -> request.Context:
        """As the task would have been shown itself; without arguments, where they can't be read."""
        try:
            args, kwargs = self.args, self.kwargs
        except PayloadError:
            args, kwargs = (), {}
        return request.Context(
            id=self.id, task=self.name, args=args, kwargs=kwargs, attempt=self.lease.attempt,
            delivery_count=self.lease.delivery_count, fence=self.lease.fence, hostname=self.hostname,
            headers=self.headers, delivery_info=self.delivery_info, expires=self.expires, eta=self.eta,
            root_id=self.root_id, parent_id=self.parent_id, app=self.app,
        )  # fmt: skip
