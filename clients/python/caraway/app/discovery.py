"""Finds modules of tasks in packages: `app.autodiscover_tasks`."""

import importlib
import importlib.util
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from caraway.signals import import_modules

__all__ = ["discover", "import_all"]


def discover(packages: Iterable[str], related_name: str | None) -> list[ModuleType]:
    """Import the module `related_name` of each package that has one; without a name, the packages themselves.

    Raises ModuleNotFoundError for a package that there is not, and what an import itself raises.
    """
    found = (_related(package, related_name) for package in packages)
    return [module for module in found if module is not None]


def import_all(app: Any, discoveries: Iterable[Callable[[], Any]], modules: Iterable[str]) -> None:
    """Have receivers of import_modules import theirs, then what was to be discovered, then these modules.

    Raises what an import raises, or a receiver.
    """
    for _, answer in import_modules.send(sender=app):
        if isinstance(answer, Exception):
            raise answer
    for discovery in discoveries:
        discovery()
    for module in modules:
        importlib.import_module(module)


def _related(package: str, related_name: str | None) -> ModuleType | None:
    if not related_name:
        return importlib.import_module(package)
    parent = importlib.import_module(package)
    name = f"{package}.{related_name}"
    if not hasattr(parent, "__path__") or importlib.util.find_spec(name) is None:
        return None
    return importlib.import_module(name)
