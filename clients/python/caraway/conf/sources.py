"""Where a configuration comes from: a module, a class, an object or a dict, each read as a dict of names and values."""

import importlib
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from caraway.conf.names import canonical, checked_name, is_setting
from caraway.exceptions import ImproperlyConfigured

__all__ = ["from_arguments", "named", "read"]


def named(path: str) -> Any:
    """Import "package.module", "module:Class" or "module.Class". Raises ImproperlyConfigured where there is none."""
    module, _, attribute = path.partition(":")
    try:
        if attribute:
            return getattr(importlib.import_module(module), attribute)
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and not (module == error.name or module.startswith(error.name + ".")):
            raise  # it is there, and what it imports is not
    except AttributeError as error:
        raise ImproperlyConfigured(f"no configuration {path!r}: {error}") from None
    outer, _, last = module.rpartition(".")
    found = getattr(importlib.import_module(outer), last, None) if outer and not attribute else None
    if found is None:
        raise ImproperlyConfigured(
            f"no configuration {path!r}: there is no such module, or it can't be found from here"
        )
    return found


def read(source: Any, namespace: str | None) -> dict[str, Any]:
    """Give the settings of a source, under their names of today.

    With a namespace "CELERY" these are what begins with CELERY_, without that; of a module or class without one, what
    is a setting's name. Raises ImproperlyConfigured for a name that is almost one.
    """
    if isinstance(source, Mapping):
        items: Iterable[tuple[str, Any]] = source.items()
        selects = False
    else:
        items = ((name, getattr(source, name)) for name in dir(source) if not name.startswith("_"))
        selects = True
    prefix = f"{namespace.rstrip('_')}_" if namespace else ""
    settings: dict[str, Any] = {}
    for written, value in items:
        if not str(written).startswith(prefix):
            continue
        if selects and isinstance(value, ModuleType | type):  # what it imports, such as datetime.timezone
            continue
        bare = str(written).removeprefix(prefix)
        name = _name_in_module(bare) if selects and not prefix else checked_name(bare)
        if name:
            settings[name] = value
    return settings


def _name_in_module(written: str) -> str:
    """Today's name; empty for what a module has beside its settings."""
    if not (written.isupper() or written.islower() or is_setting(canonical(written))):
        return ""
    name = checked_name(written)
    return name if is_setting(name) else ""


def from_arguments(arguments: Iterable[str], namespace: str) -> dict[str, Any]:
    """Read `name=value` and `.name=value` of a command line; what begins with a dot is of the namespace.

    Values are text, which the settings' kinds read. Raises ValueError for what is not of that form.
    """
    settings: dict[str, Any] = {}
    for argument in arguments:
        written, equals, value = argument.partition("=")
        if not equals:
            raise ValueError(f"write a setting as NAME=VALUE, not {argument!r}")
        name = f"{namespace}_{written[1:]}" if written.startswith(".") else written
        settings[checked_name(name)] = value
    return settings
