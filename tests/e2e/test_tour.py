"""Every program of examples/tour prints what it promises, with a real gateway and its page's worker."""

import doctest
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running

TOUR = Path(__file__).resolve().parents[2] / "examples" / "tour"
PAGES = {"first_steps": "tasks", "next_steps": "proj.app", "calling": "tasks", "canvas": "tasks", "tasks": "tasks"}
PROGRAMS = sorted(path.relative_to(TOUR) for path in TOUR.glob("*/*.py") if path.name != "tasks.py")
PROMISE = "You should see:\n"


def environment(gateway: GatewayProcess) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"CARAWAY_TARGET": gateway.target, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def worker_of(gateway: GatewayProcess) -> Iterator[Callable[[str], None]]:
    """Sees to it that a page's worker runs."""
    running: dict[str, Running] = {}

    def start(page: str) -> None:
        if page in running:
            return
        app = PAGES[page]
        more = ["-I", "proj.tasks"] if app == "proj.app" else []
        command = [*CARAWAY, "worker", "-A", app, *more, "-c", "2", "-l", "INFO"]
        running[page] = Running(command, cwd=TOUR / page, env=environment(gateway))
        running[page].wait_for_line(" ready.", 30)

    yield start
    for worker in running.values():
        worker.stop()


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_a_program_prints_what_it_promises(
    worker_of: Callable[[str], None], program: Path, gateway: GatewayProcess
) -> None:
    page, name = program.parts
    promised = textwrap.dedent((TOUR / program).read_text().split('"""')[1].partition(PROMISE)[2])
    assert promised, "it does not say what it prints"
    worker_of(page)
    ended = subprocess.run(
        [sys.executable, name],
        cwd=TOUR / page, env={**os.environ, **environment(gateway)}, text=True, capture_output=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    printed = doctest.OutputChecker().check_output(promised, ended.stdout, doctest.ELLIPSIS)
    assert printed, f"promised\n{promised}\nprinted\n{ended.stdout}"


def test_the_tour_s_page_lists_each_program_once() -> None:
    listed = re.findall(r"\]\((\w+/\w+\.py)\)", (TOUR / "README.md").read_text())
    assert sorted(listed) == [str(program) for program in PROGRAMS]
