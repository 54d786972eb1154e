"""A1.29: how late delayed tasks start, by the clock that store and worker share."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from benchmarks.figure import Figure, alternate, median, percentile
from benchmarks.system import System, caraway, celery

TASKS = 300
SPAN_SECONDS = 6


def p99(open_system: Callable[[], AbstractContextManager[System]]) -> float:
    """Milliseconds from the time a task is due to its start."""
    with open_system() as system, system.worker():
        late = system.produce("lateness", TASKS, SPAN_SECONDS)["seconds"]
    if min(late) < 0:
        raise SystemExit(f"caraway: a delayed task started {-min(late) * 1e3:.1f} ms early")
    return percentile(late, 0.99) * 1e3


def measure() -> list[Figure]:
    """One task every 20 ms."""
    ours, theirs = alternate(lambda: p99(caraway), lambda: p99(celery))
    return [
        Figure("A1.29", "lateness of delayed tasks, p99", "ms", ours, theirs, "below 100", median(ours) < 100)
    ]  # fmt: skip
