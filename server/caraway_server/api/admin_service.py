"""AdminService: what a server tells of itself."""

from importlib.metadata import version

from caraway.v1 import admin_service_pb2
from caraway_server.api.durations import fill
from caraway_server.api.grpc_types import Context
from caraway_server.settings import MAX_MESSAGE_BYTES, Settings
from caraway_server.store.store import Store

MIN_KEEPALIVE_SECONDS = 5

_Response = admin_service_pb2.GetServerInfoResponse
_DURABILITY = {
    "memory": _Response.DURABILITY_MEMORY,
    "every_second": _Response.DURABILITY_EVERY_SECOND,
    "always": _Response.DURABILITY_ALWAYS,
    "occasional": _Response.DURABILITY_OCCASIONAL,
    "unknown": _Response.DURABILITY_UNKNOWN,
}


class AdminService:
    """What operators and client libraries ask. One a gateway."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def GetServerInfo(
        self, request: admin_service_pb2.GetServerInfoRequest, context: Context
    ) -> admin_service_pb2.GetServerInfoResponse:
        facts = await self._store.facts()
        settings = self._settings
        response = _Response(
            server_version=version("caraway"),
            max_payload_bytes=settings.max_payload_bytes,
            max_message_bytes=MAX_MESSAGE_BYTES,
            max_batch_size=settings.max_batch_size,
            durability=_DURABILITY[facts.durability],
            failover_loss=facts.failover_loss,
            store_version=facts.version,
            max_queue_length=settings.max_queue_length,
            wait_replicas=settings.wait_replicas,
        )
        response.min_keepalive_interval.seconds = MIN_KEEPALIVE_SECONDS
        fill(response.server_time, await self._store.now())
        fill(response.default_result_ttl, settings.limits.result_ttl)
        return response
