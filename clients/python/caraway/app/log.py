"""TaskFormatter: lines of a log that tell their task. Celery's `celery.app.log`."""

import logging
from typing import Final

from caraway import request
from caraway.utils.log import ColorFormatter

__all__ = ["OUTSIDE", "TaskFormatter"]

OUTSIDE: Final = "???"
"""What stands for a task's name and id outside of tasks."""


class TaskFormatter(ColorFormatter):
    """Knows `task_id` and `task_name`, which are of the task that runs; for handlers of a program's own.

    @after_setup_task_logger.connect
    def tell_tasks(logger, **kwargs):
        for handler in logger.handlers:
            handler.setFormatter(TaskFormatter("%(asctime)s %(task_name)s[%(task_id)s] %(message)s"))
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        running = request.current()
        known = vars(record)
        if running is not None:
            known.update(task_id=running.id, task_name=running.shadow or running.task)
        else:
            known.setdefault("task_id", OUTSIDE)
            known.setdefault("task_name", OUTSIDE)
        return super().format(record)
