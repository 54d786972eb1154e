"""WorkerService: leasing by hand, without a stream."""

import asyncio

from caraway.ids import uuid7
from caraway.v1 import worker_service_pb2
from caraway_server.api import validate
from caraway_server.api.deliveries import add_lease, cancel_item
from caraway_server.api.grpc_types import Context
from caraway_server.api.hub import Hub
from caraway_server.api.session import BATCH_BYTES
from caraway_server.api.waiting import patience
from caraway_server.core.errors import ShuttingDown
from caraway_server.settings import Settings
from caraway_server.store.codec import token_for, token_parts
from caraway_server.store.store import Store
from caraway_server.store.values import Cancel, Lease, LeaseWish


class _Poller:
    """One waiting call, as the hub sees it."""

    def __init__(self, queues: list[str], names: list[str] | None) -> None:
        self.worker_id = uuid7()  # its own: calls of one worker do not end each other
        self.queues = frozenset(queues)
        self.serves: object = (self.queues, None if names is None else tuple(names))
        self.look = asyncio.Event()
        self.leaves = False

    def wants_work(self) -> bool:
        """It does, as long as it waits."""
        return True

    def takes(self, name: str) -> bool:
        """Not offered tasks: the call looks itself."""
        return False

    def wish(self, count: int) -> LeaseWish | None:
        """Nothing: the call looks itself."""
        return None

    def expect(self, looking: "asyncio.Task[tuple[list[Lease], bool]]") -> None:
        """Never called: it has no wish."""

    def wake(self) -> None:
        """Look again."""
        self.look.set()

    def cancel(self, cancel: Cancel) -> None:
        """Nobody listens: RenewLeases tells."""

    def close(self, reason: str) -> None:
        """The gateway shuts down: answer now."""
        self.leaves = True
        self.look.set()


class Polling:
    """Serves PollTasks and RenewLeases. One a gateway."""

    def __init__(self, store: Store, hub: Hub, settings: Settings) -> None:
        self._store = store
        self._hub = hub
        self._settings = settings

    async def PollTasks(
        self, request: worker_service_pb2.PollTasksRequest, context: Context
    ) -> worker_service_pb2.PollTasksResponse:
        validate.check_id("worker_id", request.worker_id)
        if not request.queues:
            raise validate.invalid("queues", "is empty; name at least one queue")
        for queue in request.queues:
            validate.check_queue("queues", queue)
        most = request.max_leases or 1
        if not 1 <= most <= self._settings.max_batch_size:
            raise validate.invalid("max_leases", f"goes from 1 to {self._settings.max_batch_size}")
        queues = list(dict.fromkeys(request.queues))
        names = sorted(set(request.task_names)) or None
        deadline = asyncio.get_running_loop().time() + patience(request, context)
        poller = _Poller(queues, names)
        with self._hub.taking(poller):
            while True:
                poller.look.clear()
                leases, more = await self._store.lease(request.worker_id, queues, names, most, BATCH_BYTES)
                left = deadline - asyncio.get_running_loop().time()
                if leases or left <= 0:
                    break
                if poller.leaves:
                    raise ShuttingDown("this gateway is shutting down; ask again, and another one will answer")
                try:
                    await asyncio.wait_for(poller.look.wait(), left)
                except TimeoutError:
                    break
        if more or poller.look.is_set():
            self._hub.pass_on(poller)  # it was told of work that it leaves to another
        response = worker_service_pb2.PollTasksResponse()
        for lease in leases:
            add_lease(response.leases, lease, self._settings.limits.lease)
        return response

    async def RenewLeases(
        self, request: worker_service_pb2.RenewLeasesRequest, context: Context
    ) -> worker_service_pb2.RenewLeasesResponse:
        validate.check_batch("lease_tokens", request.lease_tokens, self._settings.max_batch_size)
        renewed = await self._store.renew([token_parts(token) for token in request.lease_tokens])
        lost = set(renewed.lost)
        return worker_service_pb2.RenewLeasesResponse(
            lost_lease_tokens=[token for token in request.lease_tokens if token_parts(token) in lost],
            cancels=[cancel_item(cancel, token_for(cancel.task_id, cancel.fence)) for cancel in renewed.cancels],
        )
