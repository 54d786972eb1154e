"""A1.26 and A1.27: how fast one producer submits, in batches and one by one. No worker runs."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from benchmarks.figure import Figure, alternate, median
from benchmarks.system import System, caraway, celery

BATCH_TASKS = 50_000
SINGLE_TASKS = 4_000
# Each waits for the disk.
SINGLE_TASKS_SYNCED = 1_000


def rate(open_system: Callable[[], AbstractContextManager[System]], operation: str, tasks: int) -> float:
    """Tasks a second."""
    with open_system() as system:
        return float(system.produce(operation, tasks)["per_second"])


def measure() -> list[Figure]:
    """Celery has no batches: its delay() loop stands beside all."""
    many, batch, single, theirs = alternate(
        lambda: rate(caraway, "submit_many", BATCH_TASKS),
        lambda: rate(caraway, "batch_delay", BATCH_TASKS),
        lambda: rate(caraway, "delay", SINGLE_TASKS),
        lambda: rate(celery, "delay", SINGLE_TASKS_SYNCED),
    )
    unsynced = alternate(
        lambda: rate(partial(caraway, "none"), "delay", SINGLE_TASKS),
        lambda: rate(partial(celery, "none"), "delay", SINGLE_TASKS),
    )
    return [
        Figure(
            "A1.26", "submit_many(), one producer, AOF always", "tasks/s", many, theirs,
            "at least 25,000", median(many) >= 25_000, "Celery: a delay() loop",
        ),
        Figure(
            "A1.26", "delay() loop in app.batch(), AOF always", "tasks/s", batch, theirs,
            "at least 15,000", median(batch) >= 15_000, "Celery: a delay() loop",
        ),
        _single("AOF always", single, theirs),
        _single("no AOF", *unsynced),
    ]  # fmt: skip


def _single(policy: str, ours: tuple[float, ...], theirs: tuple[float, ...]) -> Figure:
    times = median(ours) / median(theirs)
    what = f"delay() loop, each confirmed, {policy}"
    return Figure("A1.27", what, "tasks/s", ours, theirs, "at least Celery's", times >= 1, f"{times:.2f} times")
