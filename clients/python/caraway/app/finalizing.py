"""What every app takes in when it is finalized: shared tasks, which belong to no app in particular."""

import threading
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["add", "bind_all"]

_lock = threading.RLock()
_binders: list[Callable[[Any], Any]] = []
_finalized: "weakref.WeakSet[Any]" = weakref.WeakSet()


def add(bind: Callable[[Any], Any]) -> None:
    """Call `bind` with each app: at once with those that are finalized, with others when they are."""
    with _lock:
        _binders.append(bind)
        there = list(_finalized)
    for app in there:
        bind(app)


def bind_all(app: Any) -> None:
    """An app is finalized: have all of it bound."""
    with _lock:
        _finalized.add(app)
        binders = list(_binders)
    for bind in binders:
        bind(app)
