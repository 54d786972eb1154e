"""Unique: at most one task at a time, or in a time, for a key."""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from caraway.durations import Seconds, seconds, set_duration
from caraway.exceptions import EncodeError
from caraway.json_text import encode_arguments_text
from caraway.v1 import task_pb2

__all__ = ["Unique", "arguments_by_name", "rule_of"]

_LONGEST_KEY: Final = 255
_DIGEST_BYTES: Final = 16
_LONGEST_NAME_IN_KEY: Final = _LONGEST_KEY - 1 - 2 * _DIGEST_BYTES

_Rule = task_pb2.Uniqueness
_ON_CONFLICT: Final = {
    "reject": _Rule.ON_CONFLICT_REJECT,
    "return_existing": _Rule.ON_CONFLICT_RETURN_EXISTING,
    "replace": _Rule.ON_CONFLICT_REPLACE,
}


@dataclass(frozen=True, slots=True)
class Unique:
    """What keeps a second task away while another holds the same key: an option of tasks and of calls.

    `key` is a template that is formatted with the call's arguments ("report:{user_id}", or by position "report:{0}"),
    or a function of the arguments that returns the key. All tasks share one space of keys. None makes it of the task's
    name and the arguments as they are given: f(1) and f(x=1) are two keys.

    The key is held until its task has ended; with `window` that long from acceptance, even if the task has ended.

    `on_conflict` says what happens meanwhile. "reject": UniqueConflict is raised, with metadata["task_id"].
    "return_existing": the holder's AsyncResult is returned; in a batch it takes the holder's id when the batch is sent.
    "replace": a holder that waits is revoked; one that a worker has is as for "reject".
    """

    key: str | Callable[..., str] | None = None
    window: Seconds | None = None
    on_conflict: Literal["reject", "return_existing", "replace"] = "reject"

    def __post_init__(self) -> None:
        """Raises TypeError or ValueError for what can't be a rule."""
        if not (self.key is None or isinstance(self.key, str) or callable(self.key)):
            raise TypeError(f"Unique's key is a template, a function of the arguments or None, not {self.key!r}")
        if self.window is not None and seconds("Unique's window", self.window) <= 0:
            raise ValueError(f"Unique's window is to be above 0, not {self.window!r}")
        if self.on_conflict not in _ON_CONFLICT:
            raise ValueError(f"Unique's on_conflict is one of {', '.join(_ON_CONFLICT)}, not {self.on_conflict!r}")

    def fill(
        self,
        rule: task_pb2.Uniqueness,
        name: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        named: dict[str, Any],
    ) -> None:
        """Write the rule of one call; `named` has its arguments by name, as far as they are known.

        Raises ValueError for a key that names an argument which the call has not, or that is empty or too long.
        """
        if self.key is None:
            rule.key = _default_key(name, args, kwargs)
        elif isinstance(self.key, str):
            rule.key = _formatted(self.key, args, named)
        else:
            made: Any = self.key(*args, **kwargs)
            if not isinstance(made, str):
                raise TypeError(f"Unique's key function is to return a text, not a {type(made).__name__}")
            rule.key = made
        if not 0 < len(rule.key) <= _LONGEST_KEY:
            raise ValueError(f"a unique key has 1 to {_LONGEST_KEY} characters, not {len(rule.key)}")
        if self.window is not None:
            set_duration(rule.window, "Unique's window", self.window)
        rule.on_conflict = _ON_CONFLICT[self.on_conflict]


def arguments_by_name(run: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Give the arguments of a call of `run` by name, with its defaults; where they do not fit, those by keyword."""
    signature = inspect.signature(run)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return kwargs
    bound.apply_defaults()
    return {**bound.arguments, **kwargs}


def rule_of(option: Any) -> Unique | None:
    """Give the rule that the option `unique` stands for: a Unique, True for the default one. Raises TypeError."""
    if option is None or option is False:
        return None
    if option is True:
        return Unique()
    if isinstance(option, Unique):
        return option
    raise TypeError(f"unique is to be a Unique, True or False, not {option!r}")


def _formatted(template: str, args: Sequence[Any], named: dict[str, Any]) -> str:
    try:
        return template.format(*args, **named)
    except (LookupError, AttributeError, ValueError) as error:
        raise ValueError(
            f"the unique key {template!r} can't be made of this call's arguments ({type(error).__name__}: {error}); "
            "name arguments that it has, by {name} or by {0}"
        ) from error


def _default_key(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    try:
        text = encode_arguments_text(args, dict(kwargs))
    except EncodeError as error:
        raise EncodeError(f"no unique key can be made of these arguments; give Unique(key=...): {error}") from error
    # Equal arguments are to be one key, in whatever order they were named.
    sorted_text = json.dumps(json.loads(text), sort_keys=True)
    digest = hashlib.blake2b(f"{name}\n{sorted_text}".encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{name[:_LONGEST_NAME_IN_KEY]}:{digest}"
