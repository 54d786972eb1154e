"""Reports that the supervisor itself writes."""

from caraway.v1 import task_pb2, worker_service_pb2
from caraway_worker.delivery import Delivery

TaskReport = worker_service_pb2.TaskReport
Kind = task_pb2.TaskError

STARTED = TaskReport.STARTED_FIELD_NUMBER
SUCCEEDED = TaskReport.SUCCEEDED_FIELD_NUMBER
FAILED = TaskReport.FAILED_FIELD_NUMBER
RETRY = TaskReport.RETRY_FIELD_NUMBER
RELEASED = TaskReport.RELEASED_FIELD_NUMBER
REJECTED = TaskReport.REJECTED_FIELD_NUMBER
CANCELLED = TaskReport.CANCELLED_FIELD_NUMBER
IGNORED = TaskReport.IGNORED_FIELD_NUMBER
LOST = TaskReport.LOST_FIELD_NUMBER
REPLACED = TaskReport.REPLACED_FIELD_NUMBER
EXPECTED = 100
"""FAILED, by an error that the task's `throws` names; known between child and log only."""

NAMES = {
    SUCCEEDED: "succeeded",
    FAILED: "failed",
    EXPECTED: "failed",
    RETRY: "retry",
    RELEASED: "released",
    REPLACED: "replaced",
    REJECTED: "rejected",
    CANCELLED: "cancelled",
    IGNORED: "ignored",
    LOST: "lost",
}
"""Outcomes in words, for metrics and traces."""

_LANGUAGE = "python"


def started(delivery: Delivery) -> bytes:
    """It started to run."""
    start = TaskReport.Started(at_most_once=delivery.at_most_once)
    return TaskReport(task_id=delivery.task_id, lease_token=delivery.token, started=start).SerializeToString()


def released(delivery: Delivery, reason: str) -> bytes:
    """It is handed back unfinished."""
    return TaskReport(
        task_id=delivery.task_id, lease_token=delivery.token, released=TaskReport.Released(reason=reason)
    ).SerializeToString()


def cancelled(delivery: Delivery) -> bytes:
    """It gave way to a cancellation."""
    return TaskReport(
        task_id=delivery.task_id, lease_token=delivery.token, cancelled=TaskReport.Cancelled()
    ).SerializeToString()


def lost(delivery: Delivery, how: str) -> bytes:
    """It may have begun, and will not end; `how` says it in words."""
    return TaskReport(
        task_id=delivery.task_id, lease_token=delivery.token, lost=TaskReport.Lost(error=_worker_lost(how))
    ).SerializeToString()


def died(delivery: Delivery, how: str) -> tuple[int, bytes]:
    """The process that ran it died: it is lost, or has failed where it is not to run again. The outcome, the report."""
    if not delivery.fails_with_worker:
        return LOST, lost(delivery, how)
    error = _worker_lost(how)
    error.non_retryable = True
    report = TaskReport(task_id=delivery.task_id, lease_token=delivery.token, failed=TaskReport.Failed(error=error))
    return FAILED, report.SerializeToString()


def _worker_lost(how: str) -> task_pb2.TaskError:
    return task_pb2.TaskError(
        kind=Kind.KIND_WORKER_LOST, type="caraway.exceptions.WorkerLostError", message=how, language=_LANGUAGE
    )


def time_limit(delivery: Delivery) -> bytes:
    """The hard limit struck and its process was killed."""
    error = task_pb2.TaskError(
        kind=Kind.KIND_TIME_LIMIT,
        type="caraway.exceptions.TimeLimitExceeded",
        message=f"the hard time limit of {delivery.hard:g} s struck and the process was killed",
        language=_LANGUAGE,
    )
    report = TaskReport(task_id=delivery.task_id, lease_token=delivery.token, failed=TaskReport.Failed(error=error))
    report.run_time.FromNanoseconds(int((delivery.hard or 0) * 1e9))
    return report.SerializeToString()


def refused(delivery: Delivery, message: str, too_large: bool) -> bytes:
    """The gateway refused its result for good, so the task fails with what the gateway said."""
    kind = Kind.KIND_PAYLOAD if too_large else Kind.KIND_APPLICATION
    name = "EncodeError" if too_large else "OperationalError"
    return _failed_for_good(delivery, kind, name, f"the gateway refused the task's report: {message}")


def no_inputs(delivery: Delivery, message: str) -> bytes:
    """The gateway refuses for good to tell what was handed on to it."""
    return _failed_for_good(delivery, Kind.KIND_PAYLOAD, "DecodeError", f"the task's inputs can't be read: {message}")


def _failed_for_good(delivery: Delivery, kind: task_pb2.TaskError.Kind.ValueType, name: str, message: str) -> bytes:
    error = task_pb2.TaskError(
        kind=kind, type=f"caraway.exceptions.{name}", message=message, language=_LANGUAGE, non_retryable=True
    )
    return TaskReport(
        task_id=delivery.task_id, lease_token=delivery.token, failed=TaskReport.Failed(error=error)
    ).SerializeToString()
