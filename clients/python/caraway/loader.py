"""Finds an app by the name that a command was given, as Celery's -A does."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from caraway.app import Caraway
from caraway.exceptions import AppNotFound

__all__ = ["find_app"]

_ATTRIBUTES: Final = ("app", "caraway", "celery")
_SUBMODULES: Final = ("caraway", "celery")


def find_app(name: str) -> Caraway:
    """Find an app by "proj", "proj.module" or "proj:attribute".

    A module is looked through for the attributes app, caraway and celery, then for its submodules caraway and celery,
    then for any app. The working directory is importable. Raises AppNotFound, or what the import itself raises.
    """
    directory = str(Path.cwd())
    if directory not in sys.path:
        sys.path.insert(0, directory)
    module_name, colon, attribute = name.partition(":")
    if not module_name:
        raise AppNotFound(f"{name!r} names no module; give -A module or -A module:attribute")
    if colon:
        return _check(name, _attribute(_import(name, module_name), name, attribute))
    return _find_by_dots(name, module_name)


def _find_by_dots(name: str, module_name: str) -> Caraway:
    """Take the whole name as a module, or else its last part as an attribute of the module before it."""
    if _exists(module_name):
        return _look_through(_import(name, module_name), name)
    parent, dot, attribute = module_name.rpartition(".")
    if not dot or not _exists(parent):
        raise AppNotFound(f"there is no module {module_name!r} (looked for -A {name} from {Path.cwd()})")
    return _check(name, _attribute(_import(name, parent), name, attribute))


def _exists(module_name: str) -> bool:
    try:
        return module_name in sys.modules or importlib.util.find_spec(module_name) is not None
    except ModuleNotFoundError as error:
        # The parent is imported for this; an import inside it that fails is the user's to see.
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            return False
        raise
    except ValueError:
        # A module without a spec, such as a parent that is no package.
        return False


def _import(name: str, module_name: str) -> ModuleType:
    if not _exists(module_name):
        raise AppNotFound(f"there is no module {module_name!r} (looked for -A {name} from {Path.cwd()})")
    return importlib.import_module(module_name)


def _attribute(module: ModuleType, name: str, path: str) -> Any:
    found: Any = module
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise AppNotFound(f"{module.__name__} has no attribute {path!r} (looked for -A {name})") from None
    return _look_through(found, name) if isinstance(found, ModuleType) else found


def _look_through(module: ModuleType, name: str) -> Caraway:
    for attribute in _ATTRIBUTES:
        found = getattr(module, attribute, None)
        if isinstance(found, Caraway):
            return found
    if hasattr(module, "__path__"):
        for submodule in _SUBMODULES:
            full_name = f"{module.__name__}.{submodule}"
            if _exists(full_name):
                return _look_through(importlib.import_module(full_name), name)
    for found in vars(module).values():
        if isinstance(found, Caraway):
            return found
    raise AppNotFound(f"{module.__name__} holds no Caraway app (looked for -A {name})")


def _check(name: str, found: Any) -> Caraway:
    if isinstance(found, Caraway):
        return found
    raise AppNotFound(f"-A {name} is a {type(found).__qualname__}, not a Caraway app")
