"""A span for each attempt, in the trace of whoever submitted the task. Loaded only where traces are on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace

from caraway.app import Caraway
from caraway.monitor import otel
from caraway.v1 import task_pb2, worker_service_pb2
from caraway_worker import outcomes
from caraway_worker.attempt import Ended, TaskSlot
from caraway_worker.execute import Executor
from caraway_worker.options import ChildOptions


class TracedExecutor(Executor):
    """Runs tasks, each attempt inside a span of its own."""

    def __init__(self, app: Caraway, options: ChildOptions) -> None:
        super().__init__(app, options)
        self._tracer = trace.get_tracer(otel.TRACER)
        self._worker = options.worker

    def run(self, slot: TaskSlot, sequence: int, lease: worker_service_pb2.TaskLease) -> Ended:
        """As the executor's own."""
        with self._span(lease) as span:
            ended = super().run(slot, sequence, lease)
            _note(span, ended)
        return ended

    async def arun(self, slot: TaskSlot, sequence: int, lease: worker_service_pb2.TaskLease) -> Ended:
        """As the executor's own."""
        with self._span(lease) as span:
            ended = await super().arun(slot, sequence, lease)
            _note(span, ended)
        return ended

    @contextmanager
    def _span(self, lease: worker_service_pb2.TaskLease) -> Iterator[trace.Span]:
        spec = lease.task
        attributes: dict[str, Any] = {
            "messaging.system": "caraway",
            "messaging.operation.type": "process",
            "messaging.operation.name": "run",
            "messaging.destination.name": spec.queue,
            "messaging.message.id": spec.task_id,
            "caraway.task.name": spec.name,
            "caraway.task.attempt": lease.attempt,
            "caraway.task.delivery_count": lease.delivery_count,
            "caraway.worker.name": self._worker,
        }
        parent = propagate.extract(dict(spec.headers))
        with self._tracer.start_as_current_span(
            f"run {spec.name}", parent, trace.SpanKind.CONSUMER, attributes
        ) as span:  # fmt: skip
            yield span


def _note(span: trace.Span, ended: Ended) -> None:
    outcome, _, report = ended
    if not span.is_recording():
        return
    span.set_attribute("caraway.task.outcome", outcomes.NAMES[outcome])
    if outcomes.NAMES[outcome] in ("failed", "retry"):
        parsed = worker_service_pb2.TaskReport.FromString(report)
        _note_error(span, parsed.retry.error if outcome == outcomes.RETRY else parsed.failed.error)


def _note_error(span: trace.Span, error: task_pb2.TaskError) -> None:
    span.set_attribute("error.type", error.type)
    span.set_status(trace.StatusCode.ERROR, f"{error.type}: {error.message}")
    event = {
        "exception.type": error.type,
        "exception.message": error.message,
        "exception.stacktrace": error.traceback,
    }
    span.add_event("exception", event)
