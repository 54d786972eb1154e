"""Waits between tries: doubling, bounded, jittered."""

import random


class Backoff:
    """Gives the next wait; `reset` after a success. Seconds."""

    __slots__ = ("_first", "_longest", "_next")

    def __init__(self, first: float, longest: float) -> None:
        self._first = self._next = first
        self._longest = longest

    def next(self) -> float:
        """Return how long to wait now; the following wait is twice as long, up to the longest."""
        wait = self._next
        self._next = min(self._longest, wait * 2)
        return wait * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start anew with the first wait."""
        self._next = self._first
