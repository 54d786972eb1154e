"""Loggers for tasks."""

import logging
from typing import Final

__all__ = ["get_task_logger"]

_task_logger: Final = logging.getLogger("caraway.task")


def get_task_logger(name: str) -> logging.Logger:
    """Return the logger `name`, below the logger caraway.task, so that all tasks' loggers are set up in one place.

    In a worker every record carries `task_id` and `task_name`; outside a task they are "???".
    """
    logger = logging.getLogger(name)
    if logger is not _task_logger and logger.parent is not _task_logger:
        logger.parent = _task_logger
    return logger
