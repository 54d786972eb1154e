"""Loggers for tasks, and colours for their lines."""

import logging
from collections.abc import Mapping
from typing import Final

__all__ = ["ColorFormatter", "get_logger", "get_task_logger"]

_task_logger: Final = logging.getLogger("caraway.task")


def get_logger(name: str | logging.Logger) -> logging.Logger:
    """Return the logger `name`, as `logging.getLogger` does; for Celery's programs."""
    return name if isinstance(name, logging.Logger) else logging.getLogger(name)


def get_task_logger(name: str) -> logging.Logger:
    """Return the logger `name`, below the logger caraway.task, so that all tasks' loggers are set up in one place.

    In a worker every record carries `task_id` and `task_name`; outside a task they are "???".
    """
    logger = logging.getLogger(name)
    if logger is not _task_logger and logger.parent is not _task_logger:
        logger.parent = _task_logger
    return logger


_COLORS: Final[Mapping[int, str]] = {
    logging.DEBUG: "34", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "35",
}  # fmt: skip


class ColorFormatter(logging.Formatter):
    """Gives lines the colours of their levels."""

    def __init__(self, fmt: str | None = None, use_color: bool = True, datefmt: str | None = None) -> None:
        """`fmt` and `datefmt` are those of `logging.Formatter`."""
        super().__init__(fmt, datefmt)
        self.use_color = use_color

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        return self.colored(record, super().format(record))

    def colored(self, record: logging.LogRecord, text: str) -> str:
        """Give its text the colour of its level."""
        color = _COLORS.get(record.levelno) if self.use_color else None
        return f"\x1b[{color}m{text}\x1b[0m" if color else text
