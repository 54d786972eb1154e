"""The SDK's calls of TaskService, from threads and from event loops. Loading it loads grpc, so that is done late.

Both share one channel a process. Not grpc.aio, whose channels belong to one event loop each and whose poller does not
survive a fork: a sync channel's futures are as fast (measured), and know neither loops nor forks.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

from caraway import forking, tracing
from caraway.channel import Channel, RpcError, StatusCode, new_channel
from caraway.exceptions import CarawayError, OperationalError
from caraway.refusal import from_rpc_error
from caraway.retry_clock import RetryClock, WaitClock
from caraway.send_policy import SendPolicy
from caraway.settings import Credentials
from caraway.transport import Transport
from caraway.v1 import (
    admin_service_pb2_grpc,
    control_service_pb2,
    control_service_pb2_grpc,
    task_pb2,
    task_service_pb2,
    task_service_pb2_grpc,
    worker_service_pb2_grpc,
    workflow_service_pb2_grpc,
)

__all__ = ["Client"]

_COMMAND_GRACE: Final = 5.0
"""Seconds that the gateway has beyond a command's own timeout, to say who was silent."""


class Client:
    """Calls one gateway, with retries, from any thread, event loop or forked child. Implements `gateway.Gateway`."""

    def __init__(self, target: str, *, credentials: Credentials | None = None, retry_for: float | None = None) -> None:
        """`target` is Transport's. Connects at the first call. `retry_for` is RetryClock's.

        Raises ImproperlyConfigured if target and credentials don't fit.
        """
        self._transport = Transport(target, credentials)
        self.target = target
        self.retry_for = retry_for
        self.gate = forking.Gate()
        self._channel: Channel | None = None
        # The stub holds its multicallables: making one costs as much as a call.
        self._stub: Any = None
        forking.guard(self)

    def submit(self, spec: task_pb2.TaskSpec, policy: SendPolicy | None = None) -> str:
        """Submit one task; gives the id of the task that was made, or is there already. `policy` is RetryClock's."""
        request = task_service_pb2.SubmitTaskRequest(task=spec)
        response: task_service_pb2.SubmitTaskResponse = self._repeat("SubmitTask", request, policy)
        return response.task.task_id

    def submit_batch(
        self, request: task_service_pb2.BatchSubmitTasksRequest, policy: SendPolicy | None = None
    ) -> task_service_pb2.BatchSubmitTasksResponse:
        """Submit many tasks; each has its own answer."""
        response: task_service_pb2.BatchSubmitTasksResponse = self._repeat("BatchSubmitTasks", request, policy)
        return response

    def read(self, task_id: str, *, full: bool) -> task_pb2.Task:
        """Read a task as it stands."""
        response: task_service_pb2.GetTaskResponse = self._repeat("GetTask", _reading(task_id, full))
        return response.task

    def wait(self, task_id: str, timeout: float | None, after_revision: int = 0) -> task_pb2.Task:
        """Wait for a task's end, or as WaitClock says, through outages of the gateway. Raises TimeoutError."""
        clock = WaitClock(self.target, task_id, timeout, after_revision)
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

    def ask(self, method: str, request: Any, policy: SendPolicy | None = None) -> Any:
        """Make a unary call of any service by its name; `policy` is RetryClock's."""
        return self._repeat(method, request, policy)

    def watch(self, request: task_service_pb2.WatchTasksRequest) -> Iterator[task_service_pb2.WatchTasksResponse]:
        """Follow tasks; a broken stream is taken up again where it broke. Ends as `request.until_terminal` says."""
        resumed = task_service_pb2.WatchTasksRequest()
        resumed.CopyFrom(request)
        clock = RetryClock(self.target, self.retry_for)
        while True:
            stub = self.gate.enter(self._open)
            try:
                responses = stub.WatchTasks(resumed, metadata=self._transport.metadata())
            finally:
                # Not held while the caller looks at what came: a fork would wait for it.
                self.gate.leave()
            try:
                for response in responses:
                    clock = RetryClock(self.target, self.retry_for)
                    resumed.resume_token = response.resume_token or resumed.resume_token
                    yield response
            except RpcError as error:
                delay = clock.next_delay(from_rpc_error(error, self.target))
            else:
                return
            finally:
                responses.cancel()
            time.sleep(delay)

    def command(
        self, request: control_service_pb2.CommandWorkersRequest
    ) -> Iterator[control_service_pb2.CommandWorkersResponse]:
        """Have workers do something, and give what each answers as it comes. Not repeated after an outage."""
        timeout = request.timeout.ToNanoseconds() / 1e9 + _COMMAND_GRACE
        stub = self.gate.enter(self._open)
        try:
            responses = stub.CommandWorkers(request, timeout=timeout, metadata=self._metadata())
        finally:
            self.gate.leave()  # as in watch()
        try:
            yield from responses
        except RpcError as error:
            raise from_rpc_error(error, self.target) from error
        finally:
            responses.cancel()

    async def asubmit(self, spec: task_pb2.TaskSpec, policy: SendPolicy | None = None) -> str:
        """Async twin of `submit`."""
        request = task_service_pb2.SubmitTaskRequest(task=spec)
        response: task_service_pb2.SubmitTaskResponse = await self._arepeat("SubmitTask", request, policy)
        return response.task.task_id

    async def asubmit_batch(
        self, request: task_service_pb2.BatchSubmitTasksRequest, policy: SendPolicy | None = None
    ) -> task_service_pb2.BatchSubmitTasksResponse:
        """Async twin of `submit_batch`."""
        response: task_service_pb2.BatchSubmitTasksResponse = await self._arepeat("BatchSubmitTasks", request, policy)
        return response

    async def aread(self, task_id: str, *, full: bool) -> task_pb2.Task:
        """Async twin of `read`."""
        response: task_service_pb2.GetTaskResponse = await self._arepeat("GetTask", _reading(task_id, full))
        return response.task

    async def await_(self, task_id: str, timeout: float | None, after_revision: int = 0) -> task_pb2.Task:
        """Async twin of `wait`."""
        clock = WaitClock(self.target, task_id, timeout, after_revision)
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

    async def aask(self, method: str, request: Any, policy: SendPolicy | None = None) -> Any:
        """Async twin of `ask`."""
        return await self._arepeat(method, request, policy)

    async def arevoke(self, request: task_service_pb2.RevokeTasksRequest) -> task_service_pb2.RevokeTasksResponse:
        """Async twin of `revoke`."""
        response: task_service_pb2.RevokeTasksResponse = await self._arepeat("RevokeTasks", request)
        return response

    async def adelete(self, request: task_service_pb2.DeleteTasksRequest) -> task_service_pb2.DeleteTasksResponse:
        """Async twin of `delete`."""
        response: task_service_pb2.DeleteTasksResponse = await self._arepeat("DeleteTasks", request)
        return response

    def close(self) -> None:
        """Close the channel; a later call opens a new one."""
        self.gate.shut(self.drop)
        self.gate.open()

    def drop(self) -> None:
        """Close the channel; calls under way end, and are made again once the gate is open."""
        channel, self._channel, self._stub = self._channel, None, None
        if channel is not None:
            channel.close()

    def _open(self) -> Any:
        if self._channel is None:
            self._channel = new_channel(self._transport)
            # One namespace: no two services have a method of the same name.
            self._stub = SimpleNamespace(
                **vars(task_service_pb2_grpc.TaskServiceStub(self._channel)),
                **vars(admin_service_pb2_grpc.AdminServiceStub(self._channel)),
                **vars(control_service_pb2_grpc.ControlServiceStub(self._channel)),
                **vars(workflow_service_pb2_grpc.WorkflowServiceStub(self._channel)),
                **vars(worker_service_pb2_grpc.WorkerServiceStub(self._channel)),
            )
        return self._stub

    def _metadata(self) -> Any:
        """Who calls, and in which trace."""
        known, trace = self._transport.metadata(), tracing.metadata()
        return known if trace is None else (*(known or ()), *trace)

    def _call(self, method: str, request: Any, timeout: float) -> Any:
        """Make one attempt. Raises CarawayError."""
        stub = self.gate.enter(self._open)
        try:
            return getattr(stub, method)(request, timeout=timeout, metadata=self._metadata())
        except RpcError as error:
            raise from_rpc_error(error, self.target) from error
        except ValueError as error:
            raise self._closed_under(stub, error) from error
        finally:
            self.gate.leave()

    async def _acall(self, method: str, request: Any, timeout: float) -> Any:
        """Make one attempt: begun here, ended in the channel's thread, taken up again by this event loop."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        stub = self.gate.enter(self._open)
        try:
            call = getattr(stub, method).future(request, timeout=timeout, metadata=self._metadata())
        except BaseException as error:
            self.gate.leave()
            if isinstance(error, ValueError):
                raise self._closed_under(stub, error) from error
            raise

        def end(_call: Any) -> None:
            self.gate.leave()
            # A loop that was closed meanwhile wants no answer.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_wake, ended)

        call.add_done_callback(end)
        try:
            await ended
        except asyncio.CancelledError:
            call.cancel()
            raise
        if call.code() is StatusCode.OK:
            return call.result()
        raise from_rpc_error(call, self.target) from call

    def _closed_under(self, stub: Any, error: ValueError) -> Exception:
        """Tell a channel that was closed (for a fork) after we had entered from a fault of our own."""
        return OperationalError(str(error), target=self.target) if self._stub is not stub else error

    def _repeat(self, method: str, request: Any, policy: SendPolicy | None = None) -> Any:
        """Call until it is answered, refused, or the time for retries is over."""
        clock = RetryClock(self.target, self.retry_for, policy)
        while True:
            try:
                return self._call(method, request, clock.timeout())
            except CarawayError as error:
                delay = clock.next_delay(error)
            time.sleep(delay)

    async def _arepeat(self, method: str, request: Any, policy: SendPolicy | None = None) -> Any:
        """Async twin of `_repeat`."""
        clock = RetryClock(self.target, self.retry_for, policy)
        while True:
            try:
                return await self._acall(method, request, clock.timeout())
            except CarawayError as error:
                delay = clock.next_delay(error)
            await asyncio.sleep(delay)


def _reading(task_id: str, full: bool) -> task_service_pb2.GetTaskRequest:
    view = task_pb2.TASK_VIEW_FULL if full else task_pb2.TASK_VIEW_BASIC
    return task_service_pb2.GetTaskRequest(task_id=task_id, view=view)


def _wake(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)
