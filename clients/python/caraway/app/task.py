"""Tasks and their requests, where Celery's programs import them from: `celery.app.task`."""

from caraway.request import Context
from caraway.task import Task

__all__ = ["Context", "Task"]
