"""The worker's log: its form, and the lines about tasks in the words that Celery's users know."""

import logging
import re
import sys
from collections.abc import Callable
from typing import Any, TextIO, cast

from caraway import request
from caraway.app.log import OUTSIDE
from caraway.monitor.json_log import JsonLines
from caraway.utils.log import ColorFormatter
from caraway.v1 import worker_service_pb2
from caraway_worker import outcomes
from caraway_worker.delivery import Delivery
from caraway_worker.options import ChildOptions
from caraway_worker.printed import Printed

FORMAT = "[%(asctime)s: %(levelname)s/%(process)d] %(message)s"
TASK_FORMAT = "[%(asctime)s: %(levelname)s/%(process)d] %(task_name)s[%(task_id)s]: %(message)s"
RESULT_SHOWN = 200

logger = logging.getLogger("caraway.worker")


class LineFormatter(ColorFormatter):
    """Puts the task's name and id before what is logged while it runs; on a terminal levels may have colours."""

    def __init__(
        self,
        line: str = FORMAT,
        task_line: str = TASK_FORMAT,
        times: str | None = None,
        task_times: str | None = None,
        *,
        colors: bool = False,
    ) -> None:
        super().__init__(line, colors, times)
        self._in_task = logging.Formatter(task_line, task_times)

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        if getattr(record, "task_id", OUTSIDE) != OUTSIDE:
            return self.colored(record, self._in_task.format(record))
        return super().format(record)


_ours: list[logging.StreamHandler[Any]] = []


def handler() -> logging.StreamHandler[Any] | None:
    """The handler that `set_up` made in this process; None: it made none."""
    return _ours[-1] if _ours else None


def add_handler_of_tasks(of_tasks: logging.Logger, *, propagate: bool) -> None:
    """Give the parent of tasks' loggers a handler of its own, which receivers of signals may give another form.

    Arguments: `propagate`: the root logger's handlers are given its records, too, but for ours, which had them here.
    """
    ours = handler()
    if ours is None or of_tasks.handlers:
        return
    made = logging.StreamHandler(ours.stream)
    made.lock = ours.lock
    made.setFormatter(ours.formatter)
    of_tasks.addHandler(made)
    of_tasks.propagate = propagate
    if propagate:
        ours.addFilter(lambda record: not _is_below(record.name, of_tasks))


def _is_below(name: str, parent: logging.Logger) -> bool:
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None and logger is not parent:
        logger = logger.parent
    return logger is not None


def use_format(line: str, times: str) -> None:
    """Have the supervisor's lines be of this form, and their times; empty: as they are. JSON stays what it is."""
    ours = handler()
    if ours is not None and not isinstance(ours.formatter, JsonLines):
        ours.setFormatter(logging.Formatter(line or FORMAT, times or None))


def file_of(pattern: str, name: str, index: int = 0) -> str:
    """Return the name of a log file.

    %p is the worker's `name`, %h the host's part of it, %n its own part, %i the child's place in the pool (0: the
    supervisor), %I the same with a dash before it (the supervisor: nothing), %% a per cent sign.
    """
    node, _, host = name.partition("@")
    known = {"p": name, "h": host, "n": node, "i": str(index), "I": f"-{index}" if index else "", "%": "%"}
    return re.sub("%([phniI%])", lambda match: known[match[1]], pattern)


def set_up(level: int, file: str = "", form: str = "text", *, in_task: bool = False) -> None:
    """Write log records of `level` and above to a file or stderr; what the app's own code has set up is kept.

    Arguments: `form` is "text" or "json"; `in_task`: records are made while tasks run, and text begins with the task.
    """
    made = logging.FileHandler(file) if file else logging.StreamHandler(sys.stderr)
    if form == "json":
        made.setFormatter(JsonLines())
    else:
        made.setFormatter(LineFormatter() if in_task else logging.Formatter(FORMAT))
    logging.basicConfig(level=level, handlers=[made])
    logging.getLogger().setLevel(level)
    logging.captureWarnings(True)
    _ours.append(made)


def set_up_child(options: ChildOptions) -> None:
    """As `set_up`, in a child: records tell their task, and warnings are logged."""
    file = file_of(options.log_file, options.worker, options.index) if options.log_file else ""
    logging.setLogRecordFactory(_naming_task(logging.getLogRecordFactory()))
    set_up(options.log_level, file, options.log_format, in_task=True)


def redirect_prints(level: int) -> None:
    """Log what is printed from now on. Handlers that are there already keep the real streams, and log nothing twice."""
    sys.stdout = cast(TextIO, Printed(sys.stdout, level))
    sys.stderr = cast(TextIO, Printed(sys.stderr, level))


def _naming_task(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """Have every record carry task_id and task_name, so that any handler and format may use them, as in Celery."""

    def make_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        running = request.current()
        if running is None:
            record.task_id = record.task_name = OUTSIDE
        else:
            record.task_id, record.task_name = running.id, running.shadow or running.task
        return record

    return make_record


class TaskLog:
    """Writes a line for each thing that happens to a task; costs next to nothing where nobody wants to read it."""

    def __init__(self) -> None:
        self._info = logger.isEnabledFor(logging.INFO)

    def received(self, delivery: Delivery) -> None:
        """A delivery came."""
        if self._info:
            _write(logging.INFO, "received", delivery)

    def ended(self, delivery: Delivery, outcome: int, report: bytes, run_ns: int) -> None:
        """A delivery ended with this report."""
        if outcome == outcomes.SUCCEEDED:
            if self._info:
                self._succeeded(delivery, report, run_ns)
        elif outcome in (outcomes.FAILED, outcomes.LOST):
            self._failed(delivery, outcome, report)
        elif outcome == outcomes.EXPECTED:
            if self._info:
                error = _parse(report).failed.error
                _write(logging.INFO, "raised expected: %s: %s", delivery, error.type, error.message)
        elif self._info:
            self._other(delivery, outcome, report)

    def _succeeded(self, delivery: Delivery, report: bytes, run_ns: int) -> None:
        result = _parse(report).succeeded.result
        shown = result.json if result.HasField("json") else f"<{len(result.data)} bytes>" if result.data else "null"
        if len(shown) > RESULT_SHOWN:
            shown = f"{shown[:RESULT_SHOWN]}..."
        _write(logging.INFO, "succeeded in %.6gs: %s", delivery, run_ns / 1e9, shown)

    def _failed(self, delivery: Delivery, outcome: int, report: bytes) -> None:
        parsed = _parse(report)
        error = parsed.lost.error if outcome == outcomes.LOST else parsed.failed.error
        text = "lost: %s: %s" if outcome == outcomes.LOST else "raised unexpected: %s: %s"
        if error.traceback:
            _write(logging.ERROR, f"{text}\n%s", delivery, error.type, error.message, error.traceback.rstrip("\n"))
        else:
            _write(logging.ERROR, text, delivery, error.type, error.message)

    def _other(self, delivery: Delivery, outcome: int, report: bytes) -> None:
        parsed = _parse(report)
        if outcome == outcomes.RETRY:
            delay = parsed.retry.delay.ToTimedelta().total_seconds()
            error = parsed.retry.error
            _write(logging.INFO, "retry: Retry in %gs: %s: %s", delivery, delay, error.type, error.message)
        elif outcome == outcomes.REPLACED:
            _write(logging.INFO, "gave its place to other tasks", delivery)
        elif outcome == outcomes.RELEASED:
            _write(logging.INFO, "handed back: %s", delivery, parsed.released.reason)
        elif outcome == outcomes.REJECTED:
            _write(logging.INFO, "rejected: %s", delivery, parsed.rejected.reason)
        elif outcome == outcomes.CANCELLED:
            _write(logging.INFO, "revoked", delivery)
        else:
            _write(logging.INFO, "ignored", delivery)


def _write(level: int, text: str, delivery: Delivery, *values: object) -> None:
    """Write a line about a delivery; its record carries what those do that are made while the task runs."""
    fields = {"task_id": delivery.task_id, "task_name": delivery.log_name}
    logger.log(level, f"Task %s[%s] {text}", delivery.log_name, delivery.task_id, *values, extra=fields)


def _parse(report: bytes) -> worker_service_pb2.TaskReport:
    return worker_service_pb2.TaskReport.FromString(report)
