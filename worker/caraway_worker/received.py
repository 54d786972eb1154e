"""A task as a worker was given it, told to receivers of signals in Celery's words."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from caraway import request
from caraway.app import Caraway
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
