"""Metrics that are read from the store when somebody asks for them: how full the queues are."""

import asyncio
import logging
import time
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from caraway_server.core.errors import StoreError
from caraway_server.store.survey import Survey, Surveyor

_log = logging.getLogger(__name__)

FRESH_SECONDS = 1.0  # however many ask, the store is looked at once in this time
PATIENCE_SECONDS = 2.0


class QueueMetrics(Collector):
    """Shows the last survey.

    Args:
        surveyor: looks at the store.
    """

    def __init__(self, surveyor: Surveyor) -> None:
        self._surveyor = surveyor
        self._survey: Survey | None = None
        self._looked = float("-inf")
        self._looking = asyncio.Lock()

    async def refresh(self) -> None:
        """Looks at the store, unless that was done a moment ago; where it does not answer, there is no survey."""
        async with self._looking:
            if time.monotonic() - self._looked < FRESH_SECONDS:
                return
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    self._survey = await self._surveyor.survey()
            except (StoreError, TimeoutError) as error:
                _log.warning(
                    "metrics without queues: the store can't be looked at: %s", str(error) or "no answer in time"
                )
                self._survey = None
            self._looked = time.monotonic()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """All that collect() gives, without values."""
        return self.collect()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Called by the registry."""
        survey = self._survey
        up = GaugeMetricFamily("caraway_store_up", "1: the store answered when these metrics were asked for.")
        up.add_metric((), float(survey is not None))
        yield up
        waiting = GaugeMetricFamily(
            "caraway_queue_waiting_tasks", "Tasks that wait: for a worker, or for their time.", labels=("queue",)
        )
        ready = GaugeMetricFamily(
            "caraway_queue_ready_tasks", "Tasks that wait for nothing but a worker.", labels=("queue",)
        )
        oldest = GaugeMetricFamily(
            "caraway_queue_oldest_seconds", "For how long the oldest ready task has waited.", labels=("queue",)
        )
        left_out = GaugeMetricFamily("caraway_queues_left_out", "Queues beyond the first 500, which are not shown.")
        leases = GaugeMetricFamily("caraway_leases_held", "Deliveries that workers hold.")
        if survey is not None:
            for queue in survey.queues:
                waiting.add_metric((queue.name,), queue.waiting)
                ready.add_metric((queue.name,), queue.ready)
                oldest.add_metric((queue.name,), queue.oldest)
            left_out.add_metric((), survey.left_out)
            leases.add_metric((), survey.leases)
        yield from (waiting, ready, oldest, left_out, leases)
