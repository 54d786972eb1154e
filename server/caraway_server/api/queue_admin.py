"""AdminService: queues."""

from caraway.v1 import admin_service_pb2
from caraway_server.api import validate
from caraway_server.api.durations import fill
from caraway_server.api.grpc_types import Context
from caraway_server.api.paging import offset_from, page_size, token_for_offset
from caraway_server.core.errors import Refused
from caraway_server.settings import Settings
from caraway_server.store.operators import QueueFacts
from caraway_server.store.store import Store

LONGEST_NOTE = 1024


class QueueAdmin:
    """Lists queues, and sets what they are held to. One a gateway."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def ListQueues(
        self, request: admin_service_pb2.ListQueuesRequest, context: Context
    ) -> admin_service_pb2.ListQueuesResponse:
        size = page_size(request.page_size, self._settings.max_batch_size)
        offset = offset_from(request.page_token)
        names = await self._store.operators.queue_names()
        page = names[offset : offset + size]
        queues = [_queue_from(facts) for facts in await self._store.operators.queues(page)] if page else []
        token = token_for_offset(offset + size) if offset + size < len(names) else ""
        return admin_service_pb2.ListQueuesResponse(queues=queues, next_page_token=token)

    async def GetQueue(
        self, request: admin_service_pb2.GetQueueRequest, context: Context
    ) -> admin_service_pb2.GetQueueResponse:
        validate.check_queue("name", request.name)
        if request.name not in await self._store.operators.queue_names():
            raise Refused("QUEUE_NOT_FOUND", f"no queue is named {request.name!r}", queue=request.name)
        return admin_service_pb2.GetQueueResponse(queue=await self._queue(request.name))

    async def UpdateQueue(
        self, request: admin_service_pb2.UpdateQueueRequest, context: Context
    ) -> admin_service_pb2.UpdateQueueResponse:
        validate.check_queue("name", request.name)
        if request.max_length < 0:
            raise validate.invalid("max_length", "is a number of tasks, or 0 for the server's own limit")
        if request.max_length:
            await self._store.operators.set_queue(request.name, {"max_length": str(request.max_length)})
        else:
            await self._store.operators.set_queue(request.name, {}, clear=["max_length"])
        return admin_service_pb2.UpdateQueueResponse(queue=await self._queue(request.name))

    async def PauseQueue(
        self, request: admin_service_pb2.PauseQueueRequest, context: Context
    ) -> admin_service_pb2.PauseQueueResponse:
        validate.check_queue("name", request.name)
        if len(request.note) > LONGEST_NOTE:
            raise validate.invalid("note", f"is longer than {LONGEST_NOTE} characters")
        await self._store.operators.set_queue(request.name, {"paused": "1", "note": request.note}, stamp=True)
        return admin_service_pb2.PauseQueueResponse(queue=await self._queue(request.name))

    async def ResumeQueue(
        self, request: admin_service_pb2.ResumeQueueRequest, context: Context
    ) -> admin_service_pb2.ResumeQueueResponse:
        validate.check_queue("name", request.name)
        await self._store.operators.set_queue(request.name, {}, clear=["paused", "note", "at"])
        return admin_service_pb2.ResumeQueueResponse(queue=await self._queue(request.name))

    async def PurgeQueue(
        self, request: admin_service_pb2.PurgeQueueRequest, context: Context
    ) -> admin_service_pb2.PurgeQueueResponse:
        validate.check_queue("name", request.name)
        count, more = await self._store.purge(request.name)
        return admin_service_pb2.PurgeQueueResponse(purged_count=count, more=more)

    async def _queue(self, name: str) -> admin_service_pb2.Queue:
        return _queue_from((await self._store.operators.queues([name]))[0])


def _queue_from(facts: QueueFacts) -> admin_service_pb2.Queue:
    queue = admin_service_pb2.Queue(
        name=facts.name,
        paused=facts.paused,
        pause_note=facts.note,
        max_length=facts.max_length,
        waiting=facts.waiting,
        queued=facts.queued,
    )
    if facts.paused_at:
        fill(queue.pause_time, facts.paused_at)
    return queue
