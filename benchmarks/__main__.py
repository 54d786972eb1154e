"""Runs the measurements named on the command line, by default all: `python -m benchmarks [NAME]...`."""

import sys
import time
from collections.abc import Callable, Mapping

from benchmarks import compare, drain, idle, languages, lateness, listing, memory, report, round_trip, submit, workflow
from benchmarks.comparison import verdicts
from benchmarks.figure import Figure

Measure = Callable[[], list[Figure]]

# By the table that they are in: it is written when all of it is measured in one run.
TABLES: dict[str, dict[str, Measure]] = {
    "figures": {
        "drain": drain.measure,
        "submit": submit.measure,
        "round_trip": round_trip.measure,
        "memory": memory.measure,
        "idle": idle.measure,
        "lateness": lateness.measure,
        "listing": listing.measure,
    },
    "workflows": {"workflow": workflow.measure},
    "languages": {"languages": languages.measure},
}
COMPARISON = "compare"
NAMES = (*(name for measures in TABLES.values() for name in measures), COMPARISON)


def main() -> int:
    """Measure, print tables, and write down those that are whole. Returns 1 if a figure falls short."""
    names = sys.argv[1:] or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"caraway: no measurement is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return 2
    fine = True
    for title, measures in TABLES.items():
        fine = (
            _measure(title, {name: measure for name, measure in measures.items() if name in names}, measures) and fine
        )
    if COMPARISON in names:
        fine = _compare() and fine
    return 0 if fine else 1


def _measure(title: str, wanted: Mapping[str, Measure], whole: Mapping[str, Measure]) -> bool:
    figures: list[Figure] = []
    for name, measure in wanted.items():
        start = time.monotonic()
        print(f"\n{name} ...", end=" ", flush=True)
        measured = measure()
        print(f"{time.monotonic() - start:.0f} s\n{report.table(measured)}", flush=True)
        figures += measured
    if figures:
        print(f"\n{report.conditions()}\n\n{report.table(figures)}")
    if len(wanted) == len(whole):
        report.write(title, figures)
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
