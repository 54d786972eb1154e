"""A1.29: what an idle system uses of a processor: gateway, worker and its children, store."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from benchmarks.figure import Figure, alternate, median
from benchmarks.system import System, caraway, celery

SETTLE_SECONDS = 3.0
WATCH_SECONDS = 20.0


def percent(open_system: Callable[[], AbstractContextManager[System]], parts: dict[str, float]) -> float:
    """Per cent of one core; `parts` takes it by process."""
    with open_system() as system, system.worker():
        # It has run before: an idle system is one that has done its work.
        system.produce("submit", 200, system.ids)
        system.produce("collect", system.ids)
        time.sleep(SETTLE_SECONDS)
        before, start = system.cpu_seconds(), time.monotonic()
        time.sleep(WATCH_SECONDS)
        after, span = system.cpu_seconds(), time.monotonic() - start
    parts.update({name: (after[name] - before[name]) / span * 100 for name in after})
    return sum(parts.values())


def measure() -> list[Figure]:
    """Two rounds: it takes its time."""
    parts: dict[str, float] = {}
    ours, theirs = alternate(lambda: percent(caraway, parts), lambda: percent(celery, {}), rounds=2)
    return [
        Figure(
            "A1.29", "idle: gateway, worker and store together", "% of a core", ours, theirs,
            "below 2", median(ours) < 2, ", ".join(f"{name} {value:.2f}" for name, value in parts.items()),
        )
    ]  # fmt: skip
