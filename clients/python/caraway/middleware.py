"""Middleware: code of one's own around every submit, and around every attempt.

class Timed(Middleware):
    def attempt(self, context, call_next):
        began = time.monotonic()
        try:
            return call_next(context)
        finally:
            note(context.task, time.monotonic() - began)
"""

import importlib.metadata
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from caraway.exceptions import ImproperlyConfigured
from caraway.request import Context
from caraway.spec import CallOptions

__all__ = ["Middleware", "MiddlewareChain", "Submission", "installed"]

GROUP: Final = "caraway.middleware"
"""Entry points of this group are middleware of every app in an environment where they are installed."""

C = TypeVar("C")


@dataclass(slots=True, repr=False)  # no text: arguments may be hidden
class Submission:
    """A call that is about to be submitted; what a middleware changes in it is what is sent."""

    app: Any
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: CallOptions


class Middleware:
    """A base of one's own. Each method is given what happens and `call_next`, and is to return what that returns.

    A method and its async twin are defined both or neither: what is awaited goes through the twin alone.
    """

    def submit(self, submission: Submission, call_next: Callable[[Submission], Any]) -> Any:
        """Around a submit in this process; `call_next` gives the task's result, an AsyncResult.

        It is called for each task of a canvas or a batch too; `call_next` returns before such a task is sent.
        """
        return call_next(submission)

    async def asubmit(self, submission: Submission, call_next: Callable[[Submission], Awaitable[Any]]) -> Any:
        """Async twin of `submit`, for `await task.adelay()` and its like."""
        return await call_next(submission)

    def attempt(self, context: Context, call_next: Callable[[Context], Any]) -> Any:
        """Around an attempt, in the process that runs it: within its signals, and around its hooks and its body.

        `call_next` runs it with `context.args` and `context.kwargs`, and returns or raises what it does, Retry too.
        """
        return call_next(context)

    async def aattempt(self, context: Context, call_next: Callable[[Context], Awaitable[Any]]) -> Any:
        """Async twin of `attempt`, for `async def` tasks."""
        return await call_next(context)


_TWINS: Final = {"submit": "asubmit", "attempt": "aattempt"}


class MiddlewareChain:
    """The middleware of an app, the outermost first."""

    def __init__(self) -> None:
        self._all: list[Middleware] = []
        self._submit: tuple[Middleware, ...] = ()
        self._attempt: tuple[Middleware, ...] = ()

    def add(self, middleware: Middleware) -> None:
        """Add it, inside of those that are there. Raises ImproperlyConfigured for what is none, or has half a twin."""
        if not isinstance(middleware, Middleware):
            raise ImproperlyConfigured(f"a middleware is an instance of caraway.Middleware, and {middleware!r} is none")
        for name, twin in _TWINS.items():
            if _defines(middleware, name) != _defines(middleware, twin):
                has, lacks = (name, twin) if _defines(middleware, name) else (twin, name)
                kind = type(middleware).__qualname__
                raise ImproperlyConfigured(
                    f"{kind} defines {has}() and not {lacks}(), which would be passed by: define both"
                )
        self._all.append(middleware)
        self._submit = tuple(one for one in self._all if _defines(one, "submit"))
        self._attempt = tuple(one for one in self._all if _defines(one, "attempt"))

    @property
    def has_submit(self) -> bool:
        """Whether any is around submits."""
        return bool(self._submit)

    @property
    def has_attempt(self) -> bool:
        """Whether any is around attempts."""
        return bool(self._attempt)

    def submit(self, submission: Submission, last: Callable[[Submission], Any]) -> Any:
        """Go through all to `last`, and back."""
        return _around([one.submit for one in self._submit], last)(submission)

    def asubmit(self, submission: Submission, last: Callable[[Submission], Awaitable[Any]]) -> Any:
        """Async twin of `submit`; gives what is to be awaited."""
        return _around([one.asubmit for one in self._submit], last)(submission)

    def attempt(self, context: Context, last: Callable[[Context], Any]) -> Any:
        """Go through all to `last`, and back."""
        return _around([one.attempt for one in self._attempt], last)(context)

    def aattempt(self, context: Context, last: Callable[[Context], Awaitable[Any]]) -> Any:
        """Async twin of `attempt`; gives what is to be awaited."""
        return _around([one.aattempt for one in self._attempt], last)(context)


def _around(calls: Iterable[Callable[..., Any]], last: Callable[[C], Any]) -> Callable[[C], Any]:
    """Make one function of a chain."""
    whole = last
    for call in reversed(list(calls)):
        whole = partial(_with_next, call, whole)
    return whole


def _with_next(call: Callable[..., Any], call_next: Callable[[C], Any], context: C) -> Any:
    return call(context, call_next)


def _defines(middleware: Middleware, name: str) -> bool:
    return getattr(type(middleware), name) is not getattr(Middleware, name)


def installed() -> list[Middleware]:
    """Make those that are installed, in the order of their names. Raises ImproperlyConfigured for one that can't be."""
    return [_made(point) for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda one: one.name)]


def _made(point: importlib.metadata.EntryPoint) -> Middleware:
    try:
        made: Middleware = point.load()()
    except Exception as error:
        package = point.dist.name if point.dist is not None else "an unknown package"
        raise ImproperlyConfigured(
            f"the middleware {point.name!r} can't be made from {point.value} ({package}): {error}"
        ) from error
    return made
