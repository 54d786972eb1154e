"""WorkerService: leasing by hand, without a stream."""

import asyncio

from caraway.ids import uuid7
from caraway.v1 import worker_service_pb2
from caraway_server.api import validate
from caraway_server.api.deliveries import add_lease, cancel_item
from caraway_server.api.grpc_types import Context
from caraway_server.api.hub import Hub
from caraway_server.api.loose_ends import LooseEnds
from caraway_server.api.session import BATCH_BYTES
from caraway_server.api.waiting import patience
from caraway_server.core.errors import ShuttingDown
from caraway_server.settings import Settings
from caraway_server.store.codec import token_for, token_parts
from caraway_server.store.store import Store
from caraway_server.store.values import Cancel, Lease, LeaseWish, Report, ReportKind


class _Poller:
    """One waiting call, as the hub sees it."""

    def __init__(self, queues: list[str], names: list[str] | None) -> None:
        self.worker_id = uuid7()  # its own: calls of one worker do not end each other
        self.wanted, self.names = queues, names
        self.queues = frozenset(queues)
        self.serves: object = (self.queues, None if names is None else tuple(names))
        self.look = asyncio.Event()
        self.looking: asyncio.Task[tuple[list[Lease], bool]] | None = None
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

    def command(self, command: bytes) -> None:
        """Never called: it is not among the workers."""

    def close(self, reason: str) -> None:
        """The gateway shuts down: answer now."""
        self.leaves = True
        self.look.set()


class Polling:
    """Serves PollTasks and RenewLeases. One a gateway."""

    def __init__(self, store: Store, hub: Hub, settings: Settings, loose_ends: LooseEnds) -> None:
        self._store = store
        self._hub = hub
        self._settings = settings
        self._loose_ends = loose_ends

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
        poller = _Poller(list(dict.fromkeys(request.queues)), sorted(set(request.task_names)) or None)
        deadline = asyncio.get_running_loop().time() + patience(request, context)
        try:
            leases, more = await self._poll(poller, request.worker_id, most, deadline)
        except asyncio.CancelledError:
            self._loose_ends.tie_up(self._leave(poller), f"leases of {request.worker_id} wait for their end")
            raise
        if more or poller.look.is_set():
            self._hub.pass_on(poller)  # it was told of work that it leaves to another
        response = worker_service_pb2.PollTasksResponse()
        for lease in leases:
            add_lease(response.leases, lease, self._store.limits.lease)
        return response

    async def _poll(self, poller: _Poller, worker_id: str, most: int, deadline: float) -> tuple[list[Lease], bool]:
        loop = asyncio.get_running_loop()
        with self._hub.taking(poller):
            while True:
                poller.look.clear()
                look = self._store.lease(worker_id, poller.wanted, poller.names, most, BATCH_BYTES)
                poller.looking = asyncio.create_task(look)
                # The end of the call cancels this, but not the look: what it leases is given back.
                leases, more = await asyncio.shield(poller.looking)
                poller.looking = None
                left = deadline - loop.time()
                if leases or left <= 0:
                    return leases, more
                if poller.leaves:
                    raise ShuttingDown("this gateway is shutting down; ask again, and another one will answer")
                try:
                    await asyncio.wait_for(poller.look.wait(), left)
                except TimeoutError:
                    return leases, more

    async def _leave(self, poller: _Poller) -> None:
        """After a call that was given up: what it leased goes back, uncounted, and others are told of the work."""
        if poller.looking is not None:
            leases, _ = await poller.looking
            await self._store.report([Report(ReportKind.RELEASED, lease.task_id, lease.fence) for lease in leases])
        self._hub.pass_on(poller)

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
