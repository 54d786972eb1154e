"""What scripts are asked, and what they answer, in the store's own terms."""

from collections.abc import Sequence
from typing import Any, TypeVar

from caraway_server.core.task import State
from caraway_server.store.values import (
    Lease,
    LeaseWish,
    Limits,
    LossErrors,
    NewTask,
    Pass,
    Report,
    Reported,
    ReportKind,
    Submitted,
)

# Bounds how long one script holds the store (law 3): 2 to 6 ms on a quiet machine; 500 took 30 on a busy one.
MOST_IN_ONE_SCRIPT = 250

_PLAIN = NewTask._fields.index("at")
_UNSET = NewTask("", b"", b"", "", "", 0)[_PLAIN:]

_END_STATES = {
    ReportKind.SUCCEEDED: (State.SUCCEEDED, "R"),
    ReportKind.FAILED: (State.FAILED, "E"),
    ReportKind.REJECTED: (State.REJECTED, "E"),
    ReportKind.CANCELLED: (State.REVOKED, "E"),
    ReportKind.IGNORED: (State.IGNORED, "R"),
}


def submit_request(tasks: Sequence[NewTask], limits: Limits, *, all_or_nothing: bool = False) -> dict[str, Any]:
    """Asks to accept tasks. What a plain one leaves unset is not sent: the store reads tens of thousands a second."""
    return {
        "items": [task[:_PLAIN] if task[_PLAIN:] == _UNSET else task for task in tasks],
        "max_length": limits.max_queue_length,
        "horizon": limits.horizon,
        "all_or_nothing": all_or_nothing,
        "result_ttl": limits.result_ttl,  # of those that are replaced
    }


def lease_request(wish: LeaseWish, limits: Limits) -> dict[str, Any]:
    """Asks for leases."""
    return {
        "worker": wish.worker_id,
        "queues": wish.queues,
        "names": wish.names if wish.names is not None else False,
        "count": min(wish.count, MOST_IN_ONE_SCRIPT),
        "bytes": wish.max_bytes,
        "lease": limits.lease,
        "result_ttl": limits.result_ttl,
    }


def report_request(
    kind: ReportKind, reports: Sequence[Report], limits: Limits, errors: LossErrors
) -> tuple[str, dict[str, Any]]:
    """Asks to apply reports of one kind, either all with new nodes or none; returns the script and the request."""
    request: dict[str, Any] = {"kind": kind.value, "result_ttl": limits.result_ttl}
    items: list[tuple[Any, ...]] = [(r.task_id, r.fence, r.ran_for, r.blob) for r in reports]
    if reports[0].parts:
        items = [(r.task_id, r.fence, r.ran_for, r.blob, r.parts, r.node_count, r.output) for r in reports]
        script = "continue"
    elif kind in _END_STATES:
        request["state"], request["field"] = _END_STATES[kind]
        script = "finish"
    elif kind is ReportKind.STARTED:
        script, items = "start", [(r.task_id, r.fence, r.ran_for, r.once) for r in reports]
    elif kind is ReportKind.PROGRESS:
        script, items = "progress", [(r.task_id, r.fence, r.ran_for, r.custom_state, r.blob) for r in reports]
    elif kind is ReportKind.RETRY:
        script, items = "retry", [_retry_item(report) for report in reports]
    else:
        script, request["max_lost"] = "release", limits.max_lost
        request["lost_error"] = errors.lost
    request["items"] = items
    return script, request


def bounds(limit: int, limits: Limits) -> dict[str, Any]:
    """What a script is told that handles `limit` tasks, or fewer where they take long."""
    return {"limit": limit, "hold": limits.hold, "result_ttl": limits.result_ttl}


def submitted_from(raw: tuple[int, Sequence[Any]]) -> list[Submitted]:
    """How tasks were taken."""
    now, answers = raw
    queued = Submitted("created", State.QUEUED, 1, now, 0)
    return [queued if answer is True else _other_answer(*answer) for answer in answers]


def _other_answer(word: bytes, state: int, revision: int, created: int, due: int, holder: bytes) -> Submitted:
    return Submitted(word.decode(), state, revision, created, due, holder.decode())


def reported_from(raw: int | tuple[bytes, int, bool]) -> Reported:
    """What became of a report: where the store names no more than a state, all is well."""
    if isinstance(raw, int):
        return Reported("ok", raw, False)
    word, state, cancel = raw
    return Reported(word.decode(), state, cancel)


def leases_from(raw: Sequence[Any]) -> list[Lease]:
    """Deliveries."""
    return [
        Lease(task_id.decode(), fence.decode(), spec, retries, created, expires_in, deliveries, name.decode(),
              queue.decode(), priority, inputs=inputs, ready=ready)
        for task_id, fence, spec, retries, created, expires_in, deliveries, name, queue, priority, inputs, ready in raw
    ]  # fmt: skip


def _retry_item(report: Report) -> tuple[Any, ...]:
    item = (report.task_id, report.fence, report.ran_for, report.blob, report.wait)
    new = report.override
    if new is None:
        return (*item, "", "", -1, 0, 0)
    return (*item, new.spec, new.queue, new.priority, new.until, new.ttl)


Part = TypeVar("Part")


def parts_of(items: Sequence[Part], size: int) -> list[Sequence[Part]]:
    """Items in groups of at most `size`."""
    if len(items) <= size:
        return [items] if items else []
    return [items[start : start + size] for start in range(0, len(items), size)]


def pass_from(raw: Sequence[int]) -> Pass:
    """What a duty's script did, and when the next pass is due."""
    count, now, following = raw[:3]
    return Pass(count, max(0.0, (following - now) / 1e6) if following else None)
