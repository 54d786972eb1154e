"""Sends reports to the gateway: batched, pipelined, repeated until they are answered."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from caraway.framing import field
from caraway.v1 import task_pb2, worker_service_pb2
from caraway_worker import gateway, outcomes
from caraway_worker.backoff import Backoff
from caraway_worker.delivery import Delivery
from caraway_worker.gateway import Gateway, GatewayError
from caraway_worker.options import Limits

logger = logging.getLogger("caraway.worker")

_MOST_IN_FLIGHT = 4
_WORTH_A_CALL = 64
_CALL_TIMEOUT = 10.0
_MOST_QUEUED = 5000
_MOST_QUEUED_BYTES = 32 * 1024 * 1024
_TAG = b"\x0a"  # field 1 of ReportTasksRequest, length-delimited
_ENDED_ELSEWHERE = frozenset({task_pb2.Task.STATE_REVOKED, task_pb2.Task.STATE_EXPIRED})


class ReportsOwner(Protocol):
    """Who is told what the gateway answers."""

    def on_confirmed(self, delivery: Delivery) -> None:
        """Its outcome is stored, or will never be: nothing is held any more."""

    def on_lease_lost(self, delivery: Delivery) -> None:
        """It runs, and is held no longer or must not go on."""

    def on_start_confirmed(self, delivery: Delivery) -> None:
        """Its start is stored."""

    def on_cancel_requested(self, delivery: Delivery) -> None:
        """It runs, and its cancellation is asked for."""

    def on_answered(self) -> None:
        """A batch has been answered; `Reporter.is_behind` may have changed."""


@dataclass(slots=True)
class _Item:
    delivery: Delivery
    report: bytes
    final: bool
    refused: bool = False  # it is itself the answer to a refusal


class Reporter:
    """Sends at once while nothing is under way, else in growing batches; reports of one task stay in order."""

    def __init__(self, gateway: Gateway, owner: ReportsOwner) -> None:
        self.limits = Limits()
        self._gateway = gateway
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Item] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._queued_bytes = 0
        self._batch = 0
        self._scheduled = False
        self._failing = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_behind(self) -> bool:
        """Whether so much waits for the gateway that no more should be leased."""
        return len(self._queue) > _MOST_QUEUED or self._queued_bytes > _MOST_QUEUED_BYTES

    @property
    def pending(self) -> int:
        """How many reports wait to be sent."""
        return len(self._queue)

    def add(self, delivery: Delivery, report: bytes, final: bool) -> None:
        """Send a serialized TaskReport; `final`: it tells how the delivery ended."""
        self._queue.append(_Item(delivery, report, final))
        self._queued_bytes += len(report)
        if not self._scheduled:
            # At the end of this round of the loop: what else ends in it goes with it.
            self._scheduled = True
            self._idle.clear()
            self._loop.call_soon(self._flush)

    async def flushed(self, timeout: float) -> bool:
        """Wait until all reports are answered, at most `timeout` seconds; False: some are not."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _flush(self) -> None:
        self._scheduled = False
        while self._queue and self._may_send():
            items = self._cut()
            if not items:
                break
            task = self._loop.create_task(self._deliver(items))
            self._tasks.add(task)
            task.add_done_callback(self._on_delivered)
        if not self._queue and not self._tasks:
            self._idle.set()

    def _may_send(self) -> bool:
        under_way = len(self._tasks)
        return under_way == 0 or (under_way < _MOST_IN_FLIGHT and len(self._queue) >= _WORTH_A_CALL * under_way)

    def _cut(self) -> list[_Item]:
        """Take the next batch off the queue, but leave what would overtake a report of its task that is under way."""
        self._batch += 1
        most, size_left = self.limits.max_batch_size, self.limits.max_message_bytes * 3 // 4
        queue = self._queue
        items: list[_Item] = []
        left: list[_Item] = []
        while queue and len(items) < most:
            item = queue.popleft()
            delivery = item.delivery
            if delivery.reports_in_flight and delivery.report_batch != self._batch:
                left.append(item)
                continue
            size_left -= len(item.report) + 6
            if size_left < 0 and items:
                queue.appendleft(item)
                break
            delivery.reports_in_flight += 1
            delivery.report_batch = self._batch
            items.append(item)
            self._queued_bytes -= len(item.report)
        queue.extendleft(reversed(left))
        return items

    def _on_delivered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a batch of reports was dropped", exc_info=error)
        self._flush()
        self._owner.on_answered()

    async def _deliver(self, items: list[_Item]) -> None:
        request = b"".join([field(_TAG, item.report) for item in items])
        backoff = Backoff(0.05, 2.0)
        while True:
            try:
                response = await self._gateway.report(request, _CALL_TIMEOUT)
                if len(response.results) != len(items):
                    raise GatewayError(f"{len(items)} reports were answered by {len(response.results)} results")
            except GatewayError as error:
                if error.final:
                    await self._deliver_apart(items, error)
                    return
                self._note_failure(error)
                await asyncio.sleep(backoff.next())
                continue
            self._failing = False
            if self._take_answers(items, response):
                await asyncio.sleep(backoff.next())
            return

    async def _deliver_apart(self, items: list[_Item], error: GatewayError) -> None:
        """The gateway refuses the whole call: find out which report it means by sending each alone."""
        if len(items) == 1:
            item = items[0]
            item.delivery.reports_in_flight -= 1
            self._refused(item, str(error), too_large=False)
            return
        for item in items:
            await self._deliver([item])

    def _note_failure(self, error: GatewayError) -> None:
        if not self._failing:
            self._failing = True
            logger.warning("reports can't be delivered and are sent again: %s", error)

    def _take_answers(self, items: list[_Item], response: worker_service_pb2.ReportTasksResponse) -> bool:
        """Pass on each answer; True: some reports are to be sent again."""
        again = []
        for item, result in zip(items, response.results, strict=True):
            delivery = item.delivery
            delivery.reports_in_flight -= 1
            code = result.status.code
            if code == 0:
                if item.final:
                    self._owner.on_confirmed(delivery)
                else:
                    self._started(delivery, result)
            elif code == gateway.UNAVAILABLE:
                again.append(item)
            elif code == gateway.ABORTED:
                self._lost(item)
            else:
                too_large = gateway.reason_of(result.status) == "PAYLOAD_TOO_LARGE"
                self._refused(item, result.status.message, too_large)
        self._queue.extendleft(reversed(again))
        self._queued_bytes += sum(len(item.report) for item in again)
        return bool(again)

    def _started(self, delivery: Delivery, result: worker_service_pb2.ReportTasksResponse.Result) -> None:
        """It runs, or is about to: the gateway knows."""
        waits = delivery.at_most_once and not delivery.start_confirmed
        if result.state in _ENDED_ELSEWHERE or (waits and result.state != task_pb2.Task.STATE_RUNNING):
            self._owner.on_lease_lost(delivery)
            return
        if result.cancel_requested:
            self._owner.on_cancel_requested(delivery)
        if waits:
            self._owner.on_start_confirmed(delivery)

    def _lost(self, item: _Item) -> None:
        delivery = item.delivery
        if item.final:
            logger.warning(
                "Task %s[%s]: its lease was lost, its outcome is dropped", delivery.log_name, delivery.task_id
            )
            self._owner.on_confirmed(delivery)
        else:
            self._owner.on_lease_lost(delivery)

    def _refused(self, item: _Item, message: str, too_large: bool) -> None:
        delivery = item.delivery
        logger.error("Task %s[%s]: its report was refused: %s", delivery.log_name, delivery.task_id, message)
        if not item.final:
            if delivery.at_most_once and not delivery.start_confirmed:
                self._owner.on_lease_lost(delivery)  # it may not run
            return
        if item.refused:
            self._owner.on_confirmed(delivery)  # nothing more can be said of it: its lease lapses
        else:
            report = outcomes.refused(delivery, message, too_large)
            self._queue.append(_Item(delivery, report, final=True, refused=True))
            self._queued_bytes += len(report)
