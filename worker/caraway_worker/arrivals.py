"""Deliveries whose inputs are still being read: held like all others, but not the pool's yet."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from caraway.v1 import worker_service_pb2
from caraway_worker import outcomes
from caraway_worker.backoff import Backoff
from caraway_worker.delivery import Delivery, Ending, Stop
from caraway_worker.gateway import Gateway, GatewayError

_CALL_TIMEOUT = 20.0


class ArrivalsOwner(Protocol):
    """Who is told what becomes of them."""

    def on_arrived(self, delivery: Delivery) -> None:
        """It has all its inputs, and can run."""

    def on_outcome(self, delivery: Delivery, outcome: int, report: bytes, run_ns: int) -> None:
        """It ended before it could run; as the pool tells it."""

    def on_drop(self, delivery: Delivery) -> None:
        """It ended and nothing is to be reported."""


class Arrivals:
    """Reads inputs that did not fit into their leases.

    Args:
        gateway: where they are read.
        owner: told when they are there.
        loop_time: the event loop's clock.
    """

    def __init__(self, gateway: Gateway, owner: ArrivalsOwner, loop_time: Callable[[], float]) -> None:
        self._gateway = gateway
        self._owner = owner
        self._now = loop_time
        self._reading: dict[str, tuple[Delivery, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._reading)

    def take(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Read the inputs of those that have more; returns the others."""
        complete = []
        for delivery in deliveries:
            if delivery.more_inputs:
                task = asyncio.get_running_loop().create_task(self._read(delivery))
                self._reading[delivery.token] = (delivery, task)
            else:
                complete.append(delivery)
        return complete

    def stop(self, delivery: Delivery, stop: Stop) -> bool:
        """End a delivery as the order says; False: it is none of these."""
        if delivery.token not in self._reading:
            return False
        _, task = self._reading.pop(delivery.token)
        task.cancel()
        delivery.stop, delivery.ended = stop, True
        if stop.ending is Ending.CANCELLED:
            self._owner.on_outcome(delivery, outcomes.CANCELLED, outcomes.cancelled(delivery), 0)
        elif stop.ending is Ending.SILENT:
            self._owner.on_drop(delivery)
        else:
            self._owner.on_outcome(delivery, outcomes.RELEASED, outcomes.released(delivery, stop.reason), 0)
        return True

    def hand_back(self, reason: str) -> None:
        """Hand all of them back."""
        for delivery, _ in list(self._reading.values()):
            self.stop(delivery, Stop(Ending.HANDED_BACK, kill=False, reason=reason))

    async def _read(self, delivery: Delivery) -> None:
        """Append page after page to the lease; serialised messages are merged by joining them."""
        parts = [delivery.lease]
        token = ""
        backoff = Backoff(0.1, 2.0)
        while True:
            request = worker_service_pb2.GetInputsRequest(
                task_id=delivery.task_id, lease_token=delivery.token, page_token=token
            )
            try:
                page = await self._gateway.inputs(request, _CALL_TIMEOUT)
            except GatewayError as error:
                if error.final:
                    self._fail(delivery, str(error))
                    return
                await asyncio.sleep(backoff.next())  # a lease that is lost meanwhile is told by the stream
                continue
            parts.append(worker_service_pb2.TaskLease(inputs=page.inputs).SerializeToString())
            token = page.next_page_token
            if not token:
                break
        del self._reading[delivery.token]
        delivery.lease = b"".join(parts)
        delivery.received = self._now()  # it could not be started before
        self._owner.on_arrived(delivery)

    def _fail(self, delivery: Delivery, message: str) -> None:
        del self._reading[delivery.token]
        delivery.ended = True
        self._owner.on_outcome(delivery, outcomes.FAILED, outcomes.no_inputs(delivery, message), 0)
