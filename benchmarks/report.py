"""Writes what was measured: tables and a chart for people, results.json for programs."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.chart import chart, number
from benchmarks.comparison import COLUMNS, Line, verdicts
from benchmarks.figure import Figure, median
from benchmarks.store import program

FOLDER = Path(__file__).resolve().parent
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
    rows = [HEAD]
    for figure in figures:
        celery = number(median(figure.celery)) if figure.celery else ""
        rows.append(
            (figure.number, figure.what, number(median(figure.caraway)), celery, figure.unit, figure.target,
             "" if figure.met is None else _word(figure.met), figure.note)
        )  # fmt: skip
    return _markdown(rows)


def comparison_table(lines: Sequence[Line]) -> str:
    """Make a Markdown table of all systems, and one of how Caraway stands against the best of the others."""
    head = ("System", "Version", *(f"{column.title}, {column.unit}" for column in COLUMNS), "Set up")
    rows = [head]
    for line in lines:
        cells = (number(median(line.values[column.key])) if not line.absent else "-" for column in COLUMNS)
        rows.append((line.system, line.version, *cells, f"not measured: {line.absent}" if line.absent else line.how))
    judged = [("Issue", "Caraway against the best of the others", "Times", "Asked for", "Met")]
    for verdict in verdicts(lines):
        what = f"{verdict.column.title}, against {verdict.best}"
        judged.append(("A3.8", what, f"{verdict.times:.2f}", "above 1", _word(verdict.met)))
    return f"{_markdown(rows)}\n\n{_markdown(judged)}"


def _word(met: bool) -> str:
    return "yes" if met else "**no**"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *others = (["".join(cell.replace("|", "\\|").splitlines()) for cell in row] for row in rows)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *others))


def write(title: str, figures: Sequence[Figure], folder: Path = FOLDER) -> None:
    """Keep the figures of a table in results.json, and the table in README.md between its two marks."""
    said = conditions()
    _keep(folder, {title: {"conditions": said, "figures": [asdict(figure) for figure in figures]}})
    _put(folder, title, f"{said}\n\n{table(figures)}")


def write_comparison(lines: Sequence[Line], folder: Path = FOLDER) -> None:
    """Keep the comparison in results.json, draw comparison.svg, and put the tables into README.md."""
    said = conditions()
    _keep(folder, {"comparison": {"conditions": said, "lines": [asdict(line) for line in lines]}})
    (folder / "comparison.svg").write_text(chart(lines, said))
    _put(folder, "comparison", f"{said}\n\n![The same as bars](comparison.svg)\n\n{comparison_table(lines)}")


def stored_comparison(folder: Path = FOLDER) -> list[Line]:
    """Give the lines that write_comparison() kept."""
    kept = json.loads((folder / "results.json").read_text())["comparison"]["lines"]
    return [Line(**{**line, "values": {key: tuple(rounds) for key, rounds in line["values"].items()}}) for line in kept]


def _keep(folder: Path, part: dict[str, Any]) -> None:
    """Put a part into results.json, and leave the rest as it is."""
    path = folder / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(results | part, indent=2) + "\n")


def _put(folder: Path, name: str, text: str) -> None:
    """Put a text into README.md between the marks of its name."""
    begin, end = f"<!-- {name}: written by make bench -->", f"<!-- end of {name} -->"
    readme = folder / "README.md"
    before, found, rest = readme.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise SystemExit(f"caraway: {readme} has no lines {begin} and {end}")
    readme.write_text(f"{before}{begin}\n{text}\n{end}{after}")
