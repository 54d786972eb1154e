"""The SDK's calls of TaskService, from threads; `caraway.aio_client` has those from event loops.

Loading either loads grpc, so both are loaded at the first call only.
"""

import time
from typing import Any

from caraway import forking
from caraway.aio_client import AioClient
from caraway.channel import Channel, RpcError, new_channel
from caraway.exceptions import CarawayError, OperationalError
from caraway.refusal import from_rpc_error
from caraway.retry_clock import RetryClock, WaitClock
from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc

__all__ = ["Client"]


class Client(AioClient):
    """Calls one gateway, with retries. Implements `caraway.gateway.Gateway`.

    Its blocking methods share one channel a process, whichever thread calls, and survive forks; its async ones, of the
    base, use one channel an event loop.
    """

    def __init__(self, target: str) -> None:
        """`target` is "host:port". Connects at the first call."""
        super().__init__(target)
        self.gate = forking.Gate()
        self._channel: Channel | None = None
        # The stub holds its multicallables: making one costs as much as a call.
        self._stub: Any = None

    def submit(self, spec: task_pb2.TaskSpec) -> None:
        """Submit one task."""
        self._repeat("SubmitTask", task_service_pb2.SubmitTaskRequest(task=spec))

    def submit_batch(
        self, request: task_service_pb2.BatchSubmitTasksRequest
    ) -> task_service_pb2.BatchSubmitTasksResponse:
        """Submit many tasks; each has its own answer."""
        response: task_service_pb2.BatchSubmitTasksResponse = self._repeat("BatchSubmitTasks", request)
        return response

    def read(self, task_id: str, *, full: bool) -> task_pb2.Task:
        """Read a task as it stands."""
        view = task_pb2.TASK_VIEW_FULL if full else task_pb2.TASK_VIEW_BASIC
        response: task_service_pb2.GetTaskResponse = self._repeat(
            "GetTask", task_service_pb2.GetTaskRequest(task_id=task_id, view=view)
        )
        return response.task

    def wait(self, task_id: str, timeout: float | None) -> task_pb2.Task:
        """Wait for a task's end, through outages of the gateway. Raises TimeoutError."""
        clock = WaitClock(self.target, task_id, timeout)
        while True:
            request = clock.next_request()
            try:
                response: task_service_pb2.WaitTaskResponse = self._call("WaitTask", request, clock.timeout())
            except CarawayError as error:
                delay = clock.next_delay(error)
            else:
                if clock.is_over(response):
                    return response.task
                continue
            time.sleep(delay)

    def revoke(self, request: task_service_pb2.RevokeTasksRequest) -> task_service_pb2.RevokeTasksResponse:
        """Revoke tasks."""
        response: task_service_pb2.RevokeTasksResponse = self._repeat("RevokeTasks", request)
        return response

    def delete(self, request: task_service_pb2.DeleteTasksRequest) -> task_service_pb2.DeleteTasksResponse:
        """Forget ended tasks."""
        response: task_service_pb2.DeleteTasksResponse = self._repeat("DeleteTasks", request)
        return response

    def close(self) -> None:
        """Close the process's channel; a later call opens a new one."""
        self.gate.shut(self.drop)
        self.gate.open()

    async def aclose(self) -> None:
        """Close this event loop's channel, and the process's."""
        await super().aclose()
        self.close()

    def drop(self) -> None:
        """Close the channel; calls under way end, and are made again once the gate is open."""
        if self._channel is not None:
            self._channel.close()
            self._channel = self._stub = None

    def _open(self) -> None:
        if self._channel is None:
            self._channel = new_channel(self.target)
            self._stub = task_service_pb2_grpc.TaskServiceStub(self._channel)
            forking.guard(self)

    def _call(self, method: str, request: Any, timeout: float) -> Any:
        """Make one attempt. Raises CarawayError."""
        self.gate.enter(self._open)
        stub = self._stub
        try:
            return getattr(stub, method)(request, timeout=timeout)
        except RpcError as error:
            raise from_rpc_error(error, self.target) from error
        except ValueError as error:
            if self._stub is stub:
                raise
            # The channel was closed, for a fork, after we had entered.
            raise OperationalError(str(error), target=self.target) from error
        finally:
            self.gate.leave()

    def _repeat(self, method: str, request: Any) -> Any:
        """Call until it is answered, refused, or the time for retries is over."""
        clock = RetryClock(self.target)
        while True:
            try:
                return self._call(method, request, clock.timeout())
            except CarawayError as error:
                delay = clock.next_delay(error)
            time.sleep(delay)
