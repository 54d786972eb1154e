"""Deadline: what is left of a timeout that several waits share."""

import time

from caraway.durations import Seconds, seconds

__all__ = ["Deadline"]


class Deadline:
    """Begins when it is made."""

    def __init__(self, timeout: Seconds | None) -> None:
        """None: there is no end."""
        self._until = None if timeout is None else time.monotonic() + seconds("timeout", timeout)

    def left(self) -> float | None:
        """Seconds; None without a timeout."""
        return None if self._until is None else max(self._until - time.monotonic(), 0.0)
