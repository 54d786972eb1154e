"""Stops what runs when nothing has renewed its lease: the gateway is out of reach for longer than a lease lasts."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from caraway_worker.delivery import Delivery, Ending, Stop
from caraway_worker.renewal import Renewal

logger = logging.getLogger("caraway.worker")

LOST_GRACE: Final = 1.0
_DEAF: Final = "the gateway was out of reach for longer than the lease lasts"


class Lapse:
    """Looks when the first lease would lapse. `stop` ends a delivery."""

    def __init__(self, held: Mapping[str, Delivery], renewal: Renewal, stop: Callable[[Delivery, Stop], None]) -> None:
        self._held = held
        self._renewal = renewal
        self._stop = stop
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Look again when the first lease would lapse if nothing were renewed until then."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._renewal.lease_duration, self._check)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        now = self._loop.time()
        next_look = now + self._renewal.lease_duration
        for delivery in list(self._held.values()):
            if delivery.ended or (delivery.stop is not None and delivery.stop.kill):
                continue
            until = self._renewal.holds_until(delivery)
            if until > now:
                next_look = min(next_look, until)
                continue
            logger.error("Task %s[%s] is stopped: %s", delivery.log_name, delivery.task_id, _DEAF)
            self._stop(delivery, Stop(Ending.HANDED_BACK, kill=True, grace=LOST_GRACE, reason=_DEAF))
        # Not more often than every 50 ms, however the deadlines lie.
        self._timer = self._loop.call_at(max(next_look, now + 0.05), self._check)
