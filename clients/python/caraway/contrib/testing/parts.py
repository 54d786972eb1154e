"""Gateway and worker for tests: they stand above the SDK, which finds them by entry point."""

from importlib.metadata import entry_points
from typing import Any

from caraway.exceptions import ImproperlyConfigured

__all__ = ["part"]


def part(name: str) -> Any:
    """Give the class that runs a "gateway" or "worker" here. Raises ImproperlyConfigured without its extra."""
    for entry in entry_points(group="caraway.testing", name=name):
        try:
            return entry.load()
        except ModuleNotFoundError as error:
            raise ImproperlyConfigured(
                f"a {name} for tests needs {error.name}: pip install 'caraway[server,worker]'"
            ) from error
    raise ImproperlyConfigured(f"no {name} for tests is installed: pip install 'caraway[server,worker]'")
