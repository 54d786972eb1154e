"""Values as trees of what a format writes as it is: everything else in them becomes an object with a tag."""

from collections.abc import Callable
from typing import Any, Final

from caraway import tags
from caraway.exceptions import EncodeError

__all__ = ["MAX_DEPTH", "SCALARS", "Plain"]

MAX_DEPTH: Final = 100
"""Containers may stand in one another so deep."""

SCALARS: Final[frozenset[type]] = frozenset({str, int, float, bool, type(None)})
"""What JSON writes as it is. Exact types: a subclass may mean more than its base, and is looked at one by one."""

_KEYS: Final = frozenset({str})


class Plain:
    """Prepares values for one format."""

    __slots__ = ("_scalars",)

    def __init__(self, scalars: frozenset[type]) -> None:
        """`scalars` are the types that the format writes as they are, beside lists and objects."""
        self._scalars = scalars

    def prepare(self, value: Any, depth: int = 0) -> Any:
        """Give `value` in a form that the format writes exactly, itself where nothing needs a tag.

        `depth` is how many containers stand around it. Raises EncodeError.
        """
        kind = type(value)
        if kind in self._scalars:
            return value
        if depth >= MAX_DEPTH:
            raise EncodeError(f"containers stand in one another more than {MAX_DEPTH} deep, or hold themselves")
        if kind is dict:
            return self._prepare_dict(value, depth)
        if kind is list:
            # The types of a list are gathered in C: long lists of plain values cost no walk in Python.
            if self._scalars.issuperset(map(type, value)):
                return value
            return [self.prepare(member, depth + 1) for member in value]
        writer = tags.writer_of(kind)
        if writer is None:
            return self._prepare_subclass(value, kind, depth)
        return writer(value, self._writer_of_members(depth))

    def _writer_of_members(self, depth: int) -> Callable[[Any], Any]:
        return lambda member: self.prepare(member, depth + 1)

    def _prepare_dict(self, value: dict[Any, Any], depth: int) -> Any:
        if not _KEYS.issuperset(map(type, value)):
            for key in value:
                if not isinstance(key, str):
                    raise EncodeError(f"keys are to be strings, and one is a {type(key).__qualname__}")
        members = value
        if not self._scalars.issuperset(map(type, value.values())):
            members = {key: self.prepare(member, depth + 1) for key, member in value.items()}
        return tags.escape(members) if tags.KEY in members else members

    def _prepare_subclass(self, value: Any, kind: type, depth: int) -> Any:
        """Write a subclass of a type of JSON as its base: an IntEnum as its number, an OrderedDict as an object."""
        for base in kind.__mro__:
            writer = tags.writer_of(base)
            if writer is not None:
                return writer(value, self._writer_of_members(depth))
        if issubclass(kind, str):
            return str.__str__(value)
        if issubclass(kind, int):
            return int(value)
        if issubclass(kind, float):
            return float(value)
        if issubclass(kind, dict):
            return self._prepare_dict(dict(value), depth)
        if issubclass(kind, list):
            return [self.prepare(member, depth + 1) for member in value]
        # Its name, never its text: an argument may be one that nobody is to see.
        raise EncodeError(f"a {kind.__module__}.{kind.__qualname__} has no form in the payload contract")
