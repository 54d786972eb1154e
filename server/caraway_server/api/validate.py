"""What a request must be before anything of it is accepted; every refusal names the field and what to do."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from google.protobuf import duration_pb2, struct_pb2

from caraway.v1 import task_pb2
from caraway_server.api.durations import micros
from caraway_server.core.errors import Refused

LONGEST_NAME: Final = 255
TEN_YEARS: Final = 315_360_000_000_000  # microseconds
LATEST: Final = 253_402_300_799_000_000  # microseconds, the end of the year 9999; the store compares nearer ones itself
LARGEST_EXACT: Final = 2**53 - 1
MOST_ENCODINGS: Final = 4
_STAMP_KINDS = frozenset({"string_value", "number_value", "bool_value"})
_QUEUE = re.compile(r"[A-Za-z0-9_.@/#-]{1,255}")
_ENCODING = re.compile(r"[a-z0-9_.+-]{1,32}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def invalid(field: str, problem: str) -> Refused:
    """A field that is missing, malformed or out of its range."""
    return Refused("INVALID_FIELD", f"{field} {problem}", field=field)


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


def instant(field: str, value: int) -> int:
    """An instant's microseconds since 1970.

    Raises:
        Refused: it is before that, or too far ahead for any store.
    """
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
