"""What a task that asks for its retry changes in its own spec."""

from caraway.v1 import task_pb2
from caraway_server.api import validate
from caraway_server.api.new_task import new_task
from caraway_server.core.errors import Refused
from caraway_server.store.values import Override

_ALLOWED = frozenset(
    {"payload", "queue", "priority", "time_limits", "headers", "expire_time", "ttl", "args_repr", "kwargs_repr"}
)
_FIELD = "reports.retry.overrides"


def read_override(overrides: task_pb2.TaskSpec, max_payload_bytes: int, now: int) -> Override:
    """Checks overrides; its `spec` holds them alone until merged() makes it whole.

    Args:
        overrides: as the worker reported them.
        max_payload_bytes: largest arguments that are taken.
        now: the store's clock, against which an instant is checked.

    Raises:
        Refused: a field is set that can't be overridden, or its value is unfit.
    """
    for descriptor, _ in overrides.ListFields():
        if descriptor.name not in _ALLOWED:
            raise validate.invalid(f"{_FIELD}.{descriptor.name}", "can't be changed by a retry")
    # Checked as a whole spec is; what it lacks does not matter here.
    probe = task_pb2.TaskSpec(task_id="probe", name="probe")
    probe.MergeFrom(overrides)
    try:
        checked = new_task(probe, max_payload_bytes)
    except Refused as error:
        field = error.metadata.get("field", "")
        if error.reason != "INVALID_FIELD" or not field.startswith("task."):
            raise
        # Named as the caller wrote it.
        raise validate.invalid(
            _FIELD + field.removeprefix("task"), error.message.removeprefix(field).strip()
        ) from error
    if checked.until > now + validate.TEN_YEARS:
        raise validate.invalid(f"{_FIELD}.expire_time", "lies more than 10 years ahead")
    return Override(
        overrides.SerializeToString(),
        overrides.queue,
        overrides.priority if overrides.HasField("priority") else -1,
        checked.until,
        checked.ttl,
    )


def merged(override: Override, spec_bytes: bytes) -> Override:
    """The override with the task's whole new spec."""
    spec = task_pb2.TaskSpec.FromString(spec_bytes)
    changes = task_pb2.TaskSpec.FromString(override.spec)
    if changes.HasField("payload"):
        for field in ("args", "kwargs", "payload"):
            spec.ClearField(field)
    if changes.HasField("time_limits"):
        spec.ClearField("time_limits")
    if changes.headers:
        spec.ClearField("headers")  # replaced, where a merge would keep the others
    changes.ClearField("queue")  # the record has these two apart
    changes.ClearField("priority")
    spec.MergeFrom(changes)
    return Override(spec.SerializeToString(), override.queue, override.priority, override.until, override.ttl)
