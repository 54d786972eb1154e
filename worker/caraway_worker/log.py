"""The worker's log: its form, and the lines about tasks in the words that Celery's users know."""

import logging
import sys

from caraway.v1 import worker_service_pb2
from caraway_worker import outcomes
from caraway_worker.delivery import Delivery

FORMAT = "[%(asctime)s: %(levelname)s/%(process)d] %(message)s"
RESULT_SHOWN = 200

logger = logging.getLogger("caraway.worker")


def set_up(level: int) -> None:
    """Write log records of `level` and above to stderr; what the app's own code has set up is kept."""
    logging.basicConfig(level=level, format=FORMAT, stream=sys.stderr)
    logging.getLogger().setLevel(level)


class TaskLog:
    """Writes a line for each thing that happens to a task; costs next to nothing where nobody wants to read it."""

    def __init__(self) -> None:
        self._info = logger.isEnabledFor(logging.INFO)

    def received(self, delivery: Delivery) -> None:
        """A delivery came."""
        if self._info:
            logger.info("Task %s[%s] received", delivery.name, delivery.task_id)

    def ended(self, delivery: Delivery, outcome: int, report: bytes, run_ns: int) -> None:
        """A delivery ended with this report."""
        if outcome == outcomes.SUCCEEDED:
            if self._info:
                self._succeeded(delivery, report, run_ns)
        elif outcome in (outcomes.FAILED, outcomes.LOST):
            self._failed(delivery, outcome, report)
        elif self._info:
            self._other(delivery, outcome, report)

    def _succeeded(self, delivery: Delivery, report: bytes, run_ns: int) -> None:
        result = _parse(report).succeeded.result
        shown = result.json if result.HasField("json") else f"<{len(result.data)} bytes>" if result.data else "null"
        if len(shown) > RESULT_SHOWN:
            shown = f"{shown[:RESULT_SHOWN]}..."
        logger.info("Task %s[%s] succeeded in %.6gs: %s", delivery.name, delivery.task_id, run_ns / 1e9, shown)

    def _failed(self, delivery: Delivery, outcome: int, report: bytes) -> None:
        parsed = _parse(report)
        error = parsed.lost.error if outcome == outcomes.LOST else parsed.failed.error
        text = "Task %s[%s] raised unexpected: %s: %s"
        if outcome == outcomes.LOST:
            text = "Task %s[%s] lost: %s: %s"
        if error.traceback:
            text += "\n%s"
            logger.error(text, delivery.name, delivery.task_id, error.type, error.message, error.traceback)
        else:
            logger.error(text, delivery.name, delivery.task_id, error.type, error.message)

    def _other(self, delivery: Delivery, outcome: int, report: bytes) -> None:
        parsed = _parse(report)
        if outcome == outcomes.RETRY:
            delay = parsed.retry.delay.ToTimedelta().total_seconds()
            error = parsed.retry.error
            text = "Task %s[%s] retry: Retry in %gs: %s: %s"
            logger.info(text, delivery.name, delivery.task_id, delay, error.type, error.message)
        elif outcome == outcomes.RELEASED:
            logger.info("Task %s[%s] handed back: %s", delivery.name, delivery.task_id, parsed.released.reason)
        elif outcome == outcomes.REJECTED:
            logger.info("Task %s[%s] rejected: %s", delivery.name, delivery.task_id, parsed.rejected.reason)
        elif outcome == outcomes.CANCELLED:
            logger.info("Task %s[%s] revoked", delivery.name, delivery.task_id)
        else:
            logger.info("Task %s[%s] ignored", delivery.name, delivery.task_id)


def _parse(report: bytes) -> worker_service_pb2.TaskReport:
    return worker_service_pb2.TaskReport.FromString(report)
