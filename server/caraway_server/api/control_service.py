"""ControlService: what operators ask about workers."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from caraway.v1 import control_service_pb2, worker_service_pb2
from caraway_server.api import validate
from caraway_server.api.durations import fill
from caraway_server.api.grpc_types import Context
from caraway_server.api.paging import offset_from, page_size, token_for_offset
from caraway_server.core.errors import Refused
from caraway_server.settings import Settings
from caraway_server.store.operators import WorkerFacts
from caraway_server.store.store import Store

_Worker = control_service_pb2.Worker
THERE: Final = (_Worker.STATE_ACTIVE, _Worker.STATE_DRAINING)
_STATES = {
    "active": _Worker.STATE_ACTIVE,
    "draining": _Worker.STATE_DRAINING,
    "stopped": _Worker.STATE_STOPPED,
}


class ControlService:
    """Reads workers from the store. One a gateway."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def ListWorkers(
        self, request: control_service_pb2.ListWorkersRequest, context: Context
    ) -> control_service_pb2.ListWorkersResponse:
        size = page_size(request.page_size, self._settings.max_batch_size)
        # Where many may be left out, a page's number at a time could be many round trips.
        at_once = self._settings.max_batch_size if request.states else size
        response = control_service_pb2.ListWorkersResponse()
        async for offset, worker in self._read_on(offset_from(request.page_token), at_once):
            if worker is not None and (not request.states or worker.state in request.states):
                response.workers.append(worker)
            if len(response.workers) == size:
                response.next_page_token = token_for_offset(offset)
                break
        return response

    async def _read_on(self, offset: int, at_once: int) -> AsyncIterator[tuple[int, control_service_pb2.Worker | None]]:
        """Workers from an offset on, each with the offset behind it; None for one that was forgotten meanwhile."""
        while ids := await self._store.operators.worker_ids(offset, at_once):
            workers = {worker.worker_id: worker for worker in await self.known(ids)}
            for worker_id in ids:
                offset += 1
                yield offset, workers.get(worker_id)

    async def GetWorker(
        self, request: control_service_pb2.GetWorkerRequest, context: Context
    ) -> control_service_pb2.GetWorkerResponse:
        validate.check_id("worker_id", request.worker_id)
        workers = await self.known([request.worker_id])
        if not workers:
            raise Refused(
                "WORKER_NOT_FOUND", f"no worker {request.worker_id!r} was seen of late", worker_id=request.worker_id
            )
        return control_service_pb2.GetWorkerResponse(worker=workers[0])

    async def there(self) -> list[control_service_pb2.Worker]:
        """All workers that are there."""
        read = self._read_on(0, self._settings.max_batch_size)
        return [worker async for _, worker in read if worker is not None and worker.state in THERE]

    async def known(self, ids: Sequence[str]) -> list[control_service_pb2.Worker]:
        """These workers; unknown ones are left out."""
        if not ids:
            return []
        now = await self._store.now()
        return [
            _worker_from(facts, now, self._store.limits.lease) for facts in await self._store.operators.workers(ids)
        ]


def _worker_from(facts: WorkerFacts, now: int, lease: int) -> control_service_pb2.Worker:
    worker = _Worker(worker_id=facts.worker_id, state=_STATES[facts.state], lease_count=facts.held)
    if facts.state != "stopped" and now - facts.seen > lease:
        worker.state = _Worker.STATE_LOST
    worker.info.ParseFromString(facts.info)
    told = worker_service_pb2.Hello.FromString(facts.told)
    worker.queues.extend(told.queues)
    worker.task_names.extend(told.task_names)
    fill(worker.connect_time, facts.joined)
    fill(worker.heartbeat_time, facts.seen)
    return worker
