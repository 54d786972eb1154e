"""All settings that are installed: the client's own, and those of the entry point group caraway.settings."""

import importlib.metadata
from typing import Any, Final

from caraway.settings.client import ClientSettings

__all__ = ["sections"]

_ENTRY_POINTS: Final = "caraway.settings"


def sections() -> dict[str, Any]:
    """Give the dataclass of each section."""
    found: dict[str, Any] = {ClientSettings.section: ClientSettings}
    for entry_point in sorted(importlib.metadata.entry_points(group=_ENTRY_POINTS), key=lambda point: point.name):
        found[entry_point.name] = entry_point.load()
    return found
