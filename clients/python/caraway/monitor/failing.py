"""The last words of a gateway or a worker that can't go on: in the form of its log."""

import logging
from typing import IO, Any, Final

import click

from caraway.monitor.json_log import JsonLines

__all__ = ["Failed"]

_log: Final = logging.getLogger("caraway")


class Failed(click.ClickException):
    """Ends a command with exit code 1. Its message is a record where the log is JSON, else a line on standard error."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Tell why; called by click."""
        if any(_writes_json(handler) for handler in logging.getLogger().handlers):
            _log.critical("%s", self.format_message())
        else:
            super().show(file)


def _writes_json(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, JsonLines) and not isinstance(handler, logging.FileHandler)
