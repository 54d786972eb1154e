"""A2.16: what lists and counts cost: the memory of the indexes that they read, and the drain while somebody lists."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from benchmarks.drain import drain
from benchmarks.figure import Figure, alternate, median
from benchmarks.store import Store
from benchmarks.system import System, caraway

TASKS = 20_000
DRAINED_TASKS = 30_000
PER_SECOND = 10
ROOT = "caraway:{0}:"


def bytes_by_class(store: Store) -> dict[str, float]:
    """Bytes a task, by what keys hold: its record, and each index."""
    sizes: Counter[str] = Counter()
    names = [raw.decode() for raw in store.client.scan_iter(f"{ROOT}*", count=1000)]
    pipeline = store.client.pipeline(transaction=False)
    for name in names:
        pipeline.execute_command("MEMORY USAGE", name, "SAMPLES", 0)
    for name, size in zip(names, pipeline.execute(), strict=True):
        sizes[name.removeprefix(ROOT).partition(":")[0]] += size or 0
    return {name: size / TASKS for name, size in sizes.items() if size >= TASKS}


def memory() -> tuple[dict[str, float], dict[str, float]]:
    """The same of tasks that wait, and of tasks that have succeeded."""
    with caraway("none") as system:
        system.produce("submit", TASKS, system.ids)
        waiting = bytes_by_class(system.store)
        with system.worker():
            system.produce("collect", system.ids)
        return waiting, bytes_by_class(system.store)


@contextmanager
def listed(calls: list[int]) -> Iterator[System]:
    """Caraway with somebody who reads lists and counts all the while; `calls` takes how often."""
    with caraway("none") as system:
        command = [*system.producer, "keep_listing", str(PER_SECOND)]
        lister = subprocess.Popen(command, env=system.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield system
        finally:
            said, _ = lister.communicate(timeout=30)  # the end of its input ends it
            calls.append(json.loads(said)["calls"])


def measure() -> list[Figure]:
    """Three rounds of each drain, in turns."""
    calls: list[int] = []
    alone, beside = alternate(
        lambda: drain(partial(caraway, "none"), DRAINED_TASKS), lambda: drain(partial(listed, calls), DRAINED_TASKS)
    )
    if min(calls) < PER_SECOND:
        raise SystemExit(f"caraway: the lister made {min(calls)} calls only")
    kept = median(beside) / median(alone)
    rates = f"{median(alone):,.0f} tasks/s alone, {median(beside):,.0f} beside"
    note = f"{rates} {PER_SECOND} times a second two pages and a count"
    what = "drain beside a lister, no AOF, as part of the drain alone"
    figures = [Figure("A2.16", what, "%", (kept * 100,), note=note)]
    for what, sizes in zip(("queued", "succeeded"), memory(), strict=True):
        indexes = sum(size for name, size in sizes.items() if name != "task")
        parts = ", ".join(f"{'record' if name == 'task' else name} {size:.0f}" for name, size in sorted(sizes.items()))
        figures.append(Figure("A2.16", f"memory of the indexes of a {what} task", "bytes", (indexes,), note=parts))
    return figures
