"""What the code reads of its environment."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("clients/python/caraway", "server/caraway_server", "worker/caraway_worker")


def variables_read() -> set[str]:
    """The environment variables that the code asks for by name, and Python's own."""
    sources = (path.read_text() for package in PACKAGES for path in (CHECKOUT / package).rglob("*.py"))
    return {"PYTHONPATH"}.union(*(re.findall(r'environ(?:\.get\(|\[)"(\w+)"', source) for source in sources))
