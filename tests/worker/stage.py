"""A small gateway of the tests' own, on a real socket: it plays WorkerService from memory and can be made to fail."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
from google.rpc import status_pb2

from caraway.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    task_pb2,
    worker_service_pb2,
    worker_service_pb2_grpc,
)

Request = worker_service_pb2.LeaseTasksRequest
Response = worker_service_pb2.LeaseTasksResponse
Result = worker_service_pb2.ReportTasksResponse.Result

RUNNING = task_pb2.Task.STATE_RUNNING
HEARTBEAT = 0.2
LEASE = 1.0
DEADLINE = 20.0


class Session:
    """One open lease stream."""

    def __init__(self, hello: worker_service_pb2.Hello) -> None:
        self.hello = hello
        self.out: asyncio.Queue[worker_service_pb2.LeaseTasksResponse | None] = asyncio.Queue()
        self.allowance = 0
        self.bytes_allowed = 0
        self.sent = 0
        self.heartbeats: list[list[str]] = []
        self.drained = False


class Stage(worker_service_pb2_grpc.WorkerServiceServicer, admin_service_pb2_grpc.AdminServiceServicer):
    """Hands out what is put into `waiting`, as far as the credit goes, and keeps all that the worker says."""

    def __init__(self) -> None:
        self.waiting: deque[worker_service_pb2.TaskLease] = deque()
        self.leased: dict[str, worker_service_pb2.TaskLease] = {}
        self.sessions: list[Session] = []
        self.replies: list[worker_service_pb2.CommandReply] = []
        self.reports: list[worker_service_pb2.TaskReport] = []
        self.lost: set[str] = set()  # tokens that the next ack calls lost
        self.mute = False  # heartbeats get no answer
        self.fail_reports = 0  # so many calls answer UNAVAILABLE
        self.answer: Callable[[worker_service_pb2.TaskReport], Any] = lambda _report: None
        self.refuse_call: Callable[[Any], bool] = lambda _request: False
        self.report_calls = 0
        self.input_pages: dict[str, list[list[worker_service_pb2.InputPart]]] = {}  # by task
        self.input_calls: list[str] = []
        self.input_status: grpc.StatusCode | None = None  # what GetInputs answers instead
        self.inputs_ready = asyncio.Event()
        self.inputs_ready.set()
        self.port = 0
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listen; after the first time on the same port again."""
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(self, self._server)
        admin_service_pb2_grpc.add_AdminServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        """Break everything that is open, as a crash would."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    @property
    def target(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def session(self) -> Session:
        """The newest stream."""
        return self.sessions[-1]

    def push(self, *leases: worker_service_pb2.TaskLease) -> None:
        """Put tasks into the queue."""
        self.waiting.extend(leases)
        self.serve()

    def serve(self) -> None:
        """Send what the credit allows."""
        session = self.session
        batch = []
        while self.waiting and session.sent < session.allowance and not session.drained:
            lease = self.waiting.popleft()
            self.leased[lease.lease_token] = lease
            session.sent += 1
            batch.append(lease)
        if batch:
            session.out.put_nowait(Response(leases=worker_service_pb2.LeaseBatch(leases=batch)))

    def kinds(self, lease: worker_service_pb2.TaskLease) -> list[str]:
        """What was reported of a lease, in order."""
        return [str(one.WhichOneof("report")) for one in self.reports if one.lease_token == lease.lease_token]

    async def until(self, condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(deadline):
            # The conditions look into the worker, which sets no event for tests.
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    # WorkerService

    async def LeaseTasks(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        first = await anext(aiter(request_iterator))
        assert first.WhichOneof("message") == "hello"
        session = Session(first.hello)
        self.sessions.append(session)
        welcome = worker_service_pb2.Welcome(session_id="stage")
        welcome.heartbeat_interval.FromMilliseconds(int(HEARTBEAT * 1000))
        welcome.lease_duration.FromMilliseconds(int(LEASE * 1000))
        welcome.lost_lease_tokens.extend(self.lost & set(first.hello.held_lease_tokens))
        yield Response(welcome=welcome)
        listener = asyncio.create_task(self._listen(session, request_iterator))
        try:
            while (message := await session.out.get()) is not None:
                yield message
        finally:
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener

    async def _listen(self, session: Session, requests: Any) -> None:
        async for request in requests:
            kind = request.WhichOneof("message")
            if kind == "credit":
                assert request.credit.lease_allowance >= session.allowance
                assert request.credit.byte_allowance >= session.bytes_allowed
                session.allowance = request.credit.lease_allowance
                session.bytes_allowed = request.credit.byte_allowance
                self.serve()
            elif kind == "heartbeat":
                session.heartbeats.append(list(request.heartbeat.lease_tokens))
                if not self.mute:
                    ack = worker_service_pb2.HeartbeatAck(sequence=request.heartbeat.sequence)
                    ack.lost_lease_tokens.extend(self.lost & set(request.heartbeat.lease_tokens))
                    session.out.put_nowait(Response(heartbeat_ack=ack))
            elif kind == "command_reply":
                self.replies.append(request.command_reply)
            elif kind == "drain":
                session.drained = True
                session.out.put_nowait(Response(drain_ack=worker_service_pb2.DrainAck()))

    async def ReportTasks(self, request: Any, context: Any) -> worker_service_pb2.ReportTasksResponse:
        self.report_calls += 1
        if self.fail_reports > 0:
            self.fail_reports -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the store is away")
        if self.refuse_call(request):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "one of them is malformed")
        response = worker_service_pb2.ReportTasksResponse()
        for report in request.reports:
            answer = self.answer(report)
            if answer is None:
                self.reports.append(report)
            response.results.append(answer or Result(state=RUNNING if report.HasField("started") else 0))
        return response

    async def GetInputs(self, request: Any, context: Any) -> worker_service_pb2.GetInputsResponse:
        self.input_calls.append(request.task_id)
        if self.input_status is not None:
            await context.abort(self.input_status, "no inputs today")
        await self.inputs_ready.wait()
        pages = self.input_pages[request.task_id]
        number = int(request.page_token or 0)
        more = number + 1 < len(pages)
        return worker_service_pb2.GetInputsResponse(
            inputs=pages[number], next_page_token=str(number + 1) if more else ""
        )

    async def GetServerInfo(self, request: Any, context: Any) -> admin_service_pb2.GetServerInfoResponse:
        return admin_service_pb2.GetServerInfoResponse(
            max_payload_bytes=100_000, max_message_bytes=4 * 1024 * 1024, max_batch_size=100
        )


def refusal(code: grpc.StatusCode, message: str) -> Result:
    """An answer to one report that is not OK."""
    return Result(status=status_pb2.Status(code=code.value[0], message=message))
