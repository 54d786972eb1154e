"""B1.18: workflows of many nodes: time by size, how long a script holds the store, memory of gateway and worker."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psutil

from benchmarks.figure import Figure, alternate, median, percentile
from benchmarks.system import CARAWAY_BIN, PRODUCER_SECONDS, PROGRAMS, System, caraway, celery

# Kind of workflow: a small and a large number of nodes.
SIZES = {"chain": (1_000, 5_000), "group": (10_000, 100_000), "chord": (10_000, 100_000)}
LINEAR = 1.5  # a node of the large one may take so many times as long as one of the small
LONGEST_SCRIPT_MS = 20.0
SAMPLE_SECONDS = 0.1
# What Celery manages: its chains are messages in messages, and its chords count in Redis.
CANVASES = {"chain": 300, "group": 2_000, "chord": 2_000}
CANVAS_ROUNDS = 3


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


def run(kind: str, count: int) -> tuple[float, dict[str, float]]:
    """Seconds of one workflow, and the memory that it took."""
    with caraway("none") as system, system.worker(), Peaks(system).watched() as peaks:
        _produce(system, kind, 100)  # what is loaded once
        return _produce(system, kind, count), dict(peaks.most)


def script_times(kind: str, count: int) -> list[float]:
    """How long each script of one workflow held the store, in ms of its processor. Apart: the meter slows all down."""
    with caraway("none", metering=True) as system, system.worker():
        assert system.meter is not None
        _produce(system, kind, count)
        return list(system.meter.times)


def canvas(system: System, kind: str, count: int) -> float:
    """Seconds from the submit of a canvas, made of the system's own SDK, to its result."""
    system.produce("canvas", kind, 20)  # what is loaded once
    return float(system.produce("canvas", kind, count)["seconds"])


def against_celery() -> list[Figure]:
    """Canvases of the sizes that Celery manages, on both, in turns."""
    figures = []
    with caraway("none") as ours, celery("none") as theirs, ours.worker(), theirs.worker():
        for kind, count in CANVASES.items():
            mine, other = alternate(
                partial(canvas, ours, kind, count), partial(canvas, theirs, kind, count), rounds=CANVAS_ROUNDS
            )
            figures.append(
                Figure(
                    "B1.18", f"canvas: a {kind} of {count:,}, to its result", "s", mine, other,
                    target="not slower", met=median(mine) <= median(other),
                )
            )  # fmt: skip
    return figures


def _produce(system: System, kind: str, count: int) -> float:
    command = [str(CARAWAY_BIN / "python"), str(PROGRAMS / "workflow_client.py"), kind, str(count)]
    done = subprocess.run(
        command, env=system.env, capture_output=True, text=True, timeout=PRODUCER_SECONDS, check=False
    )
    if done.returncode:
        raise SystemExit(f"caraway: the {kind} of {count} failed:\n{done.stderr[-3000:]}")
    return float(json.loads(done.stdout)["ended"])


def measure() -> list[Figure]:
    """One round of each size, and both systems in turns."""
    figures = against_celery()
    for kind, sizes in SIZES.items():
        (small, little), (large, much) = (run(kind, count) for count in sizes)
        growth = (large / sizes[1]) / (small / sizes[0])
        note = f"{small:.1f} s of {sizes[0]:,}, {large:.1f} s of {sizes[1]:,}"
        figures.append(
            Figure(
                "B1.18", f"a node of a {kind} of {sizes[1]:,}, as part of one of {sizes[0]:,}", "times", (growth,),
                target=f"at most {LINEAR}", met=growth <= LINEAR, note=note,
            )
        )  # fmt: skip
        scripts = script_times(kind, sizes[1])
        longest = max(scripts)
        figures.append(
            Figure(
                "B1.18", f"longest script, {kind} of {sizes[1]:,}", "ms", (longest,),
                target=f"at most {LONGEST_SCRIPT_MS:g}", met=longest <= LONGEST_SCRIPT_MS,
                note=f"99 of 100 take at most {percentile(scripts, 0.99):.1f} ms; the store's processor time around it",
            )
        )  # fmt: skip
        for name, most in much.items():
            note = f"{little[name]:.0f} MiB with {sizes[0]:,}"
            figures.append(Figure("B1.18", f"memory of the {name}, {kind} of {sizes[1]:,}", "MiB", (most,), note=note))
    return figures
