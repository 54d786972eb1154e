"""A1.28: what a queued task takes of the store's memory."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from benchmarks.figure import Figure, alternate, median
from benchmarks.store import EMBEDDED, UNTUNED
from benchmarks.system import System, caraway, celery

TASKS = 20_000
ARGUMENT = "0123456789"


def bytes_a_task(open_system: Callable[[], AbstractContextManager[System]], tasks: int = TASKS) -> float:
    """Growth of used_memory by a task."""
    with open_system() as system:
        # The first tasks bring scripts, connections and what is kept once.
        system.produce("submit", 100, system.ids, ARGUMENT)
        before = system.store.used_memory()
        system.produce("submit", tasks, system.ids, ARGUMENT)
        return (system.store.used_memory() - before) / tasks


def measure() -> list[Figure]:
    """With the embedded store's settings, and with those of a Redis that nobody has tuned."""
    figures = []
    for what, settings in (("the embedded store's settings", EMBEDDED), ("a Redis's own settings", UNTUNED)):
        ours, theirs = alternate(
            lambda: bytes_a_task(partial(caraway, "none", settings)),  # noqa: B023 - called in this turn
            lambda: bytes_a_task(partial(celery, "none", settings)),  # noqa: B023 - called in this turn
            rounds=1,
        )
        figures.append(
            Figure(
                "A1.28", f"memory of a queued task, 10 bytes of arguments, {what}", "bytes", ours, theirs,
                "at most 700", median(ours) <= 700,
            )
        )  # fmt: skip
    return figures
