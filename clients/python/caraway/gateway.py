"""What results, batches and tasks need of a gateway; `caraway.client` provides it.

Apart, so that a program that only defines tasks (a worker's child) never loads grpc.
"""

from collections.abc import Iterator
from typing import Any, Protocol

from caraway.payload import ReadingRules
from caraway.send_policy import SendPolicy
from caraway.v1 import control_service_pb2, task_pb2, task_service_pb2

__all__ = ["Gateway", "HasGateway"]


class Gateway(Protocol):
    """The calls of TaskService, with retries; each blocking one has an async twin. Times are in seconds.

    All raise OperationalError when the gateway stays away and RequestError when it refuses.
    """

    def submit(self, spec: task_pb2.TaskSpec, policy: SendPolicy | None = None) -> str:
        """Submit one task; gives the id of the task that was made, or is there already. `policy` is RetryClock's."""

    def submit_batch(
        self, request: task_service_pb2.BatchSubmitTasksRequest, policy: SendPolicy | None = None
    ) -> task_service_pb2.BatchSubmitTasksResponse:
        """Submit many tasks; each has its own answer."""

    def read(self, task_id: str, *, full: bool) -> task_pb2.Task:
        """Read a task as it stands; with arguments, result and traceback if `full`."""

    def wait(self, task_id: str, timeout: float | None, after_revision: int = 0) -> task_pb2.Task:
        """Wait for a task's end, through outages; or, with `after_revision`, for a later one. Raises TimeoutError."""

    def revoke(self, request: task_service_pb2.RevokeTasksRequest) -> task_service_pb2.RevokeTasksResponse:
        """Revoke tasks."""

    def delete(self, request: task_service_pb2.DeleteTasksRequest) -> task_service_pb2.DeleteTasksResponse:
        """Forget ended tasks."""

    def ask(self, method: str, request: Any, policy: SendPolicy | None = None) -> Any:
        """Make a unary call of any service by its name; `policy` is RetryClock's."""

    def watch(self, request: task_service_pb2.WatchTasksRequest) -> Iterator[task_service_pb2.WatchTasksResponse]:
        """Follow tasks; a broken stream is taken up again where it broke. Ends as `request.until_terminal` says."""

    def command(
        self, request: control_service_pb2.CommandWorkersRequest
    ) -> Iterator[control_service_pb2.CommandWorkersResponse]:
        """Have workers do something, and give what each answers as it comes. Not repeated after an outage."""

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""

    async def asubmit(self, spec: task_pb2.TaskSpec, policy: SendPolicy | None = None) -> str:
        """Async twin of `submit`."""

    async def asubmit_batch(
        self, request: task_service_pb2.BatchSubmitTasksRequest, policy: SendPolicy | None = None
    ) -> task_service_pb2.BatchSubmitTasksResponse:
        """Async twin of `submit_batch`."""

    async def aread(self, task_id: str, *, full: bool) -> task_pb2.Task:
        """Async twin of `read`."""

    async def await_(self, task_id: str, timeout: float | None, after_revision: int = 0) -> task_pb2.Task:
        """Async twin of `wait`."""

    async def aask(self, method: str, request: Any, policy: SendPolicy | None = None) -> Any:
        """Async twin of `ask`."""

    async def arevoke(self, request: task_service_pb2.RevokeTasksRequest) -> task_service_pb2.RevokeTasksResponse:
        """Async twin of `revoke`."""

    async def adelete(self, request: task_service_pb2.DeleteTasksRequest) -> task_service_pb2.DeleteTasksResponse:
        """Async twin of `delete`."""


class HasGateway(ReadingRules, Protocol):
    """An app, as results and batches see it."""

    @property
    def gateway(self) -> Gateway:
        """The gateway; connected at its first call."""
