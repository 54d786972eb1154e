"""Runs the measurements named on the command line, by default all: `python -m benchmarks [NAME]...`."""

import sys
import time

from benchmarks import drain, idle, lateness, memory, report, round_trip, submit
from benchmarks.figure import Figure

MEASUREMENTS = {
    "drain": drain.measure,
    "submit": submit.measure,
    "round_trip": round_trip.measure,
    "memory": memory.measure,
    "idle": idle.measure,
    "lateness": lateness.measure,
}


def main() -> int:
    """Measure, print a table, and, where all was measured, write it down. Returns 1 if a figure falls short."""
    names = sys.argv[1:] or list(MEASUREMENTS)
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"caraway: no measurement is called {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
        return 2
    figures: list[Figure] = []
    for name in names:
        start = time.monotonic()
        print(f"\n{name} ...", end=" ", flush=True)
        measured = MEASUREMENTS[name]()
        print(f"{time.monotonic() - start:.0f} s\n{report.table(measured)}", flush=True)
        figures += measured
    print(f"\n{report.conditions()}\n\n{report.table(figures)}")
    if len(names) == len(MEASUREMENTS):
        report.write(figures)
    return 0 if all(figure.met is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
