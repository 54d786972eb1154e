"""The contract as API tests speak it: a client of all services, a worker's stream, and what a refusal says."""

import queue
import threading
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import struct_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from caraway.ids import uuid7
from caraway.reasons import DOMAIN, REASONS
from caraway.v1 import (
    admin_service_pb2_grpc,
    control_service_pb2_grpc,
    task_pb2,
    task_service_pb2,
    task_service_pb2_grpc,
    worker_service_pb2,
    worker_service_pb2_grpc,
    workflow_service_pb2_grpc,
)

DEADLINE = 20.0  # seconds, of every call
Response = worker_service_pb2.LeaseTasksResponse
Lease = worker_service_pb2.TaskLease


class Refusal:
    """What a refused call, or a refused item of a batch, says: code, reason and metadata; all three must fit."""

    def __init__(self, status: status_pb2.Status) -> None:
        info = error_details_pb2.ErrorInfo()
        assert len(status.details) == 1, status
        assert status.details[0].Unpack(info), status
        self.reason = info.reason
        self.metadata = dict(info.metadata)
        self.message = status.message
        assert info.domain == DOMAIN
        assert grpc.StatusCode[REASONS[info.reason].code].value[0] == status.code, status


def refused(call: Callable[[], object]) -> Refusal:
    """Makes a call that must be refused."""
    try:
        answer = call()
    except grpc.RpcError as error:
        assert isinstance(error, grpc.Call)
        status = rpc_status.from_call(error)
        assert status is not None, error
        return Refusal(status)
    raise AssertionError(f"it was not refused: {answer}")


class Api:
    """All services of one gateway."""

    def __init__(self, target: str, channel: grpc.Channel | None = None) -> None:
        self.target = target
        self.channel = channel or grpc.insecure_channel(target)
        self.tasks = task_service_pb2_grpc.TaskServiceStub(self.channel)
        self.workers = worker_service_pb2_grpc.WorkerServiceStub(self.channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(self.channel)
        self.control = control_service_pb2_grpc.ControlServiceStub(self.channel)
        self.workflows = workflow_service_pb2_grpc.WorkflowServiceStub(self.channel)
        self._health: Any = health_pb2_grpc.HealthStub(self.channel)
        self._streams: list[WorkerStream] = []

    def close(self) -> None:
        """Ends its streams and its channel."""
        for stream in self._streams:
            stream.abandon()
        self.channel.close()

    def submit(self, queue: str, *, name: str = "t", **spec: Any) -> task_service_pb2.SubmitTaskResponse:
        """Submits one task."""
        task = task_pb2.TaskSpec(name=name, queue=queue, **spec)
        return self.tasks.SubmitTask(task_service_pb2.SubmitTaskRequest(task=task), timeout=DEADLINE)

    def submit_id(self, queue: str, **spec: Any) -> str:
        """Submits one task with an id; returns it."""
        task_id = spec.pop("task_id", None) or uuid7()
        return self.submit(queue, task_id=task_id, **spec).task.task_id

    def get(self, task_id: str, view: task_pb2.TaskView.ValueType = task_pb2.TASK_VIEW_UNSPECIFIED) -> task_pb2.Task:
        """Reads one task."""
        return self.tasks.GetTask(task_service_pb2.GetTaskRequest(task_id=task_id, view=view), timeout=DEADLINE).task

    def wait(self, task_id: str, seconds: float, after_revision: int = 0) -> task_service_pb2.WaitTaskResponse:
        """Waits for one task."""
        request = task_service_pb2.WaitTaskRequest(task_id=task_id, after_revision=after_revision)
        request.max_wait.FromMilliseconds(round(seconds * 1000))
        return self.tasks.WaitTask(request, timeout=DEADLINE)

    def revoke(self, *task_ids: str, **fields: Any) -> list[int]:
        """Revokes tasks; returns the outcomes."""
        selector = task_pb2.TaskSelector(task_ids=task_ids)
        request = task_service_pb2.RevokeTasksRequest(selector=selector, **fields)
        return [result.outcome for result in self.tasks.RevokeTasks(request, timeout=DEADLINE).results]

    def report(self, lease: Lease, **what: Any) -> worker_service_pb2.ReportTasksResponse.Result:
        """Reports one thing of a delivery."""
        report = worker_service_pb2.TaskReport(task_id=lease.task.task_id, lease_token=lease.lease_token, **what)
        request = worker_service_pb2.ReportTasksRequest(reports=[report])
        return self.workers.ReportTasks(request, timeout=DEADLINE).results[0]

    def succeed(self, lease: Lease, value: str = "null") -> None:
        """Reports a success that must be taken."""
        succeeded = worker_service_pb2.TaskReport.Succeeded(result=task_pb2.Payload(json=value))
        assert self.report(lease, succeeded=succeeded).status.code == 0

    def stream(self, queue: str, credit: int = 0, **hello: Any) -> "WorkerStream":
        """Opens a worker's stream and takes its Welcome; all task names unless some are given."""
        hello.setdefault("all_task_names", "task_names" not in hello)
        hello.setdefault("worker_id", uuid7())
        message = worker_service_pb2.Hello(queues=[queue], **hello)
        message.credit.lease_allowance = credit
        stream = self.raw_stream()
        stream.send(hello=message)
        stream.welcome = stream.expect("welcome").welcome
        return stream

    def raw_stream(self) -> "WorkerStream":
        """Opens a stream and says nothing."""
        self._streams.append(WorkerStream(self.workers))
        return self._streams[-1]

    def is_serving(self, service: str = "") -> bool:
        """What the health service says; False also where nobody answers."""
        try:
            return self.check(service) == health_pb2.HealthCheckResponse.SERVING
        except grpc.RpcError:
            return False

    def check(self, service: str = "") -> int:
        """Asks the health service."""
        request = health_pb2.HealthCheckRequest(service=service)
        answer: health_pb2.HealthCheckResponse = self._health.Check(request, timeout=2)
        return answer.status


class WorkerStream:
    """One LeaseTasks call: what is sent goes out at once, what comes in waits to be expected."""

    def __init__(self, workers: worker_service_pb2_grpc.WorkerServiceStub) -> None:
        self.welcome = worker_service_pb2.Welcome()
        self._outgoing: queue.SimpleQueue[worker_service_pb2.LeaseTasksRequest | None] = queue.SimpleQueue()
        self._incoming: queue.SimpleQueue[Response | None] = queue.SimpleQueue()
        self.call = workers.LeaseTasks(iter(self._outgoing.get, None))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            for response in self.call:
                self._incoming.put(response)
        except grpc.RpcError:
            pass  # how it ended is asked of the call
        finally:
            self._incoming.put(None)

    def send(self, **message: Any) -> None:
        """Sends one message."""
        self._outgoing.put(worker_service_pb2.LeaseTasksRequest(**message))

    def credit(self, leases: int, size: int = 0) -> None:
        """Grants credit, cumulative."""
        self.send(credit=worker_service_pb2.Credit(lease_allowance=leases, byte_allowance=size))

    def beat(self, sequence: int, *tokens: str) -> list[str]:
        """A heartbeat and its answer; returns the lost tokens."""
        self.send(heartbeat=worker_service_pb2.Heartbeat(sequence=sequence, lease_tokens=tokens))
        ack = self.expect("heartbeat_ack").heartbeat_ack
        assert ack.sequence == sequence
        return list(ack.lost_lease_tokens)

    def next(self) -> Response | None:
        """The next message; None: the stream has ended."""
        return self._incoming.get(timeout=DEADLINE)

    def expect(self, kind: str) -> Response:
        """The next message, which must be of this kind."""
        message = self.next()
        assert message is not None, f"the stream ended: {self.call.code()} {self.call.details()}"
        assert message.WhichOneof("message") == kind, message
        return message

    def leases(self, count: int) -> list[Lease]:
        """As many leases, in one batch or in several."""
        found: list[Lease] = []
        while len(found) < count:
            found += self.expect("leases").leases.leases
        assert len(found) == count
        return found

    def lease(self) -> Lease:
        """One lease."""
        return self.leases(1)[0]

    def is_quiet(self) -> bool:
        """Whether nothing waits; a heartbeat shows that all which was on its way has come."""
        self.beat(1_000_000)
        return self._incoming.empty()

    def until_end(self) -> list[Response]:
        """Everything that comes until the stream ends."""
        found = []
        while (message := self.next()) is not None:
            found.append(message)
        return found

    def refusal(self) -> Refusal:
        """Why the stream was ended."""
        assert self.until_end() == []
        status = rpc_status.from_call(self.call)
        assert status is not None, self.call.details()
        return Refusal(status)

    def finish(self) -> None:
        """Says that nothing more will be sent."""
        self._outgoing.put(None)

    def abandon(self) -> None:
        """Ends it without a word, as a crash does."""
        self.call.cancel()
        self._outgoing.put(None)
        self._reader.join(DEADLINE)


def numbers(*values: float) -> struct_pb2.ListValue:
    """Arguments by hand."""
    return struct_pb2.ListValue(values=[struct_pb2.Value(number_value=value) for value in values])
