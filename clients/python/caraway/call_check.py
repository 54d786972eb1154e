"""Checks the arguments of a call against a function's signature, before a task is sent that could only fail."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["CallCheck"]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class CallCheck:
    """Knows how many positional arguments a function takes, so that most calls are checked by comparing two numbers."""

    __slots__ = ("_fewest", "_most", "_name", "_signature")

    def __init__(self, name: str, function: Callable[..., Any], bound: bool) -> None:
        """`name` is shown in errors; `bound` leaves out the function's first parameter, the task itself."""
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())[1 if bound else 0 :]
        self._name = name
        self._signature = signature.replace(parameters=parameters)
        positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
        self._fewest = sum(parameter.default is parameter.empty for parameter in positional)
        self._most = float(len(positional))
        for parameter in parameters:
            if parameter.kind is parameter.VAR_POSITIONAL:
                self._most = float("inf")
            elif parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
                # Never enough without keywords.
                self._fewest, self._most = 1, 0.0

    def check(self, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        """Raise TypeError, as Python's own call would, for arguments that do not fit."""
        if not kwargs and self._fewest <= len(args) <= self._most:
            return
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self._name}() {error}") from None
