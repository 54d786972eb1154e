"""Values that JSON has no form for, as objects with a tag: {"$caraway": "date", "value": "2026-01-31"}."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar
from uuid import UUID

from caraway.exceptions import DecodeError, EncodeError

__all__ = ["KEY", "QUOTED_KEY", "escape", "register_type", "untag", "writer_of"]

KEY: Final = "$caraway"
QUOTED_KEY: Final = f'"{KEY}"'

T = TypeVar("T")

_OWN: Final = "x-"
"""What the tags of a program's own types begin with, so that no later tag of the contract is one of them."""

_MARKER: Final = re.compile(r"[a-z0-9_-]{1,64}")

Writer = Callable[[Any, Callable[[Any], Any]], Any]
"""Writes a value of one type; the second argument writes its members."""


def _tag(name: str, value: Any) -> dict[str, Any]:
    return {KEY: name, "value": value}


def escape(members: dict[str, Any]) -> dict[str, Any]:
    """Write a user's object that has the tag's key: as pairs, so that readers from inside out can't mistake it."""
    return _tag("object", [[key, value] for key, value in members.items()])


def _write_datetime(value: datetime, _write: Callable[[Any], Any]) -> Any:
    offset = value.utcoffset()
    if value.tzinfo is not None and (offset is None or offset % timedelta(minutes=1)):
        # Other languages read offsets of hours and minutes only; a few historic ones have seconds.
        value = value.astimezone(UTC)
    return _tag("datetime", value.isoformat())


def _write_time(value: time, _write: Callable[[Any], Any]) -> Any:
    if value.tzinfo is not None:
        offset = value.utcoffset()
        if offset is None or offset % timedelta(minutes=1):
            raise EncodeError("a time's zone has no fixed offset in whole minutes; send a datetime instead")
    return _tag("time", value.isoformat())


def _write_duration(value: timedelta, _write: Callable[[Any], Any]) -> Any:
    microseconds = value // timedelta(microseconds=1)
    seconds, fraction = divmod(abs(microseconds), 1_000_000)
    sign = "-" if microseconds < 0 else ""
    return _tag("duration", f"{sign}{seconds}.{fraction:06}s" if fraction else f"{sign}{seconds}s")


def _write_decimal(value: Decimal, _write: Callable[[Any], Any]) -> Any:
    if not value.is_finite():
        raise EncodeError("a Decimal is not finite")
    return _tag("decimal", str(value))


def _write_set(value: set[Any], write: Callable[[Any], Any]) -> Any:
    # Sorted by their text: the same set is the same bytes, so a repeated submit of it is the same task.
    members = [write(member) for member in value]
    # Bytes are members as they are where the format has a form for them.
    return _tag("set", sorted(members, key=lambda member: json.dumps(member, allow_nan=False, default=bytes.hex)))


_WRITERS: Final[dict[type, Writer]] = {
    bytes: lambda value, _write: _tag("bytes", base64.b64encode(value).decode("ascii")),
    date: lambda value, _write: _tag("date", value.isoformat()),
    datetime: _write_datetime,
    Decimal: _write_decimal,
    set: _write_set,
    time: _write_time,
    timedelta: _write_duration,
    tuple: lambda value, write: _tag("tuple", [write(member) for member in value]),
    UUID: lambda value, _write: _tag("uuid", str(value)),
}

_BUILT_IN: Final = frozenset({str, int, float, bool, type(None), list, dict, *_WRITERS})
_marked: dict[str, str] = {}

writer_of: Final = _WRITERS.get
"""The writer of exactly this type, or None."""

_DURATION: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]{1,9}))?s")
_DECIMAL: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:E[+-]?[0-9]+)?", re.IGNORECASE)


def _read_bytes(value: str) -> bytes:
    return base64.b64decode(value, validate=True)


def _read_decimal(value: str) -> Decimal:
    if not _DECIMAL.fullmatch(value):
        raise ValueError(value)
    return Decimal(value)


def _read_duration(value: str) -> timedelta:
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError(value)
    sign, seconds, fraction = match.groups()
    duration = timedelta(seconds=int(seconds), microseconds=int((fraction or "").ljust(6, "0")[:6]))
    return -duration if sign else duration


def _read_object(value: list[Any]) -> dict[str, Any]:
    members = {}
    for key, member in value:
        if type(key) is not str:
            raise ValueError(key)
        members[key] = member
    return members


# What a tag is read by, and the JSON type of its value; `object` is any.
_READERS: Final[dict[str, tuple[type, Callable[[Any], Any]]]] = {
    "bytes": (str, _read_bytes),
    "date": (str, date.fromisoformat),
    "datetime": (str, datetime.fromisoformat),
    "decimal": (str, _read_decimal),
    "duration": (str, _read_duration),
    "object": (list, _read_object),
    "set": (list, set),
    "time": (str, time.fromisoformat),
    "tuple": (list, tuple),
    "uuid": (str, UUID),
}


def untag(members: dict[str, Any]) -> Any:
    """Read an object: the value that its tag means, or itself where it has no tag. Raises DecodeError."""
    name = members.get(KEY)
    if name is None and KEY not in members:
        return members
    kind, read = _READERS.get(name, (None, None)) if type(name) is str else (None, None)
    if kind is None or read is None:
        raise DecodeError(
            f"the tag {name!r:.50} is not known; a newer Caraway, or another program, may have written it"
        )
    if len(members) != 2 or "value" not in members or kind not in (object, type(members["value"])):
        raise DecodeError(f'an object tagged "{name}" is to have one more member, "value"')
    try:
        return read(members["value"])
    except (ValueError, TypeError, OverflowError, InvalidOperation, binascii.Error):
        # Neither the value nor the reader's error, which shows it: it may be one that nobody is to see.
        raise DecodeError(f'the value of an object tagged "{name}" has another form') from None


def register_type(typ: type[T], marker: str, encoder: Callable[[T], Any], decoder: Callable[[Any], T]) -> None:
    """Give a class of one's own a form in payloads, in this process: {"$caraway": "x-MARKER", "value": ...}.

    `encoder` returns a value that has a form, `decoder` makes the object of it again. Subclasses are written as `typ`.
    Registering the class again replaces both. Raises ValueError for a marker that is not of lower-case letters, digits,
    _ and - or that another class has, and for a type that the contract has a form for.
    """
    if not _MARKER.fullmatch(marker):
        raise ValueError(f"a marker has 1 to 64 lower-case letters, digits, _ and -: {marker!r}")
    name = f"{typ.__module__}.{typ.__qualname__}"
    if typ in _BUILT_IN:
        raise ValueError(f"{name} has a form already")
    # By name: a module that is loaded again makes its classes anew.
    holder = _marked.setdefault(marker, name)
    if holder != name:
        raise ValueError(f"the marker {marker!r} is that of {holder}")
    tag = f"{_OWN}{marker}"

    def read(value: Any) -> T:
        try:
            return decoder(value)
        except Exception as error:
            raise ValueError from error

    _WRITERS[typ] = lambda value, write: _tag(tag, write(encoder(value)))
    _READERS[tag] = (object, read)
