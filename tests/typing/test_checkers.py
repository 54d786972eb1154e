"""What a user's checker sees: programs/ pass mypy and pyright, both strict, but for what is marked as wrong in them."""

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted(Path(__file__).with_name("programs").glob("*.py"))
Told = dict[int, list[str]]
"""What a checker says, by line."""


def run(*words: str) -> str:
    """Run a checker, whose exit code says only that it has found something."""
    ended = subprocess.run(
        [sys.executable, "-m", *words],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        cwd=ROOT,
        env={"MYPYPATH": str(ROOT / "clients" / "python"), "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache")},
    )
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    return ended.stdout


def mypy() -> dict[str, Told]:
    told: dict[str, Told] = defaultdict(lambda: defaultdict(list))
    for line in run("mypy", "--config-file", "", "--strict", "--output", "json", *map(str, PROGRAMS)).splitlines():
        found = json.loads(line)
        if found["severity"] == "error":
            told[Path(found["file"]).name][found["line"]].append(found["message"])
    return told


def pyright(tmp_path: Path) -> dict[str, Told]:
    for program in PROGRAMS:
        shutil.copy(program, tmp_path)
    project = tmp_path / "pyrightconfig.json"
    project.write_text(json.dumps({"typeCheckingMode": "strict", "extraPaths": [str(ROOT / "clients" / "python")]}))
    told: dict[str, Told] = defaultdict(lambda: defaultdict(list))
    answer = json.loads(run("pyright", "--project", str(project), "--pythonpath", sys.executable, "--outputjson"))
    assert answer["summary"]["filesAnalyzed"] == len(PROGRAMS)
    for found in answer["generalDiagnostics"]:
        if found["severity"] == "error":
            told[Path(found["file"]).name][found["range"]["start"]["line"] + 1].append(found["message"])
    return told


def marked(program: Path) -> dict[int, list[str]]:
    """The lines that are wrong, with the words that the message has to have."""
    found = {}
    for number, line in enumerate(program.read_text().splitlines(), start=1):
        _, mark, words = line.partition("# expect-error: ")
        if mark:
            found[number] = words.split()
    return found


@pytest.fixture(scope="module", params=["mypy", "pyright"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    checkers: dict[str, Callable[[], dict[str, Told]]] = {
        "mypy": mypy,
        "pyright": lambda: pyright(tmp_path_factory.mktemp("pyright")),
    }
    return checkers[request.param]()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_what_fits_passes_and_what_does_not_is_told(told: dict[str, Told], program: Path) -> None:
    found, wanted = told[program.name], marked(program)
    assert wanted
    assert {line: said for line, said in found.items() if line not in wanted} == {}
    assert {line: words for line, words in wanted.items() if line not in found} == {}
    missing = {
        line: (words, found[line])
        for line, words in wanted.items()
        if not all(re.search(re.escape(word), "\n".join(found[line])) for word in words)
    }
    assert missing == {}
