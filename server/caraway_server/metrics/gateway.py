"""All metrics of one gateway process. docs/monitoring.md lists them; a test holds it to this."""

from collections import Counter as Counted
from collections.abc import Mapping, Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.process_collector import ProcessCollector

from caraway.monitor.labels import DURATIONS, OTHER, BoundedHistogram
from caraway_server.core.task import State
from caraway_server.metrics.queues import QueueMetrics
from caraway_server.store.batches import NewNode
from caraway_server.store.observer import StoreObserver
from caraway_server.store.survey import Surveyor
from caraway_server.store.values import Lease, NewTask, Report, Reported, ReportKind, Submitted

MOST_WAIT_LABELS = 200
MOST_QUEUE_LABELS = 200

_SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0)
_RETRIED = frozenset({State.RETRYING, State.QUEUED})


class GatewayMetrics(StoreObserver):
    """Counts what goes through this process, and looks at the queues when asked."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._submits = Counter(
            "caraway_tasks_submitted", "Tasks that were handed in, by what became of that.", ("queue", "outcome"),
            registry=registry,
        )  # fmt: skip
        self._submit_queues: set[str] = set()
        wait = Histogram(
            "caraway_task_wait_seconds", "From when a task could be leased until it was.", ("queue", "task"),
            buckets=DURATIONS, registry=registry,
        )  # fmt: skip
        self._waits = BoundedHistogram(wait, MOST_WAIT_LABELS)
        run = Histogram(
            "caraway_task_run_seconds", "How long attempts ran, as workers report it.", ("outcome",),
            buckets=DURATIONS, registry=registry,
        )  # fmt: skip
        self._runs = BoundedHistogram(run, len(ReportKind))
        self._reports = Counter(
            "caraway_reports", "Workers' reports, by what became of them.", ("kind", "outcome"), registry=registry
        )
        self._retries = Counter("caraway_retries", "Attempts that failed and are tried again.", registry=registry)
        self._lost = Counter(
            "caraway_deliveries_lost", "Deliveries whose lease ran out, or whose process died.", ("cause",),
            registry=registry,
        )  # fmt: skip
        self._ended = Counter(
            "caraway_tasks_ended", "Tasks that came to an end through this gateway.", ("state",), registry=registry
        )
        self._calls = Histogram(
            "caraway_store_call_seconds", "Round trips to the store.", ("call",), buckets=_SHORT, registry=registry
        )
        self._failures = Counter(
            "caraway_store_call_failures", "Round trips that failed.", ("call",), registry=registry
        )
        lag = Histogram(
            "caraway_event_loop_lag_seconds", "How late the event loop is.", buckets=_SHORT, registry=registry
        )
        self.observe_lag = lag.observe
        self.rpcs = Counter("caraway_rpcs", "Calls that ended, by code.", ("method", "code"), registry=registry)
        self.open_rpcs = Gauge("caraway_rpcs_open", "Calls under way.", ("method",), registry=registry)
        self.rpc_seconds = Histogram(
            "caraway_rpc_seconds", "How long unary calls took.", ("method",), buckets=DURATIONS, registry=registry
        )

    def show_queues(self, surveyor: Surveyor) -> None:
        """From now on scrapes show the queues too."""
        self._queues = QueueMetrics(surveyor)
        self._registry.register(self._queues)

    async def scrape(self) -> tuple[str, bytes]:
        """The content type and the text of all metrics."""
        await self._queues.refresh()
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)

    # -- what the store tells -------------------------------------------------------------------------------------

    def called(self, name: str, seconds: float, *, failed: bool) -> None:
        """A round trip."""
        self._calls.labels(name).observe(seconds)
        if failed:
            self._failures.labels(name).inc()

    def submitted(self, tasks: Sequence[NewTask], answers: Sequence[Submitted]) -> None:
        """Tasks were handed in."""
        counts: dict[tuple[str, str], int] = {}
        for task, answer in zip(tasks, answers, strict=True):
            key = (task.queue, answer.word)
            counts[key] = counts.get(key, 0) + 1
        for (queue, word), count in counts.items():
            self._submits.labels(self._known_queue(queue), word).inc(count)

    def joined(self, nodes: Sequence[NewNode], word: str) -> None:
        """Nodes of a workflow were handed in; a collect is no task."""
        counts = Counted(node.task.queue for node in nodes if node.task is not None)
        for queue, count in counts.items():
            self._submits.labels(self._known_queue(queue), "created" if word == "made" else word).inc(count)

    def _known_queue(self, queue: str) -> str:
        if queue not in self._submit_queues:
            if len(self._submit_queues) >= MOST_QUEUE_LABELS:
                return OTHER
            self._submit_queues.add(queue)
        return queue

    def leased(self, leases: Sequence[Lease]) -> None:
        """Deliveries were handed out. A fence is the time of its lease, unless a clock was set back."""
        for lease in leases:
            self._waits.observe((lease.queue, lease.name), max(0, int(lease.fence) - lease.ready) / 1e6)

    def reported(self, reports: Sequence[Report], answers: Sequence[Reported]) -> None:
        """Workers' reports were applied, or were not."""
        counts: dict[tuple[str, str], int] = {}
        for report, answer in zip(reports, answers, strict=True):
            kind, word = report.kind, answer.word
            key = (kind.value, word)
            counts[key] = counts.get(key, 0) + 1
            if word != "ok":
                continue
            if report.ran_for and kind not in (ReportKind.STARTED, ReportKind.PROGRESS):
                self._runs.observe((kind.value,), report.ran_for / 1e6)
            if kind is ReportKind.RETRY and answer.state in _RETRIED:
                self._retries.inc()
            elif kind is ReportKind.LOST:
                self._lost.labels("process").inc()
        for key, count in counts.items():
            self._reports.labels(*key).inc(count)

    def taken_back(self, count: int) -> None:
        """Leases ran out."""
        self._lost.labels("lease").inc(count)

    def ended(self, counts: Mapping[int, int]) -> None:
        """Tasks came to an end."""
        for state, count in counts.items():
            self._ended.labels(State(state).name).inc(count)
