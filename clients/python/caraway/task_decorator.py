"""What `@app.task(...)` is to a type checker: from a function's signature to its task's."""

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from caraway.task import Task

__all__ = ["AsyncTask", "BoundTaskDecorator", "TaskDecorator"]

P = ParamSpec("P")
R = TypeVar("R")

AsyncTask: TypeAlias = Task[P, R, Coroutine[Any, Any, R]]
"""The task of an `async def`: its result is what the coroutine returns, and a direct call gives the coroutine."""


class TaskDecorator(Protocol):
    """Makes a task of a function."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


class BoundTaskDecorator(Protocol):
    """Makes a task of a function whose first parameter is the task itself, which callers do not give."""

    @overload
    def __call__(self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[Any, P], R], /) -> Task[P, R]: ...
