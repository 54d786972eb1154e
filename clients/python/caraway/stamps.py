"""Stamps: marks on tasks, which their senders find them by."""

from collections.abc import Mapping
from typing import Any, Final

from caraway.v1 import task_pb2

__all__ = ["fill_stamps", "stamps_of"]

_LARGEST_EXACT: Final = 2**53 - 1


def fill_stamps(field: Any, stamps: Mapping[str, Any]) -> None:
    """Write stamps, each a value or a list of them, into a message's field of that kind.

    Raises TypeError for a value that is no text, number or boolean, ValueError for an integer beyond 2^53-1.
    """
    for name, given in stamps.items():
        values = list(given) if isinstance(given, list | tuple | set | frozenset) else [given]
        for value in values:
            if not isinstance(value, str | int | float):
                raise TypeError(f"a stamp is text, a number or a boolean, and {name!r} is {value!r:.200}")
            if isinstance(value, int) and abs(value) > _LARGEST_EXACT:
                raise ValueError(f"the stamp {name!r} is {value}: beyond 2^53-1, make it text")
        field[name].extend(values)


def stamps_of(spec: task_pb2.TaskSpec) -> dict[str, list[Any]]:
    """Read a task's stamps: the values of each, by its name."""
    return {name: [_plain(value) for value in listed] for name, listed in spec.stamps.items()}


def _plain(value: Any) -> Any:
    # A number on the wire is a double; what went in as an integer comes out as one.
    return int(value) if isinstance(value, float) and value.is_integer() else value
