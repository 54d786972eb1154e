"""What a request must be before anything of it is accepted; every refusal names the field and what to do."""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from google.protobuf import duration_pb2, struct_pb2

from caraway.ids import uuid7
from caraway.v1 import task_pb2
from caraway_server.api.durations import micros
from caraway_server.core.errors import Refused
from caraway_server.store.values import NewTask

DEFAULT_QUEUE: Final = "default"
DEFAULT_PRIORITY: Final = 4
LONGEST_NAME: Final = 255
LARGEST_HEADERS: Final = 64 * 1024
TEN_YEARS: Final = 315_360_000_000_000  # microseconds
LATEST: Final = 253_402_300_799_000_000  # microseconds, the end of the year 9999; the store compares nearer ones itself
LARGEST_EXACT: Final = 2**53 - 1
LARGEST_REST: Final = 256 * 1024  # of a spec, beside its arguments
LONGEST_REPR: Final = 1024
MOST_ENCODINGS: Final = 4
_JSON: Final = b"application/json\0"  # the content type that `json` stands for
_ON_CONFLICT = {
    task_pb2.Uniqueness.ON_CONFLICT_UNSPECIFIED: "r",
    task_pb2.Uniqueness.ON_CONFLICT_REJECT: "r",
    task_pb2.Uniqueness.ON_CONFLICT_RETURN_EXISTING: "e",
    task_pb2.Uniqueness.ON_CONFLICT_REPLACE: "p",
}
_PLACE: Final = ("task_id", "name", "queue", "priority")
_BESIDE: Final = ("headers", "args_repr", "kwargs_repr", "stamps", "parent_task_id")
_ACK_MODES = frozenset(task_pb2.TaskSpec.AckMode.values())
_STAMP_KINDS = frozenset({"string_value", "number_value", "bool_value"})
_QUEUE = re.compile(r"[A-Za-z0-9_.@/#-]{1,255}")
_ENCODING = re.compile(r"[a-z0-9_.+-]{1,32}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def invalid(field: str, problem: str) -> Refused:
    """A field that is missing, malformed or out of its range."""
    return Refused("INVALID_FIELD", f"{field} {problem}", field=field)


def new_task(spec: task_pb2.TaskSpec, max_payload_bytes: int, *, watch: bool = False) -> NewTask:
    """Checks a spec, fills its defaults in, and makes what the store keeps of it, which uses the spec up.

    Raises:
        Refused: it can't be accepted.
    """
    task_id, name, queue = spec.task_id or uuid7(), spec.name, spec.queue
    check_id("task.task_id", task_id)
    check_id("task.name", name)
    if queue:
        check_queue("task.queue", queue)
    priority = spec.priority if spec.HasField("priority") else DEFAULT_PRIORITY
    if not 0 <= priority <= 9:
        raise invalid("task.priority", f"is {priority}; it goes from 0 to 9, 9 first")
    _check_arguments(spec, max_payload_bytes)
    at, delay, until, ttl = _times(spec)
    result_ttl = bounded("task.result_ttl", spec.result_ttl) if spec.HasField("result_ttl") else 0
    _check_policy(spec)
    key, window, on_conflict = _uniqueness(spec)
    if spec.ack_mode not in _ACK_MODES:
        raise invalid("task.ack_mode", f"{spec.ack_mode} is not known")
    once = spec.ack_mode == task_pb2.TaskSpec.ACK_MODE_ON_START
    ignore_result, parent = spec.ignore_result, spec.parent_task_id
    queue = queue or DEFAULT_QUEUE
    fingerprint, stored = _stored_form(spec, name, queue, priority)
    if len(stored) > max_payload_bytes + LARGEST_REST:
        raise invalid("task", f"has {len(stored)} bytes, far more than its arguments; shorten its other fields")
    return NewTask(
        task_id, fingerprint, stored, name, queue, priority, at, delay, until, ttl, result_ttl, watch,
        ignore_result, key, window, on_conflict, once, parent,
    )  # fmt: skip


def _uniqueness(spec: task_pb2.TaskSpec) -> tuple[str, int, str]:
    if not spec.HasField("uniqueness"):
        return "", 0, "r"
    rule = spec.uniqueness
    check_id("task.uniqueness.key", rule.key)
    if rule.on_conflict not in _ON_CONFLICT:
        raise invalid("task.uniqueness.on_conflict", f"{rule.on_conflict} is not known")
    window = bounded("task.uniqueness.window", rule.window) if rule.HasField("window") else 0
    return rule.key, window, _ON_CONFLICT[rule.on_conflict]


def _stored_form(spec: task_pb2.TaskSpec, name: str, queue: str, priority: int) -> tuple[bytes, bytes]:
    """The fingerprint, which leaves what _beside() has and the payload's encodings out; and the bytes to keep."""
    apart = _beside(spec)
    if apart:
        for field in _BESIDE:
            spec.ClearField(field)
    # The record has these apart; without them it stays small, and in Redis's compact form.
    for field in _PLACE:
        spec.ClearField(field)  # type: ignore[arg-type]
    stored = spec.SerializeToString() + apart  # serialised messages are merged by joining them
    payload = b""
    if spec.HasField("payload"):
        payload = _identity_of(spec.payload)
        spec.ClearField("payload")
    place = f"{name}\0{queue}\0{priority}\0".encode()  # names have no control characters
    described = place + spec.SerializeToString(deterministic=True)
    return hashlib.blake2b(payload + described, digest_size=8).digest(), stored


def _identity_of(payload: task_pb2.Payload) -> bytes:
    """What a payload is known by, the same however its data was encoded."""
    if payload.WhichOneof("body") == "json":
        return hashlib.sha256(payload.json.encode()).digest() + _JSON
    digest = payload.plain_sha256 or hashlib.sha256(payload.data).digest()
    return digest + f"{payload.content_type}\0".encode()


def _beside(spec: task_pb2.TaskSpec) -> bytes:
    """Headers, stamps and the like: kept, but no part of the spec's identity."""
    if not (spec.headers or spec.args_repr or spec.kwargs_repr or spec.stamps or spec.parent_task_id):
        return b""
    for field in ("args_repr", "kwargs_repr"):
        if len(getattr(spec, field)) > LONGEST_REPR:
            raise invalid(f"task.{field}", f"is longer than {LONGEST_REPR} characters")
    if spec.parent_task_id:
        check_id("task.parent_task_id", spec.parent_task_id)
    if spec.stamps:
        check_stamps("task.stamps", spec.stamps)
    apart = task_pb2.TaskSpec(**{field: getattr(spec, field) for field in _BESIDE}).SerializeToString()
    if len(apart) > LARGEST_HEADERS:
        raise invalid("task.headers", f"and stamps have {len(apart)} bytes; at most {LARGEST_HEADERS} are taken")
    return apart


def check_stamps(field: str, stamps: Mapping[str, struct_pb2.ListValue]) -> None:
    """What stamps must be before anything is done with them.

    Raises:
        Refused: a value is neither text nor a number nor a boolean, or a number is not exact.
    """
    for name, listed in stamps.items():
        check_id(f"{field} (a name of it)", name)
        if any(value.WhichOneof("kind") not in _STAMP_KINDS for value in listed.values):
            raise invalid(f"{field}.{name}", "holds what is neither text nor a number nor a boolean")
        check_numbers(f"{field}.{name}", listed.values)


def check_id(field: str, text: str) -> None:
    """A name or id: 1 to 255 characters, none of them a control character.

    Raises:
        Refused: it is not.
    """
    if not text:
        raise invalid(field, "is required")
    if len(text) > LONGEST_NAME:
        raise invalid(field, f"has {len(text)} characters; at most {LONGEST_NAME} are taken")
    if not text.isprintable() and _CONTROL.search(text):
        raise invalid(field, "holds control characters")


def check_queue(field: str, name: str) -> None:
    """A queue's name.

    Raises:
        Refused: it is none.
    """
    if not _QUEUE.fullmatch(name):
        raise invalid(field, "may have letters, digits and _ . @ / # -, at most 255")


def check_batch(field: str, items: Sequence[object], most: int) -> None:
    """A batch has 1 to `most` items.

    Raises:
        Refused: it has not.
    """
    if not items:
        raise invalid(field, "is empty")
    if len(items) > most:
        raise Refused(
            "BATCH_TOO_LARGE", f"{field} has {len(items)} items; split it into batches of {most}",
            size=len(items), max_size=most,
        )  # fmt: skip


def _check_arguments(spec: task_pb2.TaskSpec, most: int) -> None:
    if spec.HasField("payload"):
        if spec.HasField("args") or spec.HasField("kwargs"):
            raise invalid("task.payload", "excludes args and kwargs; give one or the other")
        payload = spec.payload
        check_payload("task.payload", payload)
        size = len(payload.json) or len(payload.data)
        if size * 4 > most:  # only a large text needs its exact size in bytes
            size = payload.ByteSize()
    else:
        size = 0
        if spec.HasField("args"):
            size += spec.args.ByteSize()
            check_numbers("task.args", spec.args.values)
        if spec.HasField("kwargs"):
            size += spec.kwargs.ByteSize()
            check_numbers("task.kwargs", spec.kwargs.fields.values())
    if size > most:
        raise Refused(
            "PAYLOAD_TOO_LARGE",
            f"the arguments of task {spec.name!r} have {size} bytes; at most {most} are taken. "
            "Store them elsewhere and pass where they are",
            size_bytes=size, max_bytes=most,
        )  # fmt: skip


def check_payload(field: str, payload: task_pb2.Payload) -> None:
    """What a payload says of its data; the data itself is its reader's matter.

    Raises:
        Refused: it is malformed.
    """
    if payload.WhichOneof("body") != "data":
        if payload.content_encodings or payload.plain_sha256:
            raise invalid(f"{field}.content_encodings", "need data; json is stored as it is")
        return
    check_id(f"{field}.content_type", payload.content_type)
    if len(payload.content_encodings) > MOST_ENCODINGS:
        raise invalid(
            f"{field}.content_encodings", f"are {len(payload.content_encodings)}; at most {MOST_ENCODINGS} are taken"
        )
    for name in payload.content_encodings:
        if not _ENCODING.fullmatch(name):
            raise invalid(f"{field}.content_encodings", "may have lower-case letters, digits and _ . + -, at most 32")
    if len(payload.plain_sha256) not in (0, 32):
        raise invalid(f"{field}.plain_sha256", f"has {len(payload.plain_sha256)} bytes; a SHA-256 has 32")


def check_numbers(field: str, values: Iterable[struct_pb2.Value]) -> None:
    """Numbers written by hand, however deep they stand.

    Raises:
        Refused: one is not exact.
    """
    pending = list(values)
    while pending:
        value = pending.pop()
        kind = value.WhichOneof("kind")
        if kind == "number_value":
            number = value.number_value
            if not math.isfinite(number) or abs(number) > LARGEST_EXACT:
                raise Refused(
                    "NUMBER_NOT_EXACT",
                    f"{field} holds {number:.17g}: numbers written by hand are exact up to 2^53-1 only. "
                    'Send it as a string, or all arguments as payload: {"json": ...}',
                    field=field,
                )
        elif kind == "list_value":
            pending.extend(value.list_value.values)
        elif kind == "struct_value":
            pending.extend(value.struct_value.fields.values())


def _times(spec: task_pb2.TaskSpec) -> tuple[int, int, int, int]:
    at = delay = until = ttl = 0
    start, expiration = spec.WhichOneof("start"), spec.WhichOneof("expiration")
    if start == "schedule_time":
        at = _instant("task.schedule_time", micros(spec.schedule_time))
    elif start == "delay":
        delay = bounded("task.delay", spec.delay, zero=True)
    if expiration == "expire_time":
        until = _instant("task.expire_time", micros(spec.expire_time))
    elif expiration == "ttl":
        ttl = bounded("task.ttl", spec.ttl)
    return at, delay, until, ttl


def _instant(field: str, value: int) -> int:
    if value <= 0:
        raise invalid(field, "lies before 1970")
    if value > LATEST:
        raise invalid(field, "lies more than 10 years ahead")
    return value


def bounded(field: str, duration: duration_pb2.Duration, *, zero: bool = False) -> int:
    """The microseconds of a duration, above 0 (or from it on, with `zero`) and at most ten years.

    Raises:
        Refused: it lies outside.
    """
    value = micros(duration)
    if value < 0 or (value == 0 and not zero) or value > TEN_YEARS:
        raise invalid(field, f"is {value / 1e6:g} s; it goes from {'0' if zero else 'above 0'} to 10 years")
    return value


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
