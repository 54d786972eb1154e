"""Asking and commanding workers. Celery's `celery.app.control`; `app.control` is the usual way."""

from caraway.control import Control
from caraway.inspection import Inspect

__all__ = ["Control", "Inspect"]
