"""Histograms by names that users choose: there may be any number of them, and what goes beyond a limit is one."""

from typing import Final

from prometheus_client import Histogram

__all__ = ["DURATIONS", "OTHER", "BoundedHistogram"]

OTHER: Final = "other"
"""The label of all that the limit leaves no room for."""

DURATIONS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)
"""Bounds of the buckets, in seconds, for what takes from a millisecond to hours."""


class BoundedHistogram:
    """A histogram with at most `most` combinations of labels; those that come later are OTHER in every label."""

    def __init__(self, histogram: Histogram, most: int) -> None:
        self._histogram = histogram
        self._most = most
        self._children: dict[tuple[str, ...], Histogram] = {}

    def observe(self, labels: tuple[str, ...], value: float) -> None:
        """Note a value."""
        child = self._children.get(labels)
        if child is None:
            child = self._make(labels)
        child.observe(value)

    def _make(self, labels: tuple[str, ...]) -> Histogram:
        if len(self._children) >= self._most:
            # Not kept: the names that find no room have no limit either.
            return self._histogram.labels(*(OTHER for _ in labels))
        child = self._children[labels] = self._histogram.labels(*labels)
        return child
