"""Which module and name of caraway a full name of Celery's becomes: looked up in the package itself."""

import importlib
import importlib.util
from functools import cache
from types import ModuleType
from typing import Any, Final

import caraway

__all__ = ["counterpart"]

_OTHERS: Final = {"celery.events.state.Task", "celery.utils.chunks", "celery.utils.functional.chunks"}
"""Of Celery's, and not what caraway has at its top by that name."""


@cache
def counterpart(dotted: str) -> tuple[str, str] | None:
    """Give the module and the name there (empty: the module itself) for "celery.result.AsyncResult".

    A name that caraway has at its top goes there, whatever module of Celery's it was taken from. None where there is
    nothing.
    """
    if dotted in _OTHERS:
        return None
    path = dotted.split(".")[1:]
    found: Any = caraway
    module = "caraway"
    for index, part in enumerate(path):
        if not isinstance(found, ModuleType):
            break  # an attribute of what was found: not ours to look into
        submodule = f"{module}.{part}"
        last = index == len(path) - 1
        if hasattr(found, part) and not (last and _is_module(submodule)):
            if not isinstance(getattr(found, part), ModuleType):
                return module, part
            module, found = submodule, getattr(found, part)
        elif _is_module(submodule):
            module, found = submodule, importlib.import_module(submodule)
        elif path[-1] in caraway.__all__:
            return "caraway", path[-1]
        else:
            return None
    return module, ""


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
