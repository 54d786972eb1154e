"""Packages that are there only where one of Caraway's extras was installed."""

import importlib
from types import ModuleType

from caraway.exceptions import SerializerNotInstalled

__all__ = ["load"]


def load(module: str, package: str, extra: str) -> ModuleType:
    """Import a module at its first use: most programs need none of these, and start sooner without.

    Raises SerializerNotInstalled, which names the package and the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise SerializerNotInstalled(
            f"{extra} needs the package {package}, which is not installed: pip install 'caraway[{extra}]'"
        ) from None
