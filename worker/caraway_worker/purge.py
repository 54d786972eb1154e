"""Queues emptied before the worker starts: `caraway worker --purge`."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from caraway_worker.backoff import Backoff
from caraway_worker.gateway import Gateway, GatewayError

logger = logging.getLogger("caraway.worker")

_CALL_TIMEOUT = 10.0


async def purge(gateway: Gateway, queues: Iterable[str], say: Callable[[str], None]) -> None:
    """Revoke all that waits in these queues, trying until the gateway can be reached.

    Raises GatewayError if it refuses: tasks that were to be purged must not be run instead.
    """
    for queue in queues:
        say(f"{await _purge(gateway, queue)} tasks purged from the queue {queue}")


async def _purge(gateway: Gateway, queue: str) -> int:
    backoff = Backoff(0.1, 5.0)
    while True:
        try:
            return await gateway.purge(queue, _CALL_TIMEOUT)
        except GatewayError as error:
            if error.final:
                raise
            logger.warning("the queue %s can't be purged yet: %s", queue, error)
            await asyncio.sleep(backoff.next())
