"""All metrics of a worker. docs/monitoring.md lists them; a test holds it to this. Loaded where it is asked for."""

import asyncio
from collections.abc import Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from caraway.monitor.labels import DURATIONS, BoundedHistogram
from caraway_worker import outcomes
from caraway_worker.parts import Parts

MOST_RUN_LABELS = 400  # outcomes of about a hundred tasks

_LAGS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)


class WorkerMetrics:
    """Notes how tasks end; all else is looked up in the worker's parts when somebody asks."""

    def __init__(self, parts: Parts) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        runs = Histogram(
            "caraway_worker_run_seconds", "How long attempts ran; 0 for what did not run to its end.",
            ("task", "outcome"), buckets=DURATIONS, registry=registry,
        )  # fmt: skip
        self._runs = BoundedHistogram(runs, MOST_RUN_LABELS)
        lag = Histogram(
            "caraway_event_loop_lag_seconds", "How late the event loop is.", buckets=_LAGS, registry=registry
        )
        self.observe_lag = lag.observe
        registry.register(_PartMetrics(parts))

    def ended(self, name: str, outcome: int, run_ns: int) -> None:
        """A delivery ended: `outcome` is the number of the report's field."""
        self._runs.observe((name, outcomes.NAMES[outcome]), run_ns / 1e9)

    async def scrape(self) -> tuple[str, bytes]:
        """Return the content type and the text of all metrics."""
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)


class _PartMetrics(Collector):
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def describe(self) -> Iterator[Metric]:
        """Name what `collect` gives."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Look at the parts; called by the registry."""
        pool, stream, reporter = self._parts.pool, self._parts.stream, self._parts.reporter
        children = pool.children.values()
        slots = [slot for child in children if child.ready and not child.leaving for slot in child.slots]
        busy = sum(bool(slot.assigned) for child in children for slot in child.slots)
        yield _gauge("slots", "Tasks that can run at once now.", len(slots))
        yield _gauge("busy_slots", "Slots that run a task.", busy)
        yield _gauge("buffered_tasks", "Tasks that were taken and wait here for a slot.", pool.open_count - busy)
        yield _gauge("leases_held", "Leases whose outcome the gateway has not confirmed.", len(self._parts.held))
        yield _gauge("reports_waiting", "Reports that wait to be sent.", reporter.pending if reporter else 0)
        yield _gauge("children", "Child processes.", len(children))
        yield _counter("children_started", "Child processes that were started.", pool.crew.started)
        yield _counter("children_died", "Child processes that died or were killed.", pool.crew.died)
        yield _gauge("connected", "1: the lease stream is up.", float(stream is not None and stream.is_connected))
        yield _counter("streams_opened", "Lease streams that were opened.", stream.opened if stream else 0)
        age = GaugeMetricFamily("caraway_worker_heartbeat_age_seconds", "Since the last answered heartbeat was sent.")
        if self._parts.renewal.confirmed > 0:
            age.add_metric((), asyncio.get_running_loop().time() - self._parts.renewal.confirmed)
        yield age


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"caraway_worker_{name}", text, value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"caraway_worker_{name}", text, value)
