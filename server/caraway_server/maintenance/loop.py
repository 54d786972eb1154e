"""The one loop that all duties share: run, wait until the next time or a poke; errors are logged, never fatal."""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Protocol

from caraway_server.core.errors import CarawayServerError

_log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5


class Duty(Protocol):
    """Something that has to be done again and again."""

    name: str
    longest_pause: float
    """Seconds between two runs at most."""

    async def run_once(self) -> float | None:
        """Does what is due; returns the seconds until more is known to be, or None."""


class DutyLoop:
    """Runs one duty for ever.

    Args:
        duty: what to run.
        on_outcome: told after each run whether it went well.
    """

    def __init__(self, duty: Duty, on_outcome: Callable[[bool], None] = lambda fine: None) -> None:
        self._duty = duty
        self._on_outcome = on_outcome
        self._poked = asyncio.Event()

    def poke(self) -> None:
        """Run soon."""
        self._poked.set()

    async def run(self) -> None:
        """Never returns; cancel it."""
        failing = False
        while True:
            try:
                pause = await self._duty.run_once()
                if failing:
                    _log.info("the %s works again", self._duty.name)
                failing = False
            except CarawayServerError as error:
                if not failing:
                    _log.warning("the %s can't work: %s", self._duty.name, error)
                failing, pause = True, RETRY_SECONDS
            except Exception:
                _log.exception("the %s failed", self._duty.name)
                failing, pause = True, RETRY_SECONDS
            self._on_outcome(not failing)
            await self._pause(pause)

    async def _pause(self, seconds: float | None) -> None:
        # A known time is kept exactly; only idle rounds are spread.
        idle = self._duty.longest_pause * random.uniform(0.8, 1.0)
        try:
            await asyncio.wait_for(self._poked.wait(), idle if seconds is None else min(seconds, idle))
        except TimeoutError:
            return
        finally:
            self._poked.clear()
