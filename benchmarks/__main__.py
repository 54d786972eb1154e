"""Runs the measurements named on the command line, by default all: `python -m benchmarks [NAME]...`."""

import sys
import time

from benchmarks import compare, drain, idle, languages, lateness, listing, memory, report, round_trip, submit, workflow
from benchmarks.comparison import verdicts
from benchmarks.figure import Figure

FIGURES = {
    "drain": drain.measure,
    "submit": submit.measure,
    "round_trip": round_trip.measure,
    "memory": memory.measure,
    "idle": idle.measure,
    "lateness": lateness.measure,
    "listing": listing.measure,
    "workflow": workflow.measure,
    "languages": languages.measure,
}
COMPARISON = "compare"
NAMES = (*FIGURES, COMPARISON)


def main() -> int:
    """Measure, print tables, and write down each that is whole. Returns 1 if a figure falls short."""
    names = sys.argv[1:] or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"caraway: no measurement is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return 2
    fine = _measure_figures([name for name in names if name != COMPARISON])
    if COMPARISON in names:
        fine = _compare() and fine
    return 0 if fine else 1


def _measure_figures(names: list[str]) -> bool:
    figures: list[Figure] = []
    for name in names:
        start = time.monotonic()
        print(f"\n{name} ...", end=" ", flush=True)
        measured = FIGURES[name]()
        print(f"{time.monotonic() - start:.0f} s\n{report.table(measured)}", flush=True)
        figures += measured
    if figures:
        print(f"\n{report.conditions()}\n\n{report.table(figures)}")
    if len(names) == len(FIGURES):
        report.write(figures)
    return all(figure.met is not False for figure in figures)


def _compare() -> bool:
    start = time.monotonic()
    print(f"\n{COMPARISON} ...", flush=True)
    lines = compare.measure()
    print(f"{time.monotonic() - start:.0f} s\n{report.conditions()}\n\n{report.comparison_table(lines)}")
    report.write_comparison(lines)
    return all(verdict.met for verdict in verdicts(lines))


if __name__ == "__main__":
    sys.exit(main())
