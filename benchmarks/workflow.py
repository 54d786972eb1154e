"""B1.18: workflows of many nodes: time by size, how long a script holds the store, memory of gateway and worker."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from benchmarks.figure import Figure, percentile
from benchmarks.store import EMBEDDED, Store
from benchmarks.system import CARAWAY_BIN, PRODUCER_SECONDS, PROGRAMS, System, caraway

# Kind of workflow: a small and a large number of nodes.
SIZES = {"chain": (1_000, 5_000), "group": (10_000, 100_000), "chord": (10_000, 100_000)}
LINEAR = 1.5  # a node of the large one may take so many times as long as one of the small
LONGEST_SCRIPT_MS = 20.0
SAMPLE_SECONDS = 0.1
_LOG_ALL = EMBEDDED | {"slowlog-log-slower-than": "1000", "slowlog-max-len": "100000"}


class Peaks:
    """The most memory that processes have taken, in MiB."""

    def __init__(self, system: System) -> None:
        self._processes = {name: system.processes[name] for name in ("gateway", "worker")}
        self.most = dict.fromkeys(self._processes, 0.0)
        self._enough = threading.Event()

    def watch(self) -> None:
        """Look now and then, until told."""
        while not self._enough.wait(SAMPLE_SECONDS):
            for name, process in self._processes.items():
                try:
                    self.most[name] = max(self.most[name], process.memory_info().rss / 2**20)
                except psutil.NoSuchProcess:
                    return

    @contextmanager
    def watched(self) -> Iterator["Peaks"]:
        """Look while the block lasts."""
        thread = threading.Thread(target=self.watch)
        thread.start()
        try:
            yield self
        finally:
            self._enough.set()
            thread.join()


def script_times(store: Store) -> list[float]:
    """Milliseconds that each script since the last call held the store, where that was one or more."""
    entries = store.client.slowlog_get(100_000)
    store.client.slowlog_reset()
    return [entry["duration"] / 1000 for entry in entries if entry["command"].startswith(b"EVALSHA")] or [1.0]


def run(kind: str, count: int) -> tuple[float, list[float], dict[str, float]]:
    """Seconds of one workflow, the times of its scripts, and the memory that it took."""
    with caraway("none", _LOG_ALL) as system, system.worker(), Peaks(system).watched() as peaks:
        _produce(system, kind, 100)  # what is loaded once
        script_times(system.store)
        seconds = _produce(system, kind, count)
        return seconds, script_times(system.store), dict(peaks.most)


def _produce(system: System, kind: str, count: int) -> float:
    command = [str(CARAWAY_BIN / "python"), str(PROGRAMS / "workflow_client.py"), kind, str(count)]
    done = subprocess.run(
        command, env=system.env, capture_output=True, text=True, timeout=PRODUCER_SECONDS, check=False
    )
    if done.returncode:
        raise SystemExit(f"caraway: the {kind} of {count} failed:\n{done.stderr[-3000:]}")
    return float(json.loads(done.stdout)["ended"])


def measure() -> list[Figure]:
    """One round of each size."""
    figures = []
    for kind, sizes in SIZES.items():
        (small, _, little), (large, scripts, much) = (run(kind, count) for count in sizes)
        growth = (large / sizes[1]) / (small / sizes[0])
        note = f"{small:.1f} s of {sizes[0]:,}, {large:.1f} s of {sizes[1]:,}"
        figures.append(
            Figure(
                "B1.18", f"a node of a {kind} of {sizes[1]:,}, as part of one of {sizes[0]:,}", "times", (growth,),
                target=f"at most {LINEAR}", met=growth <= LINEAR, note=note,
            )
        )  # fmt: skip
        longest = max(scripts)
        figures.append(
            Figure(
                "B1.18", f"longest script, {kind} of {sizes[1]:,}", "ms", (longest,),
                target=f"at most {LONGEST_SCRIPT_MS:g}", met=longest <= LONGEST_SCRIPT_MS,
                note=f"99 of 100 take at most {percentile(scripts, 0.99):.1f} ms; by the clock, so other work counts",
            )
        )  # fmt: skip
        for name, most in much.items():
            note = f"{little[name]:.0f} MiB with {sizes[0]:,}"
            figures.append(Figure("B1.18", f"memory of the {name}, {kind} of {sizes[1]:,}", "MiB", (most,), note=note))
    return figures
