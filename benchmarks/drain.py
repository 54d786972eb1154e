"""A1.25 and A1.29: how fast two worker processes drain a queue of no-ops, results stored and read back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from benchmarks.figure import Figure, alternate, median
from benchmarks.system import System, caraway, celery

CARAWAY_TASKS = 50_000
CELERY_TASKS = 4_000
# Each of its tasks waits for the disk several times.
CELERY_TASKS_SYNCED = 1_000
# What is said to make it quicker: more prefetch, and no chatter between workers.
BEST_PREFETCH = 64
BEST_FLAGS = ("--without-gossip", "--without-mingle", "--without-heartbeat")


def drain(
    open_system: Callable[[], AbstractContextManager[System]], tasks: int, costs: dict[str, float] | None = None
) -> float:
    """Tasks a second, from the first task's start to the last result. The worker starts after all are submitted.

    `costs` takes the microseconds of processor time a task, by process.
    """
    with open_system() as system:
        system.produce("submit", tasks, system.ids)
        before = system.cpu_seconds()
        with system.worker():
            done = system.produce("collect", system.ids)
            after = system.cpu_seconds()
    if done["count"] != tasks:
        raise SystemExit(f"caraway: {done['count']} results of {tasks} tasks")
    if costs is not None:
        costs.update({name: (after[name] - before.get(name, 0.0)) / tasks * 1e6 for name in after})
    return float(tasks / (done["last_end"] - done["first_start"]))


def measure() -> list[Figure]:
    """Both systems, under AOF always and without AOF; Celery with its defaults and tuned."""
    costs: dict[str, float] = {}
    synced = _round("always", CELERY_TASKS_SYNCED, costs)
    unsynced = _round("none", CELERY_TASKS, {})
    rate = median(synced[0])
    kept = rate / median(unsynced[0])
    spent = ", ".join(f"{name} {cost:.0f}" for name, cost in costs.items())
    return [
        Figure(
            "A1.25", "drain of no-ops, process pool of 2, AOF always", "tasks/s", synced[0], synced[1],
            "at least 15,000", rate >= 15_000, f"microseconds of processor a task: {spent}",
        ),
        _against_best("AOF always", *synced),
        _against_best("no AOF", *unsynced),
        Figure(
            "A1.29", "drain under AOF always, as part of the drain without", "%", (kept * 100,), (),
            "at least 60", kept >= 0.6,
        ),
    ]  # fmt: skip


def _round(fsync: str, celery_tasks: int, costs: dict[str, float]) -> list[tuple[float, ...]]:
    return alternate(
        lambda: drain(partial(caraway, fsync), CARAWAY_TASKS, costs),
        lambda: drain(partial(celery, fsync), celery_tasks),
        lambda: drain(partial(celery, fsync, prefetch=BEST_PREFETCH, flags=BEST_FLAGS), celery_tasks),
    )


def _against_best(policy: str, ours: tuple[float, ...], theirs: tuple[float, ...], tuned: tuple[float, ...]) -> Figure:
    best = max(theirs, tuned, key=median)
    times = median(ours) / median(best)
    return Figure(
        "A1.25", f"the same, {policy}, against Celery's best", "tasks/s", ours, best, "at least 20 times", times >= 20,
        f"{times:.0f} times; Celery with defaults {median(theirs):,.0f}, tuned {median(tuned):,.0f}",
    )  # fmt: skip
