"""What an app does by itself in the programs of a framework; so far that is Django."""

import importlib
import importlib.util
import os
from typing import Any

__all__ = ["fix_up"]


def fix_up(app: Any) -> None:
    """Make an app one of the Django project that the environment names, where Django is installed."""
    if os.environ.get("DJANGO_SETTINGS_MODULE") and importlib.util.find_spec("django") is not None:
        # By its name, and here: it imports Django, which no other program is to pay for.
        importlib.import_module("caraway.contrib.django").install(app)
