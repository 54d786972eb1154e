"""docs/laws.md names tests and files that exist, and leaves no law out."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"server": "server/caraway_server", "worker": "worker/caraway_worker", "sdk": "clients/python/caraway"}


def rows() -> list[list[str]]:
    """The cells of each row."""
    lines = (ROOT / "docs" / "laws.md").read_text().splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [cells for cells in table if cells[0].isdecimal()]


def functions(path: Path) -> set[str]:
    """The names of a file's functions."""
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_law_has_a_test() -> None:
    assert {int(cells[0]) for cells in rows()} == set(range(1, 19))
    tested = {int(cells[0]) for cells in rows() if cells[3] != "-"}
    assert tested == set(range(1, 19))


@pytest.mark.parametrize("test", sorted({cells[3] for cells in rows()} - {"-"}))
def test_a_named_test_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert name.startswith("test_")
    assert name in functions(ROOT / "tests" / path)


def test_a_named_file_exists() -> None:
    for cells in rows():
        for folder, path in re.findall(r"\b(server|worker|sdk|tests)/([\w/.]+)", cells[2]):
            named = ROOT / FOLDERS.get(folder, folder) / path
            assert named.exists(), f"{folder}/{path}"
