"""The SDK's calls of TaskService from event loops: one grpc.aio channel a loop."""

import asyncio
from typing import Any

from caraway.channel import AioChannel, RpcError, new_aio_channel
from caraway.exceptions import CarawayError
from caraway.refusal import from_rpc_error
from caraway.retry_clock import RetryClock, WaitClock
from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc

__all__ = ["AioClient"]


class AioClient:
    """The async half of `caraway.client.Client`."""

    def __init__(self, target: str) -> None:
        """`target` is "host:port". Connects at the first call in each event loop."""
        self.target = target
        self._connections: dict[asyncio.AbstractEventLoop, tuple[AioChannel, Any]] = {}

    async def asubmit(self, spec: task_pb2.TaskSpec) -> None:
        """Submit one task."""
        await self._arepeat("SubmitTask", task_service_pb2.SubmitTaskRequest(task=spec))

    async def asubmit_batch(
        self, request: task_service_pb2.BatchSubmitTasksRequest
    ) -> task_service_pb2.BatchSubmitTasksResponse:
        """Submit many tasks; each has its own answer."""
        response: task_service_pb2.BatchSubmitTasksResponse = await self._arepeat("BatchSubmitTasks", request)
        return response

    async def aread(self, task_id: str, *, full: bool) -> task_pb2.Task:
        """Read a task as it stands."""
        view = task_pb2.TASK_VIEW_FULL if full else task_pb2.TASK_VIEW_BASIC
        response: task_service_pb2.GetTaskResponse = await self._arepeat(
            "GetTask", task_service_pb2.GetTaskRequest(task_id=task_id, view=view)
        )
        return response.task

    async def await_(self, task_id: str, timeout: float | None) -> task_pb2.Task:
        """Wait for a task's end, through outages of the gateway. Raises TimeoutError."""
        clock = WaitClock(self.target, task_id, timeout)
        while True:
            request = clock.next_request()
            try:
                response: task_service_pb2.WaitTaskResponse = await self._acall("WaitTask", request, clock.timeout())
            except CarawayError as error:
                delay = clock.next_delay(error)
            else:
                if clock.is_over(response):
                    return response.task
                continue
            await asyncio.sleep(delay)

    async def arevoke(self, request: task_service_pb2.RevokeTasksRequest) -> task_service_pb2.RevokeTasksResponse:
        """Revoke tasks."""
        response: task_service_pb2.RevokeTasksResponse = await self._arepeat("RevokeTasks", request)
        return response

    async def adelete(self, request: task_service_pb2.DeleteTasksRequest) -> task_service_pb2.DeleteTasksResponse:
        """Forget ended tasks."""
        response: task_service_pb2.DeleteTasksResponse = await self._arepeat("DeleteTasks", request)
        return response

    async def aclose(self) -> None:
        """Close this event loop's channel; a later call opens a new one."""
        connection = self._connections.pop(asyncio.get_running_loop(), None)
        if connection is not None:
            await connection[0].close()

    def forget(self) -> None:
        """Child of a fork only: the parent's event loops do not run here."""
        self._connections = {}

    def _astub(self) -> Any:
        loop = asyncio.get_running_loop()
        connection = self._connections.get(loop)
        if connection is None:
            # A channel holds its loop, so no weak reference would ever tell of a loop that nobody uses any more.
            for other in [other for other in self._connections if other.is_closed()]:
                del self._connections[other]
            channel = new_aio_channel(self.target)
            connection = self._connections[loop] = channel, task_service_pb2_grpc.TaskServiceStub(channel)
        return connection[1]

    async def _acall(self, method: str, request: Any, timeout: float) -> Any:
        """Make one attempt. Raises CarawayError."""
        try:
            return await getattr(self._astub(), method)(request, timeout=timeout)
        except RpcError as error:
            raise from_rpc_error(error, self.target) from error

    async def _arepeat(self, method: str, request: Any) -> Any:
        """Call until it is answered, refused, or the time for retries is over."""
        clock = RetryClock(self.target)
        while True:
            try:
                return await self._acall(method, request, clock.timeout())
            except CarawayError as error:
                delay = clock.next_delay(error)
            await asyncio.sleep(delay)
