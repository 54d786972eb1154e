"""Runs one task in the child and writes the report of how it ended."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

from caraway import request
from caraway.app import Caraway
from caraway.exceptions import DecodeError, EncodeError, Ignore, NotRegistered, Reject, Retry, SoftTimeLimitExceeded
from caraway.payload import decode_arguments, encode, encode_text
from caraway.task import Task
from caraway.v1 import task_pb2, worker_service_pb2
from caraway.wire_error import to_error
from caraway_worker import outcomes
from caraway_worker.coroutines import CoroutineRunner
from caraway_worker.options import ChildOptions, Limits
from caraway_worker.soft_limit import SoftLimit

TaskLease = worker_service_pb2.TaskLease
TaskReport = worker_service_pb2.TaskReport
Kind = task_pb2.TaskError


class Ports(Protocol):
    """What a running task may ask of the child around it."""

    def progress(self, sequence: int, report: bytes) -> None:
        """Send a report of progress."""

    def cancelled(self, sequence: int) -> bool:
        """Whether the cancellation of this assignment is asked for."""


class Executor:
    """Runs the tasks of one app, one at a time."""

    def __init__(self, app: Caraway, options: ChildOptions, ports: Ports, soft_limit: SoftLimit) -> None:
        self.limits = Limits()
        self._tasks = app.tasks
        self._options = options
        self._ports = ports
        self._soft_limit = soft_limit
        self._coroutines: CoroutineRunner | None = None

    def run(self, sequence: int, lease: worker_service_pb2.TaskLease) -> tuple[int, int, bytes]:
        """Run one delivery. Returns the number of the report's field that is set, the run time in ns, and the report.

        Whatever the task raises ends up in the report; nothing leaves this method.
        """
        report = TaskReport(task_id=lease.task.task_id, lease_token=lease.lease_token)
        began = time.monotonic_ns()
        try:
            outcome = self._attempt(sequence, lease, report)
        except SoftTimeLimitExceeded as error:
            # It struck just as the task ended, while its end was being noted.
            outcome = _fail(report, error, Kind.KIND_SOFT_TIME_LIMIT)
        except Exception as error:
            # Values of the task's own making ran code of their own while they were written down.
            outcome = _fail(report, error)
        run_ns = time.monotonic_ns() - began
        seconds, nanos = divmod(run_ns, 1_000_000_000)
        report.run_time.seconds, report.run_time.nanos = seconds, nanos
        return outcome, run_ns, report.SerializeToString()

    def _attempt(
        self, sequence: int, lease: worker_service_pb2.TaskLease, report: worker_service_pb2.TaskReport
    ) -> int:
        spec = lease.task
        task = self._tasks.get(spec.name)
        if task is None:
            error = NotRegistered(f"no task named {spec.name!r} is registered with {self._options.worker}")
            return _fail(report, error, Kind.KIND_UNKNOWN_TASK, final=True)
        try:
            args, kwargs = decode_arguments(spec)
        except DecodeError as error:
            return _fail(report, error, Kind.KIND_PAYLOAD, final=True)
        token = request.push(self._context(sequence, lease, task, args, kwargs))
        try:
            return self._call(sequence, task, args, kwargs, report, spec.ignore_result)
        finally:
            request.pop(token)

    def _call(
        self,
        sequence: int,
        task: "Task[Any, Any]",
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        report: worker_service_pb2.TaskReport,
        ignore_result: bool,
    ) -> int:
        soft_limit = self._soft_limit
        soft_limit.arm(sequence)
        try:
            value = task(*args, **kwargs)
            if task.is_async:
                value = self._run_coroutine(value)
            soft_limit.disarm()
        except BaseException as error:
            soft_limit.disarm()
            return _note(report, error)
        if ignore_result or task.ignore_result:
            report.succeeded.SetInParent()
            return outcomes.SUCCEEDED
        return self._succeed(report, value)

    def _run_coroutine(self, coroutine: Any) -> Any:
        if self._coroutines is None:
            self._coroutines = CoroutineRunner(self._soft_limit)
        return self._coroutines.run(coroutine)

    def _succeed(self, report: worker_service_pb2.TaskReport, value: Any) -> int:
        try:
            text = encode_text(value)
            self._check_size("the result", text)
            report.succeeded.result.json = text
        except UnicodeEncodeError as error:
            return _fail(
                report, EncodeError(f"the result is not Unicode: {error.reason}"), Kind.KIND_PAYLOAD, final=True
            )
        except EncodeError as error:
            return _fail(report, error, Kind.KIND_PAYLOAD, final=True)
        return outcomes.SUCCEEDED

    def _check_size(self, what: str, text: str) -> None:
        most = self.limits.max_payload_bytes
        if len(text) * 4 > most:
            size = len(text.encode("utf-8", "surrogatepass"))
            if size > most:
                raise EncodeError(f"{what} is larger than the gateway takes: {size} bytes, at most {most}")

    def _context(
        self,
        sequence: int,
        lease: worker_service_pb2.TaskLease,
        task: "Task[Any, Any]",
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> request.Context:
        spec = lease.task
        headers = dict(spec.headers) if spec.headers else {}
        return request.Context(
            id=spec.task_id,
            task=spec.name,
            args=args,
            kwargs=kwargs,
            attempt=lease.attempt,
            delivery_count=lease.delivery_count,
            fence=lease.fence,
            hostname=self._options.worker,
            headers=headers,
            delivery_info={
                "queue": spec.queue,
                "priority": spec.priority,
                "redelivered": lease.delivery_count > lease.attempt,
            },
            timelimit=self._limits_of(spec, task),
            expires=_expires(lease),
            root_id=headers.get(request.ROOT_HEADER, spec.task_id),
            parent_id=headers.get(request.PARENT_HEADER),
            ignore_result=spec.ignore_result or bool(task.ignore_result),
            report_progress=partial(self._report_progress, sequence, spec.task_id, lease.lease_token),
            is_cancelled=partial(self._ports.cancelled, sequence),
        )

    def _limits_of(self, spec: task_pb2.TaskSpec, task: "Task[Any, Any]") -> tuple[float | None, float | None]:
        """Hard and soft limit as the supervisor enforces them, in seconds."""
        hard = task.time_limit if task.time_limit is not None else self._options.hard
        soft = task.soft_time_limit if task.soft_time_limit is not None else self._options.soft
        if spec.HasField("time_limits"):
            limits = spec.time_limits
            if limits.HasField("hard"):
                hard = limits.hard.ToTimedelta().total_seconds()
            if limits.HasField("soft"):
                soft = limits.soft.ToTimedelta().total_seconds()
        return hard, soft

    def _report_progress(self, sequence: int, task_id: str, token: str, state: str, meta: Any) -> None:
        """Send what the task tells of itself. Raises EncodeError if it can't be written or is too large."""
        detail = encode(meta)
        self._check_size("the progress", detail.json)
        progress = TaskReport.Progress(custom_state=state, detail=detail)
        report = TaskReport(task_id=task_id, lease_token=token, progress=progress)
        with self._soft_limit.held():
            self._ports.progress(sequence, report.SerializeToString())


def _note(report: worker_service_pb2.TaskReport, error: BaseException) -> int:
    """Write what the task raised."""
    # The first frame is this module's; the reader wants to see their own.
    error.__traceback__ = error.__traceback__.tb_next if error.__traceback__ else None
    if isinstance(error, Retry):
        cause = error.exc if isinstance(error.exc, BaseException) else error
        report.retry.error.CopyFrom(to_error(cause))
        if error.delay > 0:
            report.retry.delay.FromNanoseconds(int(error.delay * 1e9))
        return outcomes.RETRY
    if isinstance(error, Ignore):
        report.ignored.SetInParent()
        return outcomes.IGNORED
    if isinstance(error, Reject):
        if error.requeue:
            report.released.reason = str(error.reason)
            return outcomes.RELEASED
        report.rejected.reason = str(error.reason)
        return outcomes.REJECTED
    if isinstance(error, SoftTimeLimitExceeded):
        return _fail(report, error, Kind.KIND_SOFT_TIME_LIMIT)
    return _fail(report, error)


def _fail(
    report: worker_service_pb2.TaskReport,
    error: BaseException,
    kind: "task_pb2.TaskError.Kind.ValueType" = Kind.KIND_APPLICATION,
    final: bool = False,
) -> int:
    """Write a failure; `final`: no retry policy applies."""
    report.failed.error.CopyFrom(to_error(error, kind))
    report.failed.error.non_retryable = final
    return outcomes.FAILED


def _expires(lease: worker_service_pb2.TaskLease) -> datetime | None:
    if lease.task.HasField("expire_time"):
        return lease.task.expire_time.ToDatetime(tzinfo=UTC)
    if lease.HasField("expires_in"):
        return datetime.now(UTC) + timedelta(seconds=lease.expires_in.seconds)
    return None
