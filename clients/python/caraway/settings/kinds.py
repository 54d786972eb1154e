"""Kinds of values: how each is read, from text or from TOML, and written."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

__all__ = ["ADDRESS", "DURATION", "KINDS", "Kind", "Unreadable", "choice"]


class Unreadable(ValueError):
    """A value is not of its kind; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is read and written.

    Attributes:
        label: what stands for a value in help and reference.
        read: takes text, or what TOML gave; raises Unreadable.
        write: gives text that `read` takes.
        choices: all values that there are; empty: no such list.
    """

    label: str
    read: Callable[[Any], Any]
    write: Callable[[Any], str] = str
    choices: tuple[str, ...] = ()


_SECONDS: Final = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"([+-]?\d{1,12}(?:\.\d{1,9})?) ?(ms|s|m|h|d|)")
_SWITCH: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unreadable("write text, in quotes")
    return value


def _read_number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value.strip()):
        return int(value)
    raise Unreadable("write a whole number")


def _read_switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _SWITCH:
        return _SWITCH[value.lower()]
    raise Unreadable("write true or false")


def _read_duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    text = repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise Unreadable("write seconds, or a duration like 500ms, 15s, 10m, 6h or 1d")
    try:
        return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        raise Unreadable("write a shorter duration") from None


def _write_duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{seconds:g}s" if seconds == float(f"{seconds:g}") else f"{seconds!r}s"


def _read_path(value: Any) -> Path:
    return value if isinstance(value, Path) else Path(_read_text(value))


def _read_names(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise Unreadable("write names with commas between them, or a list of them in TOML")
    return tuple(name.strip() for name in names if name.strip())


def _read_address(value: Any) -> str:
    text = _read_text(value).strip()
    host, _, port = text.rpartition(":")
    if text and (not host or not port.isdecimal() or int(port) > 65535):
        raise Unreadable("write HOST:PORT")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise Unreadable("write one HOST:PORT, with the host in brackets where it is an IPv6 address: [::1]:PORT")
    return text


def choice(choices: tuple[str, ...]) -> Kind:
    """Text that is one of these, whatever its case."""
    known = {name.lower(): name for name in choices}

    def read(value: Any) -> str:
        if not isinstance(value, str) or value.lower() not in known:
            raise Unreadable(f"write one of {', '.join(choices)}")
        return known[value.lower()]

    return Kind("|".join(choices), read, choices=choices)


ADDRESS: Final = Kind("HOST:PORT", _read_address)

DURATION: Final = Kind("DURATION", _read_duration, _write_duration)

KINDS: Final[dict[Any, Kind]] = {
    str: Kind("TEXT", _read_text),
    int: Kind("NUMBER", _read_number),
    bool: Kind("SWITCH", _read_switch, lambda value: "true" if value else "false"),
    timedelta: DURATION,
    Path: Kind("PATH", _read_path),
    tuple[str, ...]: Kind("A,B", _read_names, ",".join),
}
"""By the annotation of a field."""
