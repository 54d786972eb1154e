"""More children while all are busy, fewer when some have long had nothing to do."""

import asyncio
import logging
from collections import deque

from caraway_worker.children import Children

logger = logging.getLogger("caraway.worker")

INTERVAL = 1.0
KEEPALIVE = 30.0


class Autoscaler:
    """Looks at the children every second.

    When all are busy twice in a row there are half as many more. When some had nothing to do all the time for half a
    minute, so many leave.
    """

    def __init__(
        self, children: Children, most: int, fewest: int, interval: float = INTERVAL, keepalive: float = KEEPALIVE
    ) -> None:
        """Durations in seconds."""
        self._children = children
        self._most = most
        self._fewest = fewest
        self._interval = interval
        self._idle: deque[int] = deque(maxlen=max(2, round(keepalive / interval)))

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            self.look()

    def look(self) -> None:
        """Look once."""
        children = self._children
        staying = [child for child in children.by_number.values() if not child.leaving]
        if len(staying) != children.size or not all(child.ready for child in staying):
            return  # it is not yet what was asked for last
        idle = self._idle
        idle.append(sum(child.is_idle for child in staying))
        size = children.size
        if len(idle) > 1 and idle[-1] == idle[-2] == 0 and size < self._most:
            self._resize(min(self._most, size + max(1, size // 2)))
        elif len(idle) == idle.maxlen and min(idle) > 0 and size > self._fewest:
            self._resize(max(self._fewest, size - min(idle)))

    def _resize(self, size: int) -> None:
        logger.info("autoscale: %d child processes, were %d", size, self._children.size)
        self._idle.clear()
        self._children.resize(size)
