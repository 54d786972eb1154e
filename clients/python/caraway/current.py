"""The app that is meant where none is named."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from caraway.exceptions import ImproperlyConfigured

__all__ = ["current_app", "is_there", "kept", "set_current", "set_default", "set_made"]

_default: Any = None
_current: contextvars.ContextVar[Any] = contextvars.ContextVar("caraway_app", default=None)


def current_app() -> Any:
    """Give the app that is meant here: this thread's own, or else the process's. Raises ImproperlyConfigured: none."""
    app = _current.get() or _default
    if app is None:
        raise ImproperlyConfigured("there is no app yet: make one, Caraway(...), or name it by app=")
    return app


def is_there() -> bool:
    """Whether any app is meant here."""
    return (_current.get() or _default) is not None


def set_current(app: Any) -> None:
    """Make `app` the one that is meant in this thread, or in this asyncio task."""
    _current.set(app)


def set_default(app: Any) -> None:
    """Make `app` the one that is meant wherever nothing else is set."""
    global _default  # noqa: PLW0603 - one for the process, which is what Celery's programs rely on
    _default = app


def set_made(app: Any) -> None:
    """An app was made: it is meant from now on, here too."""
    set_default(app)
    if _current.get() is not None:
        set_current(app)


@contextmanager
def kept() -> Iterator[None]:
    """Whatever is made in this block, the app that is meant after it is the one that was meant before."""
    default, current = _default, _current.get()
    try:
        yield
    finally:
        set_default(default)
        set_current(current)
