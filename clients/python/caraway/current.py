"""The app that is meant where none is named: the one that this process made last."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from caraway.exceptions import ImproperlyConfigured

__all__ = ["current_app", "kept", "set_current"]

_current: Any = None


def current_app() -> Any:
    """Give the app that was made last. Raises ImproperlyConfigured where there is none."""
    if _current is None:
        raise ImproperlyConfigured("there is no app yet: make one, Caraway(...), or name it by app=")
    return _current


def set_current(app: Any) -> None:
    """Make `app` the one that is meant where none is named."""
    global _current  # noqa: PLW0603 - one for the process, which is what Celery's programs rely on
    _current = app


@contextmanager
def kept() -> Iterator[None]:
    """Whatever is made in this block, the app that is meant after it is the one that was meant before."""
    before = _current
    try:
        yield
    finally:
        set_current(before)
