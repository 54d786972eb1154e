"""What the code reads of its environment."""

import re
from pathlib import Path

from caraway.settings import definitions
from caraway.settings.sections import sections

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("clients/python/caraway", "server/caraway_server", "worker/caraway_worker")


def variables_read() -> set[str]:
    """The environment variables that are settings, or that the code asks for by name, and Python's own."""
    sources = (path.read_text() for package in PACKAGES for path in (CHECKOUT / package).rglob("*.py"))
    named = {"PYTHONPATH"}.union(*(re.findall(r'environ(?:\.get\(|\[)"(\w+)"', source) for source in sources))
    return named | {one.variable for settings in sections().values() for one in definitions(settings)}
