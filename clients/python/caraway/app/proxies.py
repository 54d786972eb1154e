"""`current_app` and `current_task`, which stand for what is meant where they are used."""

from typing import Any, cast

from caraway import current, request
from caraway.app.base import Caraway
from caraway.local import Proxy

__all__ = ["app_or_default", "current_app", "current_task"]

current_app: Caraway = cast(Caraway, Proxy(current.current_app))
"""The app that is meant here: the last one that was made, or set by `set_default`, or in this thread by `set_current`.

Each use raises ImproperlyConfigured where there is none.
"""

current_task: Any = Proxy(request.current_task)
"""The task that runs here; it stands for None where none does, and is false then."""


def app_or_default(app: Caraway | None = None) -> Caraway:
    """Give `app`, or the one that is meant here. Raises ImproperlyConfigured where there is none."""
    return cast(Caraway, current.current_app()) if app is None else app
