"""The lease stream: opened, kept alive, and opened again, for as long as the worker lives."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from typing import Protocol

from caraway.v1 import worker_service_pb2
from caraway_worker.backoff import Backoff
from caraway_worker.credit import Credit
from caraway_worker.gateway import Gateway, GatewayError, LeaseCall
from caraway_worker.renewal import Renewal

logger = logging.getLogger("caraway.worker")

Request = worker_service_pb2.LeaseTasksRequest
Response = worker_service_pb2.LeaseTasksResponse
Reply = Callable[[worker_service_pb2.CommandReply], None]

_WELCOME_SECONDS = 5.0
_WRITE_SECONDS = 5.0
_DRAIN_SECONDS = 1.0
_DEFAULT_INTERVAL = 5.0
_EARLY = 0.002  # uvloop rounds to milliseconds: a timer may fire that much before its time


class StreamOwner(Protocol):
    """Who is told what comes over the stream."""

    def hello(self) -> worker_service_pb2.Hello:
        """Make the message that opens a stream, without credit."""

    def held_tokens(self) -> Iterable[str]:
        """All that is to be renewed."""

    def on_connected(self) -> None:
        """A stream is up."""

    def on_leases(self, leases: Iterable[worker_service_pb2.TaskLease]) -> None:
        """Work came."""

    def on_lost(self, tokens: Iterable[str]) -> None:
        """These leases are held no longer."""

    def on_cancel(self, items: Iterable[worker_service_pb2.CancelLeases.Item]) -> None:
        """The cancellation of these is asked for."""

    def on_command(self, command: worker_service_pb2.WorkerCommand, reply: Reply) -> None:
        """An operator wants something; `reply` takes the answer, whenever it is there."""

    def on_heartbeat(self) -> None:
        """All leases are told to the gateway."""


class LeaseStream:
    """Holds one stream at a time. `run` returns only after `close`."""

    def __init__(self, gateway: Gateway, owner: StreamOwner, renewal: Renewal) -> None:
        self._gateway = gateway
        self._owner = owner
        self._renewal = renewal
        self._loop = asyncio.get_running_loop()
        self._credit = Credit()
        self._credit_grew = False
        self._wake = asyncio.Event()
        self._draining = False
        self._drain_sent = False
        self._drained = asyncio.Event()
        self._goaway = asyncio.Event()
        self._leave_within = _DRAIN_SECONDS
        self._connected = False
        self.opened = 0  # streams that were welcomed
        self._complained = False
        self._interval = _DEFAULT_INTERVAL
        self._replies: list[worker_service_pb2.CommandReply] = []
        self._unanswered: dict[int, float] = {}  # heartbeats by sequence number, and when they were sent
        self._backoff = Backoff(0.05, 1.5)

    async def run(self) -> None:
        """Keep a stream open until cancelled."""
        while True:
            try:
                await self._session()
                logger.debug("the lease stream ended; a new one is opened")
            except GatewayError as error:
                self._complain(error)
            finally:
                self._connected = False
            await asyncio.sleep(self._backoff.next())

    @property
    def is_connected(self) -> bool:
        """Whether a stream is up."""
        return self._connected

    def offer(self, wanted: int, held: int, held_bytes: int) -> None:
        """Allow the gateway to send what is missing to `wanted` leases."""
        if self._connected and not self._draining and self._credit.grow(wanted, held, held_bytes):
            self._credit_grew = True
            self._wake.set()

    async def drain(self, timeout: float) -> None:
        """Ask for no more leases and wait, at most `timeout` seconds, until surely none is on its way."""
        self._draining = True
        self._wake.set()
        if self._connected:
            try:
                await asyncio.wait_for(self._drained.wait(), timeout)
            except TimeoutError:
                logger.debug("the gateway did not answer the drain request in time")

    def _complain(self, error: GatewayError) -> None:
        # Once per outage: the tries go on several times a second.
        if not self._complained:
            self._complained = True
            logger.warning("the gateway can't be reached, trying again until it can: %s", error)

    async def _session(self) -> None:
        call = self._gateway.open_stream()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._greet(call)
            parts = (self._read(call), self._write(call), self._leave())
            tasks = [self._loop.create_task(part) for part in parts]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled():
                    task.result()
        finally:
            self._connected = False
            self._drained.set()
            call.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _greet(self, call: LeaseCall) -> None:
        sent = self._loop.time()
        hello = self._owner.hello()
        try:
            async with asyncio.timeout(_WELCOME_SECONDS):
                await call.write(Request(hello=hello))
                message = await call.read()
        except TimeoutError as error:
            raise GatewayError(f"no welcome within {_WELCOME_SECONDS:g} s") from error
        if message is None or message.WhichOneof("message") != "welcome":
            raise GatewayError("the stream did not begin with a welcome")
        self._take_welcome(message.welcome, sent)

    def _take_welcome(self, welcome: worker_service_pb2.Welcome, sent: float) -> None:
        interval = welcome.heartbeat_interval.ToTimedelta().total_seconds()
        duration = welcome.lease_duration.ToTimedelta().total_seconds()
        self._interval = interval if interval > 0 else _DEFAULT_INTERVAL
        if duration > 0:
            self._renewal.lease_duration = duration
        self._renewal.confirm(sent)
        self._credit = Credit()
        self._credit_grew = False
        self._unanswered.clear()
        self._replies.clear()
        self._drain_sent = False
        self._drained.clear()
        self._goaway.clear()
        self._connected = True
        self.opened += 1
        if self._complained:
            self._complained = False
            logger.warning("the gateway is back (session %s)", welcome.session_id)
        self._owner.on_lost(welcome.lost_lease_tokens)
        self._owner.on_connected()

    async def _read(self, call: LeaseCall) -> None:
        """Take in messages until the stream ends."""
        while (message := await call.read()) is not None:
            kind = message.WhichOneof("message")
            if kind == "leases":
                self._take_leases(message.leases.leases)
            elif kind == "heartbeat_ack":
                self._take_ack(message.heartbeat_ack)
            elif kind == "cancel":
                self._owner.on_cancel(message.cancel.items)
            elif kind == "command":
                self._owner.on_command(message.command, self._reply)
            elif kind == "drain_ack":
                self._drained.set()
            elif kind == "goaway":
                logger.info(
                    "the gateway leaves (%s); a new stream is opened", message.goaway.reason or "no reason given"
                )
                within = message.goaway.within.ToTimedelta().total_seconds()
                self._leave_within = min(_DRAIN_SECONDS, within or _DRAIN_SECONDS)
                self._goaway.set()
            self._backoff.reset()

    def _reply(self, reply: worker_service_pb2.CommandReply) -> None:
        self._replies.append(reply)
        self._wake.set()

    def _take_leases(self, leases: Iterable[worker_service_pb2.TaskLease]) -> None:
        sizes = [lease.ByteSize() for lease in leases]
        self._credit.receive(len(sizes), sum(sizes))
        self._owner.on_leases(leases)

    def _take_ack(self, ack: worker_service_pb2.HeartbeatAck) -> None:
        sent = self._unanswered.pop(ack.sequence, None)
        if sent is not None:
            self._renewal.confirm(sent)
            for sequence in [known for known in self._unanswered if known < ack.sequence]:
                del self._unanswered[sequence]
        self._owner.on_lost(ack.lost_lease_tokens)

    async def _leave(self) -> None:
        """When the gateway leaves, take what is on its way; the stream ends when this returns."""
        await self._goaway.wait()
        self._wake.set()
        try:
            await asyncio.wait_for(self._drained.wait(), self._leave_within)
        except TimeoutError:
            logger.debug("the leaving gateway did not answer the drain request")

    async def _write(self, call: LeaseCall) -> None:
        """Send what there is to send; the only writer. Raises GatewayError if the gateway does not answer."""
        sequence = 0
        beat_at = self._next_beat()
        timer = self._loop.call_at(beat_at, self._wake.set)
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                messages = self._due_messages()
                now = self._loop.time()
                is_beat = now >= beat_at - _EARLY
                if is_beat:
                    sequence += 1
                    self._check_answers(now)
                    messages.append(self._heartbeat(sequence, now))
                    beat_at = self._next_beat()
                    timer.cancel()
                    timer = self._loop.call_at(beat_at, self._wake.set)
                await self._write_all(call, messages)
                if is_beat:
                    self._owner.on_heartbeat()
        finally:
            timer.cancel()

    def _due_messages(self) -> list[worker_service_pb2.LeaseTasksRequest]:
        messages = [Request(command_reply=reply) for reply in self._replies]
        self._replies.clear()
        if (self._draining or self._goaway.is_set()) and not self._drain_sent:
            self._drain_sent = True
            messages.append(Request(drain=worker_service_pb2.DrainRequest()))
        elif self._credit_grew and not self._drain_sent:
            self._credit_grew = False
            credit = worker_service_pb2.Credit(
                lease_allowance=self._credit.lease_allowance, byte_allowance=self._credit.byte_allowance
            )
            messages.append(Request(credit=credit))
        return messages

    async def _write_all(self, call: LeaseCall, messages: list[worker_service_pb2.LeaseTasksRequest]) -> None:
        try:
            async with asyncio.timeout(_WRITE_SECONDS):
                for message in messages:
                    await call.write(message)
        except TimeoutError as error:
            raise GatewayError(f"the gateway took nothing for {_WRITE_SECONDS:g} s") from error

    def _next_beat(self) -> float:
        return self._loop.time() + self._interval * random.uniform(0.8, 0.98)

    def _heartbeat(self, sequence: int, now: float) -> worker_service_pb2.LeaseTasksRequest:
        self._unanswered[sequence] = now
        tokens = self._owner.held_tokens()
        return Request(heartbeat=worker_service_pb2.Heartbeat(sequence=sequence, lease_tokens=tokens))

    def _check_answers(self, now: float) -> None:
        """A stream that is open but silent is a broken one: better a new one than leases that lapse."""
        oldest = next(iter(self._unanswered.values()), now)
        if now - oldest > self._interval * 1.5:
            raise GatewayError(f"no answer to heartbeats for {now - oldest:.1f} s")
