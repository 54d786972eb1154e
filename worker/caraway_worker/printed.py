"""What tasks print, in the log."""

import io
import logging
import threading
from typing import TextIO

from caraway import request

logger = logging.getLogger("caraway.redirected")


class _Own(threading.local):
    """What a thread has written: the beginning of a line, and the task that wrote it."""

    rest = ""
    context: request.Context | None = None
    logging = False


class Printed(io.TextIOBase):
    """Stands in for stdout or stderr: each line becomes a log record of the task that wrote it."""

    def __init__(self, real: TextIO, level: int) -> None:
        self._real = real
        self._level = level
        self._own = _Own()

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """It is none."""
        return False

    def fileno(self) -> int:
        """That of the real stream: programs that the task starts may write there."""
        return self._real.fileno()

    def write(self, text: str) -> int:
        """Log the lines that are complete with this."""
        own = self._own
        if own.logging:
            # A handler that writes to this very stream, because it was made after it was put in place.
            return self._real.write(text)
        *lines, rest = (own.rest + text).split("\n")
        own.rest = rest
        own.context = request.current() if rest else None
        for line in lines:
            self._log(line)
        return len(text)

    def flush(self) -> None:
        """Log a line that is not complete."""
        own = self._own
        rest, context = own.rest, own.context
        if not rest:
            return
        own.rest = ""
        if context is None:
            self._log(rest)
            return
        token = request.push(context)  # the task that began the line may have ended
        try:
            self._log(rest)
        finally:
            request.pop(token)

    def _log(self, line: str) -> None:
        if not line.strip():
            return
        self._own.logging = True
        try:
            logger.log(self._level, "%s", line)
        finally:
            self._own.logging = False
