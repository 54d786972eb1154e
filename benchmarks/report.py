"""Writes the figures: a table for people, results.json for programs."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figure import Figure, median
from benchmarks.store import program

FOLDER = Path(__file__).resolve().parent
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"
HEAD = ("Issue", "Measured", "Caraway", "Celery", "Unit", "Asked for", "Met", "Note")


def conditions() -> str:
    """Say on what and when it was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, store: {Path(program()).name}; median of the rounds"
    )


def table(figures: Sequence[Figure]) -> str:
    """Make a Markdown table."""
    rows = [HEAD, tuple("---" for _ in HEAD)]
    for figure in figures:
        met = "" if figure.met is None else "yes" if figure.met else "**no**"
        celery = _number(median(figure.celery)) if figure.celery else ""
        rows.append(
            (figure.number, figure.what, _number(median(figure.caraway)), celery, figure.unit, figure.target, met,
             figure.note)
        )  # fmt: skip
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def write(figures: Sequence[Figure]) -> None:
    """Keep all figures in results.json, and their table in README.md between its two marks."""
    results = {"conditions": conditions(), "figures": [asdict(figure) for figure in figures]}
    (FOLDER / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    readme = FOLDER / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{conditions()}\n\n{table(figures)}\n{END}{after}")
