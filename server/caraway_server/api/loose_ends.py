"""What calls that have ended left to be done: it runs on without them, and the gateway waits for it when it stops."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from caraway_server.core.errors import CarawayServerError

_log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0


class LooseEnds:
    """One a gateway. A call may have been ended by the very cancellation that its loose ends must survive."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def tie_up(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Runs `work`; `what` stands in the log if it fails."""

        async def run() -> None:
            try:
                await work
            except CarawayServerError as error:
                _log.warning("%s: %s", what, error)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Waits for all of it, for a while."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE_SECONDS)
