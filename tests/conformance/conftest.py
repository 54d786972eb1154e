"""The stage, the cases, and the table at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.stage import Stage

TOLD = "conformance"


@pytest.fixture(scope="session")
def stage(short_folder: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Gateways and programs, for all cases."""
    made = Stage(tmp_path_factory.mktemp("conformance"), short_folder)
    yield made
    made.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table: a line for each case, a column for each language and role."""
    marks: dict[str, dict[str, str]] = {}
    for outcome, mark in (("passed", "ok"), ("failed", "FAILED"), ("error", "ERROR"), ("skipped", "-")):
        for report in terminalreporter.stats.get(outcome, ()):
            for key, value in getattr(report, "user_properties", ()):
                if key == TOLD:
                    case, column = value
                    marks.setdefault(case, {})[column] = mark
    if not marks:
        return
    columns = sorted({column for row in marks.values() for column in row}, key=_place)
    width = max(map(len, marks))
    terminalreporter.section("conformance")
    terminalreporter.line(f"{len(marks)} cases".ljust(width) + "".join(f"  {column}" for column in columns))
    for case, row in sorted(marks.items()):
        cells = "".join(f"  {row.get(column, '').center(len(column))}" for column in columns)
        terminalreporter.line(f"{case.ljust(width)}{cells}")


def _place(column: str) -> tuple[bool, bool, str]:
    """Python first, then clients, then workers, then pairs of other languages."""
    return "+" in column, column.endswith("worker"), "" if column == "python" else column
