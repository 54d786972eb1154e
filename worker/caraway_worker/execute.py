"""Runs one task in the child and writes the report of how it ended."""

import asyncio
import inspect
from collections.abc import Coroutine
from functools import partial
from typing import Any, cast

from caraway import attempt_signals, request
from caraway.app import Caraway
from caraway.dispatch import Signal
from caraway.errbacks import called_with
from caraway.exceptions import (
    EncodeError,
    Ignore,
    NotRegistered,
    PayloadError,
    Reject,
    Replaced,
    Retry,
    SoftTimeLimitExceeded,
)
from caraway.inputs import merged
from caraway.json_text import encode_text
from caraway.payload import decode_arguments, encode
from caraway.task import Task
from caraway.v1 import task_pb2, worker_service_pb2, workflow_pb2
from caraway.wire_error import to_error
from caraway_worker import outcomes
from caraway_worker.attempt import Attempt, Ended, TaskSlot
from caraway_worker.coroutines import Strikable
from caraway_worker.hooks import calls_after, state_after
from caraway_worker.lease_context import LeaseContext
from caraway_worker.options import ChildOptions, Limits
from caraway_worker.soft_limit import MESSAGE

TaskLease = worker_service_pb2.TaskLease
TaskReport = worker_service_pb2.TaskReport
Kind = task_pb2.TaskError


class Executor:
    """Runs the tasks of one app."""

    def __init__(self, app: Caraway, options: ChildOptions) -> None:
        self.limits = Limits()
        self._app = app
        self._tasks = app.tasks
        self._middleware = app.middleware
        self._options = options
        self._plain_results = app.result_serializer == "json" and app.result_compression is None

    def is_async(self, name: str) -> bool:
        """Whether the task of this name is a coroutine function."""
        task = self._tasks.get(name)
        return task is not None and task.is_async

    def run(self, slot: TaskSlot, sequence: int, lease: worker_service_pb2.TaskLease) -> Ended:
        """Run one delivery. Returns the number of the report's field that is set, the run time in ns, and the report.

        Whatever the task raises ends up in the report; nothing leaves this method.
        """
        attempt = Attempt.begin(slot, sequence, lease)
        try:
            task = self._prepare(attempt)
            outcome = outcomes.FAILED if task is None else self._call(attempt, task)
        except SoftTimeLimitExceeded as error:
            # It struck just as the task ended, while its end was being noted.
            outcome = _fail(attempt.report, error, Kind.KIND_SOFT_TIME_LIMIT)
        except Exception as error:
            # Values of the task's own making ran code of their own while they were written down.
            outcome = self._fail_internally(attempt, error)
        return attempt.seal(outcome)

    async def arun(self, slot: TaskSlot, sequence: int, lease: worker_service_pb2.TaskLease) -> Ended:
        """Run one delivery of an async task in the running loop; else as `run`."""
        attempt = Attempt.begin(slot, sequence, lease)
        try:
            task = self._prepare(attempt)
            outcome = outcomes.FAILED if task is None else await self._acall(attempt, task)
        except Exception as error:
            outcome = self._fail_internally(attempt, error)
        return attempt.seal(outcome)

    def _fail_internally(self, attempt: Attempt, error: Exception) -> int:
        """Fail it for what came from outside its body, before or behind it."""
        spec = attempt.lease.task
        context = request.Context(id=spec.task_id, task=spec.name, args=attempt.args, kwargs=attempt.kwargs)
        attempt_signals.internal_error(self._tasks.get(spec.name), context, error)
        return _fail(attempt.report, error)

    def _prepare(self, attempt: Attempt) -> "Task[Any, Any] | None":
        """Find the task and read its arguments; None: it has failed."""
        spec = attempt.lease.task
        task: Task[Any, Any] | None = self._tasks.get(spec.name)
        if task is None:
            error = NotRegistered(f"no task named {spec.name!r} is registered with {self._options.worker}")
            _fail(attempt.report, error, Kind.KIND_UNKNOWN_TASK, final=True)
            return None
        try:
            attempt.args, attempt.kwargs = decode_arguments(spec, self._app)
            if attempt.lease.inputs:
                own = (attempt.args, attempt.kwargs)
                args, attempt.kwargs = merged(*own, attempt.lease.inputs, self._app)
                attempt.args = called_with(task, args, self._app)
        except PayloadError as error:
            _fail(attempt.report, error, Kind.KIND_PAYLOAD, final=True)
            return None
        return task

    def _call(self, attempt: Attempt, task: "Task[Any, Any]") -> int:
        soft_limit = attempt.slot.soft_limit
        context = self._context(attempt, task)
        token = request.push(context)
        value: Any = None
        try:
            if Signal.in_use:
                attempt_signals.before(task, context)
            soft_limit.arm(attempt.sequence)
            try:
                if self._middleware.has_attempt:
                    value = self._through_middleware(attempt.slot, task, context)
                else:
                    if task.has_hooks:
                        value = _hooked(task, context, attempt.slot)
                    else:
                        value = task(*attempt.args, **attempt.kwargs)
                    if task.is_async:
                        value = attempt.slot.run_coroutine(value)
                soft_limit.disarm()
            except BaseException as error:
                soft_limit.disarm()
                outcome = self._note(attempt, task, error)
            else:
                outcome = self._succeed(attempt, task, value)
            if context.added_nodes:
                outcome = self._add_nodes(attempt, context.added_nodes, outcome)
            if task.has_hooks:
                for call in calls_after(task, context, outcome, value, attempt.error):
                    call.run(attempt.slot.run_coroutine)
            if Signal.in_use:
                attempt_signals.after(task, context, state_after(outcome), value, attempt.error, attempt.runtime)
            return outcome
        finally:
            request.pop(token)

    async def _acall(self, attempt: Attempt, task: "Task[Any, Any]") -> int:
        soft_limit = attempt.slot.soft_limit
        context = self._context(attempt, task)
        token = request.push(context)
        value: Any = None
        try:
            if Signal.in_use:
                attempt_signals.before(task, context)
            soft_limit.arm(attempt.sequence)
            try:
                if self._middleware.has_attempt:
                    coroutine = self._middleware.aattempt(context, partial(_ahooked, task))
                else:
                    coroutine = _ahooked(task, context) if task.has_hooks else task(*attempt.args, **attempt.kwargs)
                body = Strikable(coroutine, asyncio.get_running_loop())
                with soft_limit.diverted(body.strike):
                    value = await body.run()
                soft_limit.disarm()
            except BaseException as error:
                soft_limit.disarm()
                outcome = self._note(attempt, task, error)
            else:
                outcome = self._succeed(attempt, task, value)
            if context.added_nodes:
                outcome = self._add_nodes(attempt, context.added_nodes, outcome)
            if task.has_hooks:
                for call in calls_after(task, context, outcome, value, attempt.error):
                    await call.arun()
            if Signal.in_use:
                attempt_signals.after(task, context, state_after(outcome), value, attempt.error, attempt.runtime)
            return outcome
        finally:
            request.pop(token)

    def _through_middleware(self, slot: TaskSlot, task: "Task[Any, Any]", context: request.Context) -> Any:
        if task.is_async:
            return slot.run_coroutine(self._middleware.aattempt(context, partial(_ahooked, task)))
        return self._middleware.attempt(context, lambda passed: _hooked(task, passed, slot))

    def _succeed(self, attempt: Attempt, task: "Task[Any, Any]", value: Any) -> int:
        report = attempt.report
        if attempt.lease.task.ignore_result or task.ignore_result:
            report.succeeded.SetInParent()
            return outcomes.SUCCEEDED
        try:
            if self._plain_results:
                text = encode_text(value)
                if len(text) * 4 > self.limits.max_payload_bytes:  # only a large text needs its exact size in bytes
                    self._check_size("the result", len(text.encode("utf-8", "surrogatepass")))
                report.succeeded.result.json = text
            else:
                report.succeeded.result.CopyFrom(self._written("the result", value))
        except UnicodeEncodeError as error:
            attempt.error = EncodeError(f"the result is not Unicode: {error.reason}")
        except PayloadError as error:
            attempt.error = error
        else:
            return outcomes.SUCCEEDED
        return _fail(report, attempt.error, Kind.KIND_PAYLOAD, final=True)

    def _note(self, attempt: Attempt, task: "Task[Any, Any]", error: BaseException) -> int:
        """Write what the task raised."""
        attempt.error = error
        # The first frame is this module's; the reader wants to see their own.
        error.__traceback__ = error.__traceback__.tb_next if error.__traceback__ else None
        if isinstance(error, Retry):
            return self._retry(attempt, error)
        if isinstance(error, Replaced):
            attempt.report.replaced.nodes.extend(error.nodes)
            attempt.report.replaced.output_node_id = error.output_node_id
            return self._fitting(attempt, outcomes.REPLACED)
        mode = attempt.lease.task.ack_mode
        by_definition = mode == task_pb2.TaskSpec.ACK_MODE_UNSPECIFIED and task.acks_late is False
        outcome = _note(attempt, error, once=by_definition or mode == task_pb2.TaskSpec.ACK_MODE_ON_START)
        if outcome == outcomes.FAILED and task.throws and isinstance(error, task.throws):
            return outcomes.EXPECTED
        return outcome

    def _add_nodes(self, attempt: Attempt, nodes: list[workflow_pb2.WorkflowNode], outcome: int) -> int:
        """Nodes that the task added go with its success; with any other end they are dropped."""
        if outcome != outcomes.SUCCEEDED:
            return outcome
        attempt.report.succeeded.added_nodes.extend(nodes)
        return self._fitting(attempt, outcome)

    def _fitting(self, attempt: Attempt, outcome: int) -> int:
        """The outcome, unless nodes made its report larger than a message; then the task fails."""
        size, most = attempt.report.ByteSize(), self.limits.max_message_bytes * 3 // 4
        if size <= most:
            return outcome
        message = f"the nodes that the task adds have {size} bytes; at most {most} are taken. Submit them as a workflow"
        attempt.error = EncodeError(message)
        return _fail(attempt.report, attempt.error, Kind.KIND_PAYLOAD, final=True)

    def _retry(self, attempt: Attempt, error: Retry) -> int:
        retry = attempt.report.retry
        try:
            delay = error.delay
            if error.overrides is not None:
                self._check_size("what the retry is to be called with", error.overrides.payload.ByteSize())
                retry.overrides.CopyFrom(error.overrides)
        except (EncodeError, TypeError) as unfit:
            attempt.error = unfit
            return _fail(attempt.report, unfit, Kind.KIND_APPLICATION, final=True)
        retry.error.CopyFrom(to_error(error.exc if isinstance(error.exc, BaseException) else error))
        if delay > 0:
            retry.delay.FromNanoseconds(int(delay * 1e9))
        return outcomes.RETRY

    def _written(self, what: str, value: Any) -> task_pb2.Payload:
        """Write a value as the app has results written. Raises PayloadError, also for one that is too large."""
        payload = encode(value, self._app.result_serializer, self._app.result_compression)
        self._check_size(what, payload.ByteSize())
        return payload

    def _check_size(self, what: str, size: int) -> None:
        most = self.limits.max_payload_bytes
        if size > most:
            raise EncodeError(f"{what} is larger than the gateway takes: {size} bytes, at most {most}")

    def _context(self, attempt: Attempt, task: "Task[Any, Any]") -> request.Context:
        return LeaseContext(attempt, task, self._app, self._options, self._report_progress)

    def _report_progress(self, attempt: Attempt, state: str, meta: Any) -> None:
        """Send what the task tells of itself. Raises PayloadError if it can't be written or is too large."""
        detail = self._written("the progress", meta)
        progress = TaskReport.Progress(custom_state=state, detail=detail)
        lease = attempt.lease
        report = TaskReport(task_id=lease.task.task_id, lease_token=lease.lease_token, progress=progress)
        with attempt.slot.soft_limit.held():
            attempt.slot.progress(attempt.sequence, report.SerializeToString())


def _hooked(task: "Task[Any, Any]", context: request.Context, slot: TaskSlot) -> Any:
    """The body of a task, and the hook before it. Of an async task this gives a coroutine."""
    started = task.before_start(context.id, context.args, context.kwargs)
    if inspect.iscoroutine(started):
        slot.run_coroutine(started)
    return task(*context.args, **context.kwargs)


async def _ahooked(task: "Task[Any, Any]", context: request.Context) -> Any:
    """The body of an async task, and the hook before it."""
    started = task.before_start(context.id, context.args, context.kwargs)
    if inspect.iscoroutine(started):
        await started
    return await cast(Coroutine[Any, Any, Any], task(*context.args, **context.kwargs))


def _note(attempt: Attempt, error: BaseException, *, once: bool) -> int:
    """Write an error that asks for no retry; `once` says that the task runs at most once."""
    report = attempt.report
    if isinstance(error, Ignore):
        report.ignored.SetInParent()
        return outcomes.IGNORED
    if isinstance(error, Reject):
        # What runs at most once can't be put back: it has begun.
        if error.requeue and not once:
            report.released.reason = str(error)
            return outcomes.RELEASED
        report.rejected.reason = str(error)
        return outcomes.REJECTED
    if isinstance(error, SoftTimeLimitExceeded):
        if not error.args:
            error.args = (MESSAGE,)  # one that was raised in a thread from outside could carry none
        return _fail(report, error, Kind.KIND_SOFT_TIME_LIMIT)
    return _fail(report, error, final=getattr(error, "non_retryable", False) is True)


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
