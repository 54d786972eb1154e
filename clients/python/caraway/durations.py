"""Time spans as programs give them: numbers of seconds, or timedeltas."""

import math
from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration

__all__ = ["Seconds", "seconds", "set_duration"]

Seconds = float | timedelta
"""A time span: a number of seconds, or a timedelta."""


def seconds(option: str, value: Seconds) -> float:
    """Give a time span in seconds. Raises TypeError or ValueError with the option's name."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    given: Any = value
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"{option} is to be a number of seconds or a timedelta, not {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{option} is to be finite, not {value!r}")
    return value


def set_duration(field: Duration, option: str, value: Seconds) -> None:
    """Write a time span into a message. Raises TypeError or ValueError with the option's name."""
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
