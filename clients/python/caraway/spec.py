"""From a call and its options to the contract's TaskSpec."""

import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypedDict

from google.protobuf.timestamp_pb2 import Timestamp

from caraway import request, tracing
from caraway.durations import Seconds, seconds, set_duration
from caraway.hiding import cut
from caraway.json_text import encode_arguments_text, not_unicode
from caraway.option_names import check_names
from caraway.payload import encode_arguments
from caraway.stamps import fill_stamps
from caraway.unique import Unique, rule_of
from caraway.v1 import task_pb2

__all__ = ["CALL_OPTIONS", "CallOptions", "Seconds", "fill", "fill_arguments", "fill_options", "seconds"]


class CallOptions(TypedDict, total=False):
    """How one call of a task is to be run; all are optional."""

    task_id: str
    """Identity and idempotency key. Default: a new UUIDv7."""
    countdown: Seconds | None
    """Start that much later; counted by the gateway's clock."""
    eta: datetime | None
    """Start not before this instant, which carries a time zone."""
    expires: Seconds | datetime | None
    """End as expired when not started by then; what is not above 0 has passed."""
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
    """False: at most once; a started task that is lost never runs again. True: at least once. Default: as the worker's
    definition of the task says."""
    link: Any
    """A signature, or several, to run after it has succeeded."""
    link_error: Any
    """A signature, or several, to run when it has failed."""
    stamps: Mapping[str, Any] | None
    """Marks to find it by, and for its task to read as request.stamps: names with a value, or a list of them."""
    result_ttl: Seconds | None
    """How long the ended task can be read. Default: the gateway's, a day."""
    unique: Unique | bool | None
    """At most one task for a key; True: one for each arguments."""
    retry: bool | None
    """False: raise at the first failure to reach the gateway. Default: the app's task_publish_retry."""
    retry_policy: Mapping[str, Any] | None
    """max_retries, interval_start, interval_step, interval_max, retry_errors; laid over the app's."""
    add_to_parent: bool | None
    """False: inside a task, leave it out of that task's children. Ids of parent and root are kept always."""
    connection: Any
    producer: Any
    serializer: str | None
    """How the arguments are written, by the name of a serializer. Default: the app's task_serializer."""
    compression: str | None
    """How they are compressed, where that makes them smaller. Default: the app's task_compression."""
    argsrepr: str | None
    """What lists and logs show instead of the positional arguments, cut at 1,024 characters."""
    kwargsrepr: str | None
    """The same of the keyword arguments."""


_UNUSED: Final = {
    "connection": "every call goes by the app's own channel; give another app for another gateway",
    "producer": "every call goes by the app's own channel; many calls at once go by app.batch()",
}
_REFUSED: Final = dict.fromkeys(("exchange", "routing_key"), "tasks are routed by queue= here")
CALL_OPTIONS: Final = frozenset(CallOptions.__annotations__) - _UNUSED.keys()
_NOT_YET: Final = frozenset(
    {
        "chain", "chord", "group_id", "stamped_headers",
    }
)  # fmt: skip


def fill(
    spec: task_pb2.TaskSpec,
    task_id: str,
    name: str,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    options: CallOptions,
    named: dict[str, Any] | None = None,
) -> None:
    """Fill an empty TaskSpec in place: inside a batch that saves a copy of each.

    `named` has the arguments by name, as far as they are known; needed for a unique key alone.

    Raises EncodeError for arguments that have no form, TypeError or ValueError for options, with their names.
    """
    spec.task_id = task_id
    spec.name = name
    fill_arguments(spec, args, kwargs, options)
    if options:
        fill_options(spec, options)
        rule = rule_of(options.get("unique"))
        if rule is not None:
            rule.fill(spec.uniqueness, name, args, kwargs, kwargs if named is None else named)
    running = request.current()
    if running is not None and not running.called_directly:
        if running.trail and options.get("add_to_parent") is not False:
            spec.parent_task_id = running.id
        spec.headers[request.ROOT_HEADER] = running.root_id or running.id
        spec.headers[request.PARENT_HEADER] = running.id
    if tracing.is_loaded():
        tracing.inject(spec.headers)


def fill_arguments(spec: task_pb2.TaskSpec, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions) -> None:
    """Write the arguments, as the options `serializer` and `compression` say. Raises PayloadError."""
    if "serializer" in options or "compression" in options:
        serializer, compression = options.get("serializer") or "json", options.get("compression")
        spec.payload.CopyFrom(encode_arguments(args, kwargs, serializer, compression))
        return
    try:
        spec.payload.json = encode_arguments_text(args, kwargs)
    except UnicodeEncodeError as error:
        raise not_unicode(error) from error


def fill_options(spec: task_pb2.TaskSpec, options: CallOptions) -> None:
    """Write options, by the names of CallOptions. Raises TypeError or ValueError, with the option's name."""
    if not CALL_OPTIONS.issuperset(options):
        _check_options(options)
    countdown, eta = options.get("countdown"), options.get("eta")
    if countdown is not None:
        if eta is not None:
            raise ValueError("countdown and eta exclude each other")
        set_duration(spec.delay, "countdown", countdown)
    elif eta is not None:
        _set_instant(spec.schedule_time, "eta", eta)
    expires = options.get("expires")
    if isinstance(expires, datetime):
        _set_instant(spec.expire_time, "expires", expires)
    elif expires is not None:
        if (span := seconds("expires", expires)) > 0:
            set_duration(spec.ttl, "expires", expires)
        else:  # it is over, as an instant that has passed is
            _set_instant(spec.expire_time, "expires", datetime.now(UTC) + timedelta(seconds=max(span, -1.0)))
    _fill_place(spec, options)
    if "argsrepr" in options or "kwargsrepr" in options:
        spec.args_repr = cut(options.get("argsrepr") or "")
        spec.kwargs_repr = cut(options.get("kwargsrepr") or "")
    for option, field in (("soft_time_limit", "soft"), ("time_limit", "hard")):
        limit: Any = options.get(option)
        if limit is not None:
            set_duration(getattr(spec.time_limits, field), option, limit)
    if options.get("ignore_result"):
        spec.ignore_result = True
    acks_late = options.get("acks_late")
    if acks_late is not None:
        spec.ack_mode = task_pb2.TaskSpec.ACK_MODE_ON_FINISH if acks_late else task_pb2.TaskSpec.ACK_MODE_ON_START
    result_ttl = options.get("result_ttl")
    if result_ttl is not None:
        set_duration(spec.result_ttl, "result_ttl", result_ttl)


def _check_options(options: CallOptions) -> None:
    unused = [name for name in options if name in _UNUSED]
    check_names("apply_async()", options.keys() - unused, CALL_OPTIONS, _NOT_YET, _REFUSED)
    for name in unused:
        # None is what programs pass on that were given none.
        if options.get(name) is not None:
            warnings.warn(f"the option {name!r} has no effect in Caraway: {_UNUSED[name]}", stacklevel=2)


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
    stamps = options.get("stamps")
    if stamps:
        fill_stamps(spec.stamps, stamps)
    headers = options.get("headers")
    if headers:
        for key, value in headers.items():
            if not isinstance(value, str):
                raise TypeError(f"headers are text, and {key!r} is {value!r}")
            spec.headers[key] = value


def _set_instant(field: Timestamp, option: str, value: datetime) -> None:
    if not isinstance(value, datetime):
        raise TypeError(f"{option} is to be a datetime, not {value!r}")
    if value.utcoffset() is None:
        # Celery takes it for UTC, most people for local time; a task hours off is worse than an error.
        raise ValueError(f"{option} is to carry a time zone, for example datetime.now(timezone.utc)")
    field.FromDatetime(value)
