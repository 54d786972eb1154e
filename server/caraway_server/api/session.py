"""One worker's lease stream: credit and heartbeats in, leases and cancels out."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import suppress

from caraway.ids import uuid7
from caraway.v1 import worker_service_pb2
from caraway_server.api.deliveries import add_lease, cancel_item
from caraway_server.api.durations import fill
from caraway_server.api.errors import status_for
from caraway_server.core.errors import CarawayServerError, Refused, StoreError
from caraway_server.settings import Settings
from caraway_server.store.codec import token_for, token_parts
from caraway_server.store.store import Store
from caraway_server.store.values import Cancel, Lease, LeaseWish, Report, ReportKind

_log = logging.getLogger(__name__)

LEASES_IN_ONE_BATCH = 128
BATCH_BYTES = 3 << 20  # a batch of more than one lease stays below the largest message
LOOK_AGAIN_SECONDS = 10.0
GOAWAY_SECONDS = 2

Response = worker_service_pb2.LeaseTasksResponse


class LeaseSession:
    """A stream, from its Hello to its end. The leases that it sends belong to the store and outlive it.

    Args:
        store: where leases come from.
        settings: lease and heartbeat durations.
        hello: the worker's first message, checked.
    """

    def __init__(self, store: Store, settings: Settings, hello: worker_service_pb2.Hello) -> None:
        self.worker_id = hello.worker_id
        self.session_id = uuid7()
        self.queues = frozenset(hello.queues)
        self._queues = list(dict.fromkeys(hello.queues))
        self._names = None if hello.all_task_names else sorted(set(hello.task_names))
        self.serves: object = (self.queues, None if self._names is None else tuple(self._names))
        self._info = hello.info.SerializeToString()
        told = worker_service_pb2.Hello(queues=self._queues, task_names=self._names or ())
        self._told_of_itself = told.SerializeToString()
        self._store = store
        self._settings = settings
        self._held_at_start = list(hello.held_lease_tokens)
        self._allowed, self._allowed_bytes = hello.credit.lease_allowance, hello.credit.byte_allowance
        self._sent = self._sent_bytes = 0
        self._look = asyncio.Event()
        self._idle = False
        self._looking: asyncio.Task[tuple[list[Lease], bool]] | None = None
        self._draining = self._ended = False
        self._closing = self._left = False
        self._told: dict[str, str] = {}
        self._outgoing: asyncio.Queue[Response | CarawayServerError | None] = asyncio.Queue()
        self._unsent: dict[int, list[Lease]] = {}

    # -- as the hub sees it ---------------------------------------------------------------------------------------

    def wants_work(self) -> bool:
        """Whether it has credit, and found nothing when it looked last, or is looking: its answer may be older."""
        return (self._idle or self._looking is not None) and self._credit() > 0

    def takes(self, name: str) -> bool:
        """Whether the worker runs tasks of this name."""
        return self._names is None or name in self._names

    def wish(self, count: int) -> LeaseWish | None:
        """What it would take right now, if it found nothing when it looked last."""
        if not self._idle or self._looking is not None:
            return None
        room = self._allowed_bytes - self._sent_bytes if self._allowed_bytes else BATCH_BYTES
        count = min(count, self._credit())
        return (
            LeaseWish(self.worker_id, self._queues, self._names, count, min(room, BATCH_BYTES)) if count > 0 else None
        )

    def expect(self, looking: asyncio.Task[tuple[list[Lease], bool]]) -> None:
        """A submit looks for this worker too: takes what comes, as if it had looked itself."""
        self._idle = False
        self._looking = looking
        looking.add_done_callback(self._take_expected)

    def _take_expected(self, looking: asyncio.Task[tuple[list[Lease], bool]]) -> None:
        if self._ended:
            return  # give_back_unsent() has it
        self._looking = None
        if looking.cancelled() or looking.exception() is not None:
            self.wake()
            return
        leases, more = looking.result()
        if leases:
            self._send(leases)
        self._idle = not more
        if more:
            self.wake()

    def wake(self) -> None:
        """Look for work again."""
        self._idle = False
        self._look.set()

    def cancel(self, cancel: Cancel) -> None:
        """Tells the worker that a task's cancellation is asked for."""
        token = token_for(cancel.task_id, cancel.fence)
        if self._told.get(token) == cancel.mode:
            return
        self._told[token] = cancel.mode
        self._put(Response(cancel=worker_service_pb2.CancelLeases(items=[cancel_item(cancel, token)])))

    def command(self, command: bytes) -> None:
        """Tells the worker that an operator wants something of it."""
        self._put(Response(command=worker_service_pb2.WorkerCommand.FromString(command)))

    def close(self, reason: str) -> None:
        """Asks the worker to open a new stream elsewhere, and ends this one."""
        if self._closing:
            return
        self._closing = True
        goaway = worker_service_pb2.Goaway(reason=reason)
        goaway.within.seconds = GOAWAY_SECONDS
        self._put(Response(goaway=goaway))
        self._outgoing.put_nowait(None)

    def fail(self, error: CarawayServerError) -> None:
        """Ends the stream with an error: the worker broke its rules."""
        if not self._closing:
            self._closing = True
            self._outgoing.put_nowait(error)

    # -- what goes out --------------------------------------------------------------------------------------------

    async def responses(self) -> AsyncIterator[Response]:
        """All messages of the stream, until it is closed.

        Raises:
            CarawayServerError: it failed.
        """
        yield await self._welcome()
        while (response := await self._outgoing.get()) is not None:
            if isinstance(response, CarawayServerError):
                raise response
            yield response
            self._unsent.pop(id(response), None)

    async def _note(self, state: str, *, joined: bool = False) -> None:
        """Notes in the store how the worker stands."""
        values: dict[str, bytes | str | int] = {"state": state}
        if joined:
            values |= {"info": self._info, "told": self._told_of_itself, "held": len(self._held_at_start)}
        await self._store.operators.note_worker(self.worker_id, values, joined=joined)

    async def _welcome(self) -> Response:
        await self._note("active", joined=True)
        welcome = worker_service_pb2.Welcome(session_id=self.session_id)
        fill(welcome.lease_duration, self._store.limits.lease)
        welcome.heartbeat_interval.FromTimedelta(self._settings.heartbeat)
        welcome.lost_lease_tokens.extend(await self._renew(self._held_at_start))
        return Response(welcome=welcome)

    def _put(self, response: Response) -> None:
        self._outgoing.put_nowait(response)

    async def give_back_unsent(self) -> None:
        """After the end: what was leased and never written goes back to its place, and counts nothing."""
        self._ended = True
        leases = [lease for batch in self._unsent.values() for lease in batch]
        self._unsent.clear()
        if self._looking is not None:
            with suppress(StoreError):
                leases += (await self._looking)[0]
        reports = [Report(ReportKind.RELEASED, lease.task_id, lease.fence) for lease in leases]
        if reports:
            await self._store.report(reports)
        if self._draining and (self._left or not self._closing):
            await self._note("stopped")

    # -- what comes in --------------------------------------------------------------------------------------------

    async def read(self, requests: AsyncIterator[worker_service_pb2.LeaseTasksRequest]) -> None:
        """Handles the worker's messages until it is silent for a lease's duration, or ends the stream."""
        silence = self._settings.lease.total_seconds()
        incoming = aiter(requests)
        while True:
            try:
                request = await asyncio.wait_for(anext(incoming), silence)
            except StopAsyncIteration:
                self._left = not self._closing
                return
            except TimeoutError:
                _log.warning("worker %s has been silent for %.0f s; its stream is ended", self.worker_id, silence)
                return
            await self._handle(request)

    async def _handle(self, request: worker_service_pb2.LeaseTasksRequest) -> None:
        kind = request.WhichOneof("message")
        if kind == "credit":
            # Cumulative: a repeated or belated message takes nothing away.
            self._allowed = max(self._allowed, request.credit.lease_allowance)
            self._allowed_bytes = max(self._allowed_bytes, request.credit.byte_allowance)
            self.wake()
        elif kind == "heartbeat":
            await self._answer_heartbeat(request.heartbeat)
        elif kind == "drain":
            self._draining = True
            await self._note("draining")
            self.wake()
        elif kind == "command_reply":
            await self._pass_reply(request.command_reply)
        else:
            known = "credit, heartbeat, drain and command_reply"
            raise Refused("STREAM_PROTOCOL", f"after Hello only {known} are understood")

    async def _pass_reply(self, reply: worker_service_pb2.CommandReply) -> None:
        size, most = reply.ByteSize(), self._settings.max_payload_bytes
        if size > most:
            text = f"the worker's answer has {size} bytes; at most {most} are taken"
            error = Refused("PAYLOAD_TOO_LARGE", text, size_bytes=size, max_bytes=most)
            reply = worker_service_pb2.CommandReply(command_id=reply.command_id, status=status_for(error))
        try:
            await self._store.commands.answer(reply.command_id, self.worker_id, reply.SerializeToString())
        except StoreError as error:
            _log.warning("a reply of %s is lost: %s", self.worker_id, error)

    async def _answer_heartbeat(self, heartbeat: worker_service_pb2.Heartbeat) -> None:
        try:
            lost = await self._renew(list(heartbeat.lease_tokens))
        except StoreError as error:
            # No answer: a worker that hears nothing for a lease's duration knows that its leases may be lost.
            _log.warning("a heartbeat of %s could not be stored: %s", self.worker_id, error)
            return
        ack = worker_service_pb2.HeartbeatAck(sequence=heartbeat.sequence, lost_lease_tokens=lost)
        self._put(Response(heartbeat_ack=ack))

    async def _renew(self, tokens: list[str]) -> list[str]:
        renewed = await self._store.renew([token_parts(token) for token in tokens], self.worker_id)
        held = set(tokens)
        self._told = {token: mode for token, mode in self._told.items() if token in held}
        for cancel in renewed.cancels:
            self.cancel(cancel)
        lost = set(renewed.lost)
        return [token for token in tokens if lost and token_parts(token) in lost]

    # -- leasing --------------------------------------------------------------------------------------------------

    def _credit(self) -> int:
        if self._draining or self._closing:
            return 0
        if 0 < self._allowed_bytes <= self._sent_bytes:
            return 0
        return max(0, self._allowed - self._sent)

    async def lease(self) -> AsyncIterator[None]:
        """Leases while there is credit and work; yields each time that credit is used up and work may be left."""
        while True:
            left_behind = await self._lease_while_possible()
            if self._draining:
                self._put(Response(drain_ack=worker_service_pb2.DrainAck()))
                return
            if left_behind:
                yield
            try:
                await asyncio.wait_for(self._look.wait(), LOOK_AGAIN_SECONDS * random.uniform(0.8, 1.2))
            except TimeoutError:
                continue
            finally:
                self._look.clear()

    async def _lease_while_possible(self) -> bool:
        """Whether work may be left that this worker has no credit for."""
        if self._looking is not None:  # a submit looks already
            await asyncio.wait({self._looking})
        while (credit := self._credit()) > 0:
            room = self._allowed_bytes - self._sent_bytes if self._allowed_bytes else BATCH_BYTES
            try:
                leases, more = await self._look_for(min(credit, LEASES_IN_ONE_BATCH), min(room, BATCH_BYTES))
            except StoreError as error:
                _log.warning("no leases for %s: %s", self.worker_id, error)
                await asyncio.sleep(random.uniform(0.2, 1.0))
                continue
            if leases:
                self._send(leases)
            if not more:
                self._idle = True
                return False
        return True

    async def _look_for(self, count: int, most_bytes: int) -> tuple[list[Lease], bool]:
        look = self._store.lease(self.worker_id, self._queues, self._names, count, most_bytes)
        self._looking = asyncio.create_task(look)
        try:
            # The end of the stream cancels this, but not the look: what it leases is given back.
            answer = await asyncio.shield(self._looking)
        except StoreError:
            self._looking = None
            raise
        self._looking = None
        return answer

    def _send(self, leases: list[Lease]) -> None:
        batch = worker_service_pb2.LeaseBatch()
        for lease in leases:
            add_lease(batch.leases, lease, self._store.limits.lease)
        self._sent_bytes += sum(len(lease.spec) for lease in leases)
        self._sent += len(leases)
        response = Response(leases=batch)
        self._unsent[id(response)] = leases
        self._put(response)
