"""Arguments that nobody is to see: what lists and logs show of a call instead."""

import inspect
import reprlib
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from caraway.exceptions import ImproperlyConfigured

__all__ = ["MASK", "MAX_LENGTH", "Hiding", "cut"]

MASK: Final = "***"

MAX_LENGTH: Final = 1024
"""Characters; the contract's limit of args_repr and kwargs_repr."""

_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_shorten: Final = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = _shorten.maxlong = 100
_shorten.maxlist = _shorten.maxtuple = _shorten.maxdict = _shorten.maxset = 20


class Hiding:
    """Writes the arguments of one task's calls, those of its hidden parameters masked."""

    __slots__ = ("_hidden", "_named", "_positions", "_shows_rest")

    def __init__(self, name: str, function: Callable[..., Any], bound: bool, hidden: Collection[str]) -> None:
        """`hidden` names parameters of `function`, whose first one is the task itself where it is `bound`.

        That of *args or **kwargs hides all that it gathers, and a function with **kwargs may name keys of it. Raises
        ImproperlyConfigured for a name that is no parameter.
        """
        parameters = list(inspect.signature(function).parameters.values())[1 if bound else 0 :]
        if isinstance(hidden, str) or not all(isinstance(one, str) for one in hidden):
            raise ImproperlyConfigured(f"hidden of the task {name} is to be a list of its parameters' names")
        self._hidden = frozenset(hidden)
        # What no parameter takes can only be a mistake, perhaps about a hidden one: it is not shown.
        self._shows_rest, shows_unknown = False, False
        for parameter in parameters:
            if parameter.kind is parameter.VAR_POSITIONAL:
                self._shows_rest = parameter.name not in self._hidden
            elif parameter.kind is parameter.VAR_KEYWORD:
                shows_unknown = parameter.name not in self._hidden
        self._positions = [one.name not in self._hidden for one in parameters if one.kind in _POSITIONAL]
        names = {one.name for one in parameters}
        self._named = None if shows_unknown else names - self._hidden
        unknown = () if any(one.kind is one.VAR_KEYWORD for one in parameters) else self._hidden - names
        for one in unknown:
            raise ImproperlyConfigured(f"the task {name} has no parameter {one!r} to be hidden")

    def args(self, args: Sequence[Any]) -> str:
        """Write positional arguments, at most MAX_LENGTH characters."""
        known = len(self._positions)
        shown = [
            _shorten.repr(value) if (self._positions[at] if at < known else self._shows_rest) else MASK
            for at, value in enumerate(args)
        ]
        return _tuple(shown)

    def partial(self, args: Sequence[Any]) -> str:
        """Write positional arguments before which others may still be put: masked wherever a hidden one may end up."""
        if len(args) >= len(self._positions):
            return self.args(args)
        shown = [
            _shorten.repr(value) if all(self._positions[at:]) and self._shows_rest else MASK
            for at, value in enumerate(args)
        ]
        return _tuple(shown)

    def kwargs(self, kwargs: dict[str, Any]) -> str:
        """Write keyword arguments, at most MAX_LENGTH characters."""
        shown = [f"{name!r}: {_shorten.repr(value) if self._shows(name) else MASK}" for name, value in kwargs.items()]
        return cut(f"{{{', '.join(shown)}}}")

    def _shows(self, name: str) -> bool:
        return name not in self._hidden and (self._named is None or name in self._named)


def _tuple(shown: list[str]) -> str:
    return cut(f"({', '.join(shown)}{',' if len(shown) == 1 else ''})")


def cut(text: str) -> str:
    """Cut a text that stands for arguments at MAX_LENGTH characters."""
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 3]}..."
