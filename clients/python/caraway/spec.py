"""From a call and its options to the contract's TaskSpec."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from caraway import request
from caraway.option_names import check_names
from caraway.payload import encode_arguments_text, not_unicode
from caraway.v1 import task_pb2

__all__ = ["CALL_OPTIONS", "CallOptions", "Seconds", "fill", "fill_arguments", "fill_options", "seconds"]

Seconds = float | timedelta
"""A time span: a number of seconds, or a timedelta."""


class CallOptions(TypedDict, total=False):
    """How one call of a task is to be run; all are optional."""

    task_id: str
    """Identity and idempotency key. Default: a new UUIDv7."""
    countdown: Seconds | None
    """Start that much later; counted by the gateway's clock."""
    eta: datetime | None
    """Start not before this instant, which carries a time zone."""
    expires: Seconds | datetime | None
    """End as expired when not started by then."""
    queue: str | None
    priority: int | None
    """0 to 9, higher first; 4 by default."""
    headers: Mapping[str, str] | None
    time_limit: Seconds | None
    """Kill an attempt after this."""
    soft_time_limit: Seconds | None
    """Raise SoftTimeLimitExceeded in an attempt after this."""
    shadow: str | None
    """A name to show in the worker's logs instead of the task's."""
    ignore_result: bool | None
    """Keep the state only, not what the task returns."""
    acks_late: bool | None
    """False: at most once; a started task that is lost never runs again."""
    result_ttl: Seconds | None
    """How long the ended task can be read. Default: the gateway's, a day."""


CALL_OPTIONS: Final = frozenset(CallOptions.__annotations__)
_NOT_YET: Final = frozenset(
    {
        "add_to_parent", "chain", "chord", "compression", "connection", "exchange", "group_id", "link", "link_error",
        "producer", "retry", "retry_policy", "routing_key", "serializer", "stamped_headers",
    }
)  # fmt: skip


def fill(
    spec: task_pb2.TaskSpec,
    task_id: str,
    name: str,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    options: CallOptions,
) -> None:
    """Fill an empty TaskSpec in place: inside a batch that saves a copy of each.

    Raises EncodeError for arguments that have no JSON form, TypeError or ValueError for options, with their names.
    """
    spec.task_id = task_id
    spec.name = name
    fill_arguments(spec, args, kwargs)
    if options:
        fill_options(spec, options)
    running = request.current()
    if running is not None and not running.called_directly:
        spec.headers[request.ROOT_HEADER] = running.root_id or running.id
        spec.headers[request.PARENT_HEADER] = running.id


def fill_arguments(spec: task_pb2.TaskSpec, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Write the arguments. Raises EncodeError."""
    try:
        spec.payload.json = encode_arguments_text(args, kwargs)
    except UnicodeEncodeError as error:
        raise not_unicode(error) from error


def seconds(option: str, value: Seconds) -> float:
    """Give a time span in seconds. Raises TypeError or ValueError with the option's name."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{option} is to be a number of seconds or a timedelta, not {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{option} is to be finite, not {value!r}")
    return value


def fill_options(spec: task_pb2.TaskSpec, options: CallOptions) -> None:
    """Write options, by the names of CallOptions. Raises TypeError or ValueError, with the option's name."""
    if not CALL_OPTIONS.issuperset(options):
        check_names("apply_async()", options, CALL_OPTIONS, _NOT_YET)
    countdown, eta = options.get("countdown"), options.get("eta")
    if countdown is not None:
        if eta is not None:
            raise ValueError("countdown and eta exclude each other")
        _set_duration(spec.delay, "countdown", countdown)
    elif eta is not None:
        _set_instant(spec.schedule_time, "eta", eta)
    expires = options.get("expires")
    if isinstance(expires, datetime):
        _set_instant(spec.expire_time, "expires", expires)
    elif expires is not None:
        _set_duration(spec.ttl, "expires", expires)
    _fill_place(spec, options)
    for option, field in (("soft_time_limit", "soft"), ("time_limit", "hard")):
        limit: Any = options.get(option)
        if limit is not None:
            _set_duration(getattr(spec.time_limits, field), option, limit)
    if options.get("ignore_result"):
        spec.ignore_result = True
    if options.get("acks_late") is False:
        spec.ack_mode = task_pb2.TaskSpec.ACK_MODE_ON_START
    result_ttl = options.get("result_ttl")
    if result_ttl is not None:
        _set_duration(spec.result_ttl, "result_ttl", result_ttl)


def _fill_place(spec: task_pb2.TaskSpec, options: CallOptions) -> None:
    queue = options.get("queue")
    if queue is not None:
        spec.queue = queue
    priority = options.get("priority")
    if priority is not None:
        if not 0 <= priority <= 9:
            raise ValueError(f"priority is to be from 0 to 9 (first), not {priority!r}")
        spec.priority = priority
    shadow = options.get("shadow")
    if shadow:
        spec.headers[request.SHADOW_HEADER] = shadow
    headers = options.get("headers")
    if headers:
        for key, value in headers.items():
            if not isinstance(value, str):
                raise TypeError(f"headers are text, and {key!r} is {value!r}")
            spec.headers[key] = value


def _set_duration(field: Duration, option: str, value: Seconds) -> None:
    span = value if isinstance(value, timedelta) else seconds(option, value)
    try:
        if isinstance(span, timedelta):
            field.FromTimedelta(span)
        else:
            field.FromNanoseconds(round(span * 1e9))
    except ValueError as error:
        raise ValueError(f"{option} is out of range: {value!r}") from error
    # A span of nothing is still one that was given.
    field.SetInParent()


def _set_instant(field: Timestamp, option: str, value: datetime) -> None:
    if not isinstance(value, datetime):
        raise TypeError(f"{option} is to be a datetime, not {value!r}")
    if value.utcoffset() is None:
        # Celery takes it for UTC, most people for local time; a task hours off is worse than an error.
        raise ValueError(f"{option} is to carry a time zone, for example datetime.now(timezone.utc)")
    field.FromDatetime(value)
