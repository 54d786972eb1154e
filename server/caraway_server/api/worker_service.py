"""WorkerService: the lease stream, and reports."""

import asyncio
import logging
from collections.abc import AsyncIterator

from caraway.v1 import worker_service_pb2
from caraway_server.api import errors, validate
from caraway_server.api.growing import Grown
from caraway_server.api.grpc_types import Context
from caraway_server.api.hub import Hub
from caraway_server.api.loose_ends import LooseEnds
from caraway_server.api.reports import ReportReader
from caraway_server.api.session import LeaseSession
from caraway_server.core.errors import CarawayServerError, Refused
from caraway_server.settings import Settings
from caraway_server.store.coalesce import Coalescer
from caraway_server.store.requests import MOST_IN_ONE_SCRIPT
from caraway_server.store.store import Store
from caraway_server.store.values import Report, Reported

_log = logging.getLogger(__name__)


class WorkerService:
    """What workers need. One a gateway."""

    def __init__(self, store: Store, hub: Hub, settings: Settings, loose_ends: LooseEnds) -> None:
        self._store = store
        self._hub = hub
        self._settings = settings
        self._reader = ReportReader(store, settings.max_payload_bytes, settings.max_lost)
        self._reports: Coalescer[Report, Reported] = Coalescer(store.report, MOST_IN_ONE_SCRIPT)
        self._loose_ends = loose_ends

    async def LeaseTasks(
        self, requests: AsyncIterator[worker_service_pb2.LeaseTasksRequest], context: Context
    ) -> AsyncIterator[worker_service_pb2.LeaseTasksResponse]:
        session = LeaseSession(self._store, self._settings, await _hello(requests))
        _log.info("worker %s opened stream %s", session.worker_id, session.session_id)
        with self._hub.taking(session):
            working: set[asyncio.Task[None]] = set()
            try:
                async for response in session.responses():
                    yield response
                    if not working:  # Welcome is out
                        working = {
                            asyncio.create_task(self._read(session, requests)),
                            asyncio.create_task(self._lease(session)),
                        }
            finally:
                for task in working:
                    task.cancel()
                what = f"undelivered leases of {session.worker_id} wait for their end"
                self._loose_ends.tie_up(session.give_back_unsent(), what)
                _log.info("stream %s of worker %s ended", session.session_id, session.worker_id)

    async def _read(self, session: LeaseSession, requests: AsyncIterator[worker_service_pb2.LeaseTasksRequest]) -> None:
        try:
            await session.read(requests)
            session.close("the worker ended the stream, or fell silent")
        except CarawayServerError as error:
            _log.warning("stream %s: %s", session.session_id, error)
            session.fail(error)

    async def _lease(self, session: LeaseSession) -> None:
        async for _ in session.lease():
            self._hub.pass_on(session)

    async def ReportTasks(
        self, request: worker_service_pb2.ReportTasksRequest, context: Context
    ) -> worker_service_pb2.ReportTasksResponse:
        validate.check_batch("reports", request.reports, self._settings.max_batch_size)
        now = await self._reader.now_for(request.reports)
        read = [self._read_report(report, now) for report in request.reports]
        decided = iter(
            await self._reader.decide([report for report in read if not isinstance(report, CarawayServerError)])
        )
        reports = [report if isinstance(report, CarawayServerError) else next(decided) for report in read]
        taken = [report for report in reports if isinstance(report, Report)]
        answers = iter(await self._reports.submit(taken) if taken else ())
        response = worker_service_pb2.ReportTasksResponse()
        for report in reports:
            result = response.results.add()
            if isinstance(report, CarawayServerError):
                result.status.CopyFrom(errors.status_for(report))
            else:
                _fill(result, next(answers), report.task_id)
        return response

    def _read_report(self, report: worker_service_pb2.TaskReport, now: int) -> Report | Grown | CarawayServerError:
        try:
            return self._reader.read(report, now)
        except CarawayServerError as error:
            return error


def _fill(result: worker_service_pb2.ReportTasksResponse.Result, answer: Reported, task_id: str) -> None:
    if answer.word == "ok":
        result.status.SetInParent()
        result.state = answer.state  # type: ignore[assignment]
        result.cancel_requested = answer.cancel_requested
    else:
        result.status.CopyFrom(errors.status_for(errors.lease_lost(task_id)))


async def _hello(requests: AsyncIterator[worker_service_pb2.LeaseTasksRequest]) -> worker_service_pb2.Hello:
    async for request in requests:
        if request.WhichOneof("message") != "hello":
            break
        hello = request.hello
        validate.check_id("hello.worker_id", hello.worker_id)
        if not hello.queues:
            raise validate.invalid("hello.queues", "is empty; name at least one queue")
        for queue in hello.queues:
            validate.check_queue("hello.queues", queue)
        if not hello.task_names and not hello.all_task_names:
            raise validate.invalid("hello.task_names", "is empty; name the tasks that this worker runs")
        return hello
    raise Refused("STREAM_PROTOCOL", "the first message of the stream must be hello")
