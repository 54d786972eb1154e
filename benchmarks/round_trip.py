"""A1.27: how long a caller of an idle system waits for a no-op's result."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from benchmarks.figure import Figure, alternate, median
from benchmarks.system import System, caraway, celery

CALLS = 500


def p50(open_system: Callable[[], AbstractContextManager[System]], operation: str) -> float:
    """Milliseconds."""
    with open_system() as system, system.worker():
        return float(median(system.produce(operation, CALLS)["seconds"]) * 1e3)


def measure() -> list[Figure]:
    """RunTask, and delay().get(), against Celery's delay().get()."""
    return [*_figures("AOF always", "always"), *_figures("no AOF", "none")]


def _figures(policy: str, fsync: str) -> list[Figure]:
    run_task, ours, theirs = alternate(
        lambda: p50(partial(caraway, fsync), "run_task"),
        lambda: p50(partial(caraway, fsync), "delay_get"),
        lambda: p50(partial(celery, fsync), "delay_get"),
    )
    limit = median(theirs)
    return [
        Figure(
            "A1.27", f"RunTask, idle, p50, {policy}", "ms", run_task, theirs,
            "below Celery's delay-and-get", median(run_task) < limit, f"{median(run_task) / limit:.2f} times",
        ),
        Figure(
            "A1.27", f"delay().get(), idle, p50, {policy}", "ms", ours, theirs,
            "at most 1.3 times Celery's", median(ours) <= 1.3 * limit, f"{median(ours) / limit:.2f} times",
        ),
    ]  # fmt: skip
