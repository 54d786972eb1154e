"""The store's records as the contract's messages."""

from datetime import timedelta

from caraway.v1 import task_pb2
from caraway_server.api.durations import fill, micros
from caraway_server.core.retry import RetryPolicy
from caraway_server.core.task import Record, State
from caraway_server.settings import MAX_MESSAGE_BYTES
from caraway_server.store.values import NewTask

LARGEST_TASK = MAX_MESSAGE_BYTES - 128 * 1024  # beside an envelope
# Fields of a spec that only the FULL view shows.
_HEAVY = ("args", "kwargs", "payload", "headers")


def task_from(record: Record, view: task_pb2.TaskView.ValueType) -> task_pb2.Task:
    """A task in the view asked for; TASK_VIEW_UNSPECIFIED is FULL here."""
    full = view != task_pb2.TASK_VIEW_BASIC
    with_arguments, with_progress = _what_fits(record) if full else (False, False)
    task = task_pb2.Task(
        task_id=record.task_id,
        state=record.state.value,  # type: ignore[arg-type]
        attempt=record.attempt,
        delivery_count=record.deliveries,
        revision=record.revision,
        worker_id=record.worker_id,
        lost_count=record.lost,
        cancel_reason=record.cancel_reason,
    )
    if record.workflow:
        _fill_node(task, record)
    if not record.collect:
        fill_spec(task.spec, record, full=with_arguments)
    _fill_times(task, record)
    if record.state is State.RUNNING:
        task.custom_state = record.custom_state
    if with_progress and record.progress is not None:
        task.progress.ParseFromString(record.progress)
    if full and record.result is not None:
        task.result.ParseFromString(record.result)
    _fill_error(task, record, full=full)
    return task


def _what_fits(record: Record) -> tuple[bool, bool]:
    """Whether the arguments and the progress fit into a message beside result and error; those always do."""
    room = LARGEST_TASK - len(record.result or b"") - len(record.error or b"")
    with_progress = len(record.progress or b"") <= room
    if with_progress:
        room -= len(record.progress or b"")
    return len(record.spec) <= room, with_progress


def fill_spec(spec: task_pb2.TaskSpec, kept: Record | NewTask, *, full: bool) -> None:
    """A spec as it was submitted, its defaults filled in; without what only the worker needs, unless `full`."""
    spec.ParseFromString(kept.spec)
    spec.task_id, spec.name, spec.queue, spec.priority = kept.task_id, kept.name, kept.queue, kept.priority
    if not full:
        for field in _HEAVY:
            spec.ClearField(field)  # type: ignore[arg-type]


def _fill_node(task: task_pb2.Task, record: Record) -> None:
    task.workflow_id = record.workflow
    task.node_id = node_id_of(record.workflow, record.task_id)
    task.replaced_by = record.replaced_by
    if record.collect:
        collected = task.collected
        collected.node_count = record.edges
        collected.succeeded_count, collected.failed_count = record.members_succeeded, record.members_failed
        collected.ended_count = record.edges - min(record.edges, record.pending)


def node_id_of(workflow_id: str, task_id: str) -> str:
    """The name in its workflow of the node that has this task; see graph.task_id_of()."""
    return task_id.removeprefix(f"{workflow_id}.")


def _fill_times(task: task_pb2.Task, record: Record) -> None:
    fill(task.create_time, record.created)
    if record.started:
        fill(task.start_time, record.started)
    if record.is_terminal:
        fill(task.end_time, record.ended)
        fill(task.purge_time, record.purge)
    if record.state in (State.SCHEDULED, State.RETRYING):
        fill(task.next_attempt_time, record.due)


def _fill_error(task: task_pb2.Task, record: Record, *, full: bool) -> None:
    error = error_of(record)
    if error is not None:
        task.error.CopyFrom(error)
        if not full:
            for field in ("traceback", "causes", "detail"):
                task.error.ClearField(field)


def error_of(record: Record) -> task_pb2.TaskError | None:
    """Why a task ended, or why its last attempt failed; None: it did not."""
    if record.blame:
        return dependency_error(record.blame, record.culprit)
    if record.state is State.REVOKED:
        reason = record.cancel_reason or "revoked"
        return task_pb2.TaskError(kind=task_pb2.TaskError.KIND_REVOKED, message=reason)
    if record.state is State.EXPIRED:
        message = "it had not started when it expired"
        return task_pb2.TaskError(kind=task_pb2.TaskError.KIND_EXPIRED, message=message)
    if record.error is not None and record.state is not State.SUCCEEDED:
        return task_pb2.TaskError.FromString(record.error)
    return None


def dependency_error(task_id: str, culprit: Record | None) -> task_pb2.TaskError:
    """The error of what failed because this task had; `culprit` is its record, None where that is gone."""
    own = error_of(culprit) if culprit is not None else None
    error = own or task_pb2.TaskError(message=f"task {task_id} failed")
    error.failed_kind, error.failed_task_id = error.kind, task_id
    error.kind = task_pb2.TaskError.KIND_DEPENDENCY
    return error


def policy_from(policy: task_pb2.RetryPolicy) -> RetryPolicy:
    """A spec's retry policy, defaults filled in."""
    default = RetryPolicy()

    def duration(field: str, otherwise: timedelta) -> timedelta:
        return timedelta(microseconds=micros(getattr(policy, field))) if policy.HasField(field) else otherwise  # type: ignore[arg-type]

    return RetryPolicy(
        max_attempts=policy.max_attempts or default.max_attempts,
        initial_backoff=duration("initial_backoff", default.initial_backoff),
        max_backoff=duration("max_backoff", default.max_backoff),
        multiplier=policy.backoff_multiplier or default.multiplier,
        jitter=policy.jitter_ratio,
        retryable=frozenset(policy.retryable_error_types),
        non_retryable=frozenset(policy.non_retryable_error_types),
    )
