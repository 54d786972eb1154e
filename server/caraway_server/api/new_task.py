"""From a spec to what the store keeps of it: checked, its defaults filled in."""

import functools
import hashlib
from typing import Final, NamedTuple

from caraway.framing import field
from caraway.ids import uuid7
from caraway.v1 import task_pb2
from caraway_server.api.durations import micros
from caraway_server.api.validate import (
    bounded,
    check_id,
    check_numbers,
    check_payload,
    check_queue,
    check_stamps,
    instant,
    invalid,
)
from caraway_server.core.errors import Refused
from caraway_server.store.values import NewTask

DEFAULT_QUEUE: Final = "default"
DEFAULT_PRIORITY: Final = 4
LARGEST_HEADERS: Final = 64 * 1024
LARGEST_REST: Final = 256 * 1024  # of a spec, beside its arguments
LONGEST_REPR: Final = 1024
LARGEST_REMEMBERED: Final = 512
_JSON: Final = b"application/json\0"  # the content type that `json` stands for
_PAYLOAD: Final = bytes([task_pb2.TaskSpec.PAYLOAD_FIELD_NUMBER << 3 | 2])
_ON_CONFLICT = {
    task_pb2.Uniqueness.ON_CONFLICT_UNSPECIFIED: "r",
    task_pb2.Uniqueness.ON_CONFLICT_REJECT: "r",
    task_pb2.Uniqueness.ON_CONFLICT_RETURN_EXISTING: "e",
    task_pb2.Uniqueness.ON_CONFLICT_REPLACE: "p",
}
_PLACE: Final = ("name", "queue", "priority")
_BESIDE: Final = ("headers", "args_repr", "kwargs_repr", "stamps", "parent_task_id")
_ACK_MODES = frozenset(task_pb2.TaskSpec.AckMode.values())


class _Form(NamedTuple):
    """What a spec says beside its id and its payload: `described` for its fingerprint, `stored` to be kept.

    `by_hand` is the size in bytes of arguments that are written by hand; None: there are none.
    """

    described: bytes
    stored: bytes
    by_hand: int | None
    name: str
    queue: str
    priority: int
    times: tuple[int, int, int, int]
    result_ttl: int
    ignore_result: bool
    uniqueness: tuple[str, int, str]
    once: bool
    parent: str


def new_task(spec: task_pb2.TaskSpec, max_payload_bytes: int, *, watch: bool = False) -> NewTask:
    """Checks a spec, fills its defaults in, and makes what the store keeps of it, which uses the spec up.

    Raises:
        Refused: it can't be accepted.
    """
    task_id = spec.task_id or uuid7()
    check_id("task.task_id", task_id)
    identity = payload = b""
    if spec.HasField("payload"):
        identity, payload = _read_payload(spec, max_payload_bytes)
        spec.ClearField("payload")
    spec.ClearField("task_id")
    form = _form_of(spec.SerializeToString())
    if form.by_hand is not None:
        if payload:
            raise invalid("task.payload", "excludes args and kwargs; give one or the other")
        _check_size(form.name, form.by_hand, max_payload_bytes)
    fingerprint = hashlib.blake2b(identity + form.described, digest_size=8).digest()
    stored = form.stored + payload  # serialised messages are merged by joining them
    if len(stored) > max_payload_bytes + LARGEST_REST:
        raise invalid("task", f"has {len(stored)} bytes, far more than its arguments; shorten its other fields")
    return NewTask(
        task_id, fingerprint, stored, form.name, form.queue, form.priority, *form.times, form.result_ttl, watch,
        form.ignore_result, *form.uniqueness, form.once, form.parent,
    )  # fmt: skip


def _read_payload(spec: task_pb2.TaskSpec, most: int) -> tuple[bytes, bytes]:
    """What a payload is known by, the same however its data was encoded; and the payload as a field of the spec."""
    payload = spec.payload
    check_payload("task.payload", payload)
    message = payload.SerializeToString()
    _check_size(spec.name, len(message), most)
    if payload.WhichOneof("body") == "json":
        identity = hashlib.sha256(payload.json.encode()).digest() + _JSON
    else:
        digest = payload.plain_sha256 or hashlib.sha256(payload.data).digest()
        identity = digest + f"{payload.content_type}\0".encode()
    return identity, field(_PAYLOAD, message)


def _check_size(name: str, size: int, most: int) -> None:
    if size > most:
        raise Refused(
            "PAYLOAD_TOO_LARGE",
            f"the arguments of task {name!r} have {size} bytes; at most {most} are taken. "
            "Store them elsewhere and pass where they are",
            size_bytes=size, max_bytes=most,
        )  # fmt: skip


def _form_of(rest: bytes) -> _Form:
    """The form of a spec without its id and payload: remembered, as most tasks of a program differ in these alone."""
    return _remembered(rest) if len(rest) <= LARGEST_REMEMBERED else _read(rest)


@functools.lru_cache(maxsize=1024)
def _remembered(rest: bytes) -> _Form:
    return _read(rest)


def _read(rest: bytes) -> _Form:
    spec = task_pb2.TaskSpec.FromString(rest)
    name, queue = spec.name, spec.queue
    check_id("task.name", name)
    if queue:
        check_queue("task.queue", queue)
    queue = queue or DEFAULT_QUEUE
    priority = spec.priority if spec.HasField("priority") else DEFAULT_PRIORITY
    if not 0 <= priority <= 9:
        raise invalid("task.priority", f"is {priority}; it goes from 0 to 9, 9 first")
    by_hand = _read_by_hand(spec)
    times = _times(spec)
    result_ttl = bounded("task.result_ttl", spec.result_ttl) if spec.HasField("result_ttl") else 0
    _check_policy(spec)
    uniqueness = _uniqueness(spec)
    if spec.ack_mode not in _ACK_MODES:
        raise invalid("task.ack_mode", f"{spec.ack_mode} is not known")
    once = spec.ack_mode == task_pb2.TaskSpec.ACK_MODE_ON_START
    ignore_result, parent = spec.ignore_result, spec.parent_task_id
    place = f"{name}\0{queue}\0{priority}\0".encode()  # names have no control characters
    described, stored = _stored_form(spec)
    return _Form(
        place + described, stored, by_hand, name, queue, priority, times, result_ttl, ignore_result,
        uniqueness, once, parent,
    )  # fmt: skip


def _stored_form(spec: task_pb2.TaskSpec) -> tuple[bytes, bytes]:
    """What belongs to a spec's identity, beside its place and payload; and the bytes to keep."""
    apart = _beside(spec)
    # The record has the place apart; without it the spec stays small, and in Redis's compact form.
    for name in (*_PLACE, *_BESIDE):
        spec.ClearField(name)
    described = spec.SerializeToString(deterministic=True)
    return described, described + apart


def _beside(spec: task_pb2.TaskSpec) -> bytes:
    """Headers, stamps and the like: kept, but no part of the spec's identity."""
    if not (spec.headers or spec.args_repr or spec.kwargs_repr or spec.stamps or spec.parent_task_id):
        return b""
    for name in ("args_repr", "kwargs_repr"):
        if len(getattr(spec, name)) > LONGEST_REPR:
            raise invalid(f"task.{name}", f"is longer than {LONGEST_REPR} characters")
    if spec.parent_task_id:
        check_id("task.parent_task_id", spec.parent_task_id)
    if spec.stamps:
        check_stamps("task.stamps", spec.stamps)
    apart = task_pb2.TaskSpec(**{name: getattr(spec, name) for name in _BESIDE}).SerializeToString()
    if len(apart) > LARGEST_HEADERS:
        raise invalid("task.headers", f"and stamps have {len(apart)} bytes; at most {LARGEST_HEADERS} are taken")
    return apart


def _read_by_hand(spec: task_pb2.TaskSpec) -> int | None:
    """The size in bytes of arguments that are written by hand; None: there are none."""
    if not (spec.HasField("args") or spec.HasField("kwargs")):
        return None
    check_numbers("task.args", spec.args.values)
    check_numbers("task.kwargs", spec.kwargs.fields.values())
    return spec.args.ByteSize() + spec.kwargs.ByteSize()


def _uniqueness(spec: task_pb2.TaskSpec) -> tuple[str, int, str]:
    if not spec.HasField("uniqueness"):
        return "", 0, "r"
    rule = spec.uniqueness
    check_id("task.uniqueness.key", rule.key)
    if rule.on_conflict not in _ON_CONFLICT:
        raise invalid("task.uniqueness.on_conflict", f"{rule.on_conflict} is not known")
    window = bounded("task.uniqueness.window", rule.window) if rule.HasField("window") else 0
    return rule.key, window, _ON_CONFLICT[rule.on_conflict]


def _times(spec: task_pb2.TaskSpec) -> tuple[int, int, int, int]:
    at = delay = until = ttl = 0
    start, expiration = spec.WhichOneof("start"), spec.WhichOneof("expiration")
    if start == "schedule_time":
        at = instant("task.schedule_time", micros(spec.schedule_time))
    elif start == "delay":
        delay = bounded("task.delay", spec.delay, zero=True)
    if expiration == "expire_time":
        until = instant("task.expire_time", micros(spec.expire_time))
    elif expiration == "ttl":
        ttl = bounded("task.ttl", spec.ttl)
    return at, delay, until, ttl


def _check_policy(spec: task_pb2.TaskSpec) -> None:
    if spec.HasField("time_limits"):
        limits = spec.time_limits
        if limits.HasField("soft"):
            bounded("task.time_limits.soft", limits.soft)
        if limits.HasField("hard"):
            bounded("task.time_limits.hard", limits.hard)
    if not spec.HasField("retry_policy"):
        return
    policy = spec.retry_policy
    if policy.max_attempts < -1:
        raise invalid("task.retry_policy.max_attempts", "is a number of attempts, or -1 for no end")
    if policy.HasField("initial_backoff"):
        bounded("task.retry_policy.initial_backoff", policy.initial_backoff, zero=True)
    if policy.HasField("max_backoff"):
        bounded("task.retry_policy.max_backoff", policy.max_backoff, zero=True)
    if policy.backoff_multiplier and not 1 <= policy.backoff_multiplier <= 1000:
        raise invalid("task.retry_policy.backoff_multiplier", "goes from 1 to 1000")
    if not 0 <= policy.jitter_ratio <= 1:
        raise invalid("task.retry_policy.jitter_ratio", "goes from 0 to 1")
