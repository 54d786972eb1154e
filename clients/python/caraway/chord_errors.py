"""Errors of a chord's header, as what waited for it raises them: ChordErrors that are what the task raised, too."""

from functools import cache
from typing import Any

from caraway.exceptions import ChordError

__all__ = ["chord_error"]


def chord_error(task_id: str, exc: BaseException) -> BaseException:
    """Make a ChordError of what the task of this id raised; `except` finds it by either class.

    It has the attributes, arguments and cause of `exc`, and Celery's text.
    """
    if isinstance(exc, ChordError):
        return exc
    text = f"Dependency {task_id} raised {exc!r}"
    own: Any = type(exc)
    try:
        kind = _kind(own)
        made: BaseException = kind.__new__(kind, *exc.args)
    except TypeError:  # its class has no subclasses, or is made of other arguments than it keeps
        made = ChordError(text)
    else:
        made.args = exc.args
        vars(made).update(vars(exc), _text=text)
    made.__cause__ = exc.__cause__ or exc
    return made


@cache
def _kind(kind: Any) -> Any:
    body = {
        "__str__": lambda self: self._text,
        "__reduce__": lambda self: (ChordError, (self._text,)),
        "__module__": ChordError.__module__,
        "__doc__": f"A ChordError, and a {kind.__name__}.",
    }
    return type("ChordError", (ChordError, kind), body)
