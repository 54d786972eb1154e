"""Workers' reports as the store's, and what the gateway itself decides about failed attempts."""

from collections.abc import Iterable, Sequence
from typing import cast

from caraway.v1 import task_pb2, worker_service_pb2
from caraway_server.api.convert import policy_from
from caraway_server.api.durations import micros
from caraway_server.api.errors import lease_lost
from caraway_server.api.growing import Grower, Grown
from caraway_server.api.overrides import merged, read_override
from caraway_server.api.validate import LONGEST_NAME, TEN_YEARS, bounded, check_id, check_payload, invalid
from caraway_server.core.errors import CarawayServerError, Refused
from caraway_server.store.codec import token_parts
from caraway_server.store.store import Store
from caraway_server.store.values import LossErrors, Override, Report, ReportKind

LONGEST_TYPE = 1024
LONGEST_MESSAGE = 32 * 1024
LONGEST_TRACEBACK = 64 * 1024
MOST_CAUSES = 16

_CUT = "\n... cut ...\n"


class ReportReader:
    """Turns the contract's reports into the store's.

    Args:
        store: read where a failed attempt's retry policy is needed.
        max_payload_bytes: largest result that is kept.
        max_lost: named in the error of a quarantined task.
    """

    def __init__(self, store: Store, max_payload_bytes: int, max_lost: int) -> None:
        self._store = store
        self._max_payload_bytes = max_payload_bytes
        self._max_lost = max_lost
        self._grower = Grower(store, max_payload_bytes)

    async def now_for(self, reports: Iterable[worker_service_pb2.TaskReport]) -> int:
        """The store's clock where one of them names an instant; else 0, and the store is not asked."""
        return await self._store.now() if any(map(_has_instant, reports)) else 0

    def read(self, report: worker_service_pb2.TaskReport, now: int) -> Report | Grown:
        """One report, at the time of now_for(); what a failure leads to is decided by decide().

        Raises:
            Refused: it is malformed.
        """
        kind = report.WhichOneof("report")
        if kind is None:
            raise invalid("reports.report", "is required: say what happened")
        task_id, fence = token_parts(report.lease_token)
        if not report.task_id or task_id != report.task_id:
            raise Refused("LEASE_LOST", f"lease_token is not one of task {report.task_id!r}", task_id=report.task_id)
        ran_for = min(max(0, micros(report.run_time)), TEN_YEARS)
        if kind == "succeeded":
            succeeded = self._succeeded(report, fence, ran_for)
            added = report.succeeded.added_nodes
            return Grown(succeeded, added) if added and succeeded.kind is ReportKind.SUCCEEDED else succeeded
        if kind == "replaced":
            return self._replaced(report, fence, ran_for)
        blob, wait, custom_state = b"", 0, ""
        override: Override | None = None
        if kind == "progress":
            blob, custom_state = self._progress(report.progress), report.progress.custom_state
        elif kind == "failed":
            blob = trimmed(report.failed.error)
        elif kind == "retry":
            blob, wait = trimmed(report.retry.error), bounded("reports.retry.delay", report.retry.delay, zero=True)
            if report.retry.HasField("overrides"):
                override = read_override(report.retry.overrides, self._max_payload_bytes, now)
        elif kind == "rejected":
            blob = _error(task_pb2.TaskError.KIND_REJECTED, report.rejected.reason or "rejected by the worker")
        elif kind == "lost":
            blob = quarantine_error(self._max_lost, report.lost.error.message)
        once = report.started.at_most_once
        return Report(ReportKind(kind), report.task_id, fence, ran_for, blob, wait, custom_state, override, once=once)

    def _progress(self, progress: worker_service_pb2.TaskReport.Progress) -> bytes:
        if len(progress.custom_state) > LONGEST_NAME:
            raise invalid("reports.progress.custom_state", f"is longer than {LONGEST_NAME} characters")
        check_payload("reports.progress.detail", progress.detail)
        blob = progress.detail.SerializeToString()
        if len(blob) > self._max_payload_bytes:
            raise Refused(
                "PAYLOAD_TOO_LARGE", f"the progress has {len(blob)} bytes; at most {self._max_payload_bytes} are taken",
                size_bytes=len(blob), max_bytes=self._max_payload_bytes,
            )  # fmt: skip
        return blob

    def _succeeded(self, report: worker_service_pb2.TaskReport, fence: str, ran_for: int) -> Report:
        succeeded = report.succeeded
        blob = b""
        if succeeded.HasField("result"):
            check_payload("reports.succeeded.result", succeeded.result)
            blob = succeeded.result.SerializeToString()
        if len(blob) > self._max_payload_bytes:
            message = (
                f"the result has {len(blob)} bytes; at most {self._max_payload_bytes} are kept. Store it elsewhere and "
                "return where it is"
            )
            error = _error(task_pb2.TaskError.KIND_PAYLOAD, message)
            return Report(ReportKind.FAILED, report.task_id, fence, ran_for, error)
        return Report(ReportKind.SUCCEEDED, report.task_id, fence, ran_for, blob)

    def _replaced(self, report: worker_service_pb2.TaskReport, fence: str, ran_for: int) -> Grown:
        replaced = report.replaced
        if not replaced.nodes:
            raise invalid("reports.replaced.nodes", "is empty; name at least one node")
        check_id("reports.replaced.output_node_id", replaced.output_node_id)
        bare = Report(ReportKind.REPLACED, report.task_id, fence, ran_for)
        return Grown(bare, replaced.nodes, replaced.output_node_id)

    async def decide(self, reports: Sequence[Report | Grown]) -> list[Report | CarawayServerError]:
        """Does what needs the task's record.

        A failure becomes a retry where its policy says so, overrides are merged, new nodes are checked, and refused
        where they are not sound.
        """
        needed = [_task_of(report) for report in reports if _needs_record(report)]
        if not needed:
            return cast("list[Report | CarawayServerError]", list(reports))
        records = {record.task_id: record for record in await self._store.get(needed) if record is not None}
        decided: list[Report | CarawayServerError] = []
        for report in reports:
            record = records.get(_task_of(report))
            if isinstance(report, Grown):
                gone = lease_lost(report.report.task_id)
                decided.append(gone if record is None else await self._grower.checked(report, record))
            elif report.kind is ReportKind.FAILED and record is not None:
                decided.append(_decide(report, record.spec, record.retries + 1))
            elif report.override is not None and record is not None:
                decided.append(report._replace(override=merged(report.override, record.spec)))
            else:
                decided.append(report)
        return decided


def _has_instant(report: worker_service_pb2.TaskReport) -> bool:
    return report.HasField("retry") and report.retry.overrides.HasField("expire_time")


def _task_of(report: Report | Grown) -> str:
    return report.report.task_id if isinstance(report, Grown) else report.task_id


def _needs_record(report: Report | Grown) -> bool:
    return isinstance(report, Grown) or report.kind is ReportKind.FAILED or report.override is not None


def _decide(report: Report, spec_bytes: bytes, attempt: int) -> Report:
    spec = task_pb2.TaskSpec.FromString(spec_bytes)
    if not spec.HasField("retry_policy"):
        return report
    error = task_pb2.TaskError.FromString(report.blob)
    policy = policy_from(spec.retry_policy)
    if error.non_retryable or not policy.covers(error.type):
        return report
    wait = policy.wait_after(attempt)
    if wait is None:
        return report
    wait_micros = int(wait.total_seconds() * 1_000_000)
    return Report(ReportKind.RETRY, report.task_id, report.fence, report.ran_for, report.blob, wait_micros)


def quarantine_error(max_lost: int, last: str) -> bytes:
    """The error under which a task ends whose deliveries were lost too often."""
    message = f"quarantined: {max_lost} deliveries ended in a lost worker or process; the last: {last}"
    return _error(task_pb2.TaskError.KIND_LOST_LIMIT, message)


def loss_errors(max_lost: int) -> LossErrors:
    """The errors under which lost deliveries end a task, where no worker lived to tell more."""
    once = "the worker that ran it was lost, and it may run only once"
    lapsed = "the producer of the workflow vanished: it neither appended nor sealed for longer than its lease"
    return LossErrors(
        quarantine_error(max_lost, "its lease ran out"), _error(task_pb2.TaskError.KIND_WORKER_LOST, once),
        _error(task_pb2.TaskError.KIND_WORKER_LOST, lapsed),
    )  # fmt: skip


def _error(kind: task_pb2.TaskError.Kind.ValueType, message: str) -> bytes:
    return task_pb2.TaskError(kind=kind, message=message[:LONGEST_MESSAGE], non_retryable=True).SerializeToString()


def trimmed(error: task_pb2.TaskError) -> bytes:
    """An error, cut to the contract's lengths; it always has a kind."""
    error.kind = error.kind or task_pb2.TaskError.KIND_APPLICATION
    error.type = _cut(error.type, LONGEST_TYPE)
    error.message = _cut(error.message, LONGEST_MESSAGE)
    error.traceback = _cut(error.traceback, LONGEST_TRACEBACK)
    del error.causes[MOST_CAUSES:]
    for cause in error.causes:
        cause.type = _cut(cause.type, LONGEST_TYPE)
        cause.message = _cut(cause.message, LONGEST_MESSAGE)
        cause.traceback = _cut(cause.traceback, LONGEST_TRACEBACK // MOST_CAUSES)
    if error.detail.ByteSize() > LONGEST_TRACEBACK:
        error.ClearField("detail")
    return error.SerializeToString()


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    half = (most - len(_CUT)) // 2
    return text[:half] + _CUT + text[-half:]
