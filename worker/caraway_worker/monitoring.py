"""Lets a worker be watched from outside: metrics, health and readiness over HTTP, where the settings ask for it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from caraway.monitor.lag import watch_lag
from caraway.monitor.listener import Listener
from caraway_worker.parts import Parts
from caraway_worker.reports import Reporter
from caraway_worker.stream import LeaseStream

if TYPE_CHECKING:
    from caraway_worker.metrics import WorkerMetrics

logger = logging.getLogger("caraway.worker")


class Unwatchable(Exception):
    """The address of the metrics can't be listened on."""


class Monitoring:
    """`address` is the setting: HOST:PORT, or empty for nothing. `parts` are what is looked at when somebody asks."""

    def __init__(self, address: str, parts: Parts) -> None:
        self._address = address
        self._parts = parts
        self._metrics = _metrics(parts) if address else None

    def show(self, stream: LeaseStream, reporter: Reporter) -> None:
        """These are there now: the app is loaded."""
        self._parts.stream, self._parts.reporter = stream, reporter

    def ended(self, name: str, outcome: int, run_ns: int) -> None:
        """A delivery of a task of this name ended: `outcome` is the number of the report's field."""
        if self._metrics is not None:
            self._metrics.ended(name, outcome, run_ns)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Listen while the block lasts. Raises Unwatchable."""
        if self._metrics is None:
            yield
            return
        listener = Listener(self._address, self._metrics.scrape, self._parts.why_not_ready)
        try:
            logger.info("metrics: http://%s/metrics", await listener.start())
        except OSError as error:
            raise Unwatchable(str(error)) from error
        lag = asyncio.create_task(watch_lag(self._metrics.observe_lag))
        try:
            yield
        finally:
            lag.cancel()
            await listener.close()


def _metrics(parts: Parts) -> "WorkerMetrics":
    # Who asks for no metrics pays neither the library's memory nor its time to load.
    from caraway_worker.metrics import WorkerMetrics  # noqa: PLC0415

    return WorkerMetrics(parts)
