"""Whether a caller may wait for a task: inside another task it may not, unless allowed."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

from caraway import request

__all__ = ["allow_join_result", "denied_join_result", "refuse_inside_task"]

_denied: contextvars.ContextVar[bool | None] = contextvars.ContextVar("caraway_join_denied", default=None)
"""None: denied inside a task."""


@contextmanager
def allow_join_result() -> Iterator[None]:
    """Let the block wait for tasks though it runs inside one."""
    with _set(denied=False):
        yield


@contextmanager
def denied_join_result() -> Iterator[None]:
    """Refuse to let the block wait for tasks, wherever it runs."""
    with _set(denied=True):
        yield


@contextmanager
def _set(*, denied: bool) -> Iterator[None]:
    token = _denied.set(denied)
    try:
        yield
    finally:
        _denied.reset(token)


def refuse_inside_task() -> None:
    """Raise RuntimeError where waiting is denied."""
    denied = _denied.get()
    if denied is None:
        running = request.current()
        denied = running is not None and not running.called_directly
    if denied:
        raise RuntimeError(
            "Never call result.get() within a task! It holds a slot that the other task may need, and once all slots "
            "are held so, nothing goes on. get(disable_sync_subtasks=False) or allow_join_result() allows it"
        )
