"""A3.9: a steady load at half the maximum rate; memory of every process and latency over time, with a chart.

`python -m benchmarks.endurance.soak [SECONDS]`; ten minutes by default, after a short drain that finds the maximum.
"""

import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

from caraway_tasks import noop

from benchmarks.endurance.arena import ROOT, Arena, arena, until
from benchmarks.endurance.lines import Panel, draw
from benchmarks.endurance.load import Load
from benchmarks.endurance.record import keep, table
from benchmarks.figure import percentile
from benchmarks.report import conditions
from caraway import Caraway

CHART = Path(__file__).resolve().parent.parent / "soak.svg"
SECONDS = 600.0
MEASURED = 20_000
KEPT_SECONDS = 10  # ended tasks, and their ids for DEDUP_SECONDS more: what is kept is full and even after that
DEDUP_SECONDS = 60
PERIOD = 10.0  # seconds for which latencies are put together
PROBES_A_SECOND = 10.0
FLAT = 1.10  # the last part of the run against the one after what is kept is full
FLAGS = ("--result-ttl", str(KEPT_SECONDS), "--dedup-window", str(DEDUP_SECONDS))


@dataclass(slots=True)
class Track:
    """What was seen, by seconds from the beginning."""

    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    latency: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"p50": [], "p99": []})
    waiting: list[tuple[float, float]] = field(default_factory=list)
    rate: list[tuple[float, float]] = field(default_factory=list)


class Probe:
    """A caller that now and then submits one task and waits for its result."""

    def __init__(self, target: str) -> None:
        self._app = Caraway(target=target)
        self._stopped = threading.Event()
        self._seconds: list[float] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(1 / PROBES_A_SECOND):
            began = time.monotonic()
            self._app.signature(noop.name, (0,)).delay().get(timeout=60)
            with self._lock:
                self._seconds.append(time.monotonic() - began)

    def take(self) -> list[float]:
        """Seconds that calls took since this was asked last."""
        with self._lock:
            taken, self._seconds = self._seconds, []
        return taken

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()
        self._thread.join(60)
        self._app.close()


def most_rate(running: Arena) -> float:
    """Tasks a second, submitted and drained at the same time: what the load is half of."""
    app = Caraway(target=running.target)
    # What was kept before would end while this counts.
    before = int(running.client.get(f"{ROOT}sequence") or 0)
    began = time.monotonic()
    app.submit_many(app.signature(noop.name, (n,)) for n in range(MEASURED))
    until(lambda: not running.client.exists(f"{ROOT}depth") and running.count("leases") == 0, 120, "all have ended")
    spent = time.monotonic() - began
    app.close()
    return (int(running.client.get(f"{ROOT}sequence") or 0) - before) / spent


def watch(running: Arena, load: Load, probe: Probe, seconds: float) -> Track:
    """Look once a second, for so long."""
    track, began = Track(), time.monotonic()
    accepted, period_ends = load.accepted, PERIOD
    while (now := time.monotonic() - began) < seconds:
        load.check()
        for name, size in running.memory().items():
            track.memory.setdefault(name, []).append((now, size / 1e6))
        track.waiting.append((now, sum(map(int, running.client.hvals(f"{ROOT}depth")))))
        if now >= period_ends:
            taken = [one * 1000 for one in probe.take()]
            for name, part in (("p50", 0.5), ("p99", 0.99)):
                track.latency[name].append((now, percentile(taken, part)))
            track.rate.append((now, (load.accepted - accepted) / PERIOD))
            accepted, period_ends = load.accepted, period_ends + PERIOD
        time.sleep(1.0)
    return track


def growth(line: list[tuple[float, float]], from_second: float) -> float:
    """The last fifth against the first fifth of what comes after a second: 1 is flat."""
    values = [value for at, value in line if at >= from_second]
    part = max(1, len(values) // 5)
    return mean(values[-part:]) / (mean(values[:part]) or 1.0)


def main(seconds: float) -> bool:
    """Whether memory and latency were flat."""
    with arena(*FLAGS) as running:
        running.worker.start()
        most_rate(running)  # warms everything
        most = most_rate(running)
        print(f"the most is {most:,.0f} tasks a second; half of it for {seconds:.0f} s", flush=True)
        load, probe = Load(running.target, most / 2), Probe(running.target)
        track = watch(running, load, probe, seconds)
        load.stop()
        probe.stop()
    settled = min(KEPT_SECONDS + DEDUP_SECONDS + 20.0, seconds / 3)
    grown = {name: growth(line, settled) for name, line in {**track.memory, **track.latency}.items()}
    caption = f"{conditions().partition(';')[0]}; {load.accepted:,} tasks"
    panels = [
        Panel("Resident memory", "MB", track.memory),
        Panel("Latency of a call that submits and waits", "ms", track.latency),
        Panel("Accepted, and waiting", "tasks", {"accepted a second": track.rate, "waiting": track.waiting}),
    ]
    CHART.write_text(draw(panels, caption))
    lines = {**track.memory, **{f"latency, {name}": line for name, line in track.latency.items()}}
    rows = [(name, f"{line[-1][1]:.1f}", f"{growth(line, settled):.2f}") for name, line in lines.items()]
    head = ("MB, or ms", "at the end", f"last fifth against the first, after {settled:.0f} s")
    told = f"The most is {most:,.0f} tasks/s; {most / 2:,.0f} for {seconds:.0f} s, {load.accepted:,} in all."
    keep("Soak", f"{told}\n\n![memory and latency over time](soak.svg)\n\n{table(head, rows)}")
    return all(grown[name] <= FLAT for name in track.memory)


if __name__ == "__main__":
    sys.exit(0 if main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS) else 1)
