"""What the pages type into a terminal, typed: each command writes what the page shows."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.pages import CHECKOUT, Page, Step, comparable, run
from support.processes import CARAWAY, Running

START, GRPCURL = Page("docs/start.md"), Page("docs/grpcurl.md")
BUILD_SECONDS = 600


@pytest.fixture(scope="module")
def grpcurl() -> Path:
    """The real one, built where it is not there yet."""
    made = subprocess.run(
        ["make", "-s", "grpcurl"], cwd=CHECKOUT, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if made.returncode:
        pytest.skip((made.stdout + made.stderr).strip().splitlines()[0])
    return Path(made.stdout.strip())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A newcomer's folder, with the files of the first program."""
    START.write_files(tmp_path)
    return tmp_path


@pytest.fixture
def target(folder: Path) -> Iterator[str]:
    """The address of what the page tells to start there, on a free port and with nothing kept."""
    (command,) = START.commands("caraway dev")
    words = [*CARAWAY, *shlex.split(command)[1:], "--listen", "127.0.0.1:0", "--temporary"]
    dev = Running([*words, "--", "-c", "2"], folder)
    try:
        dev.wait_for_line(" ready.", 60)
        yield dev.wait_for_line("listens on").split("listens on ")[1].split()[0]
    finally:
        dev.stop()


def follow(page: Page, target: str, folder: Path, *programs: Path) -> None:
    """Types all that a page types."""
    path = os.pathsep.join(str(program.parent) for program in (Path(sys.executable), *programs))
    env = {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}", "CARAWAY_TARGET": target}
    assert page.steps
    for step in page.steps:
        written = run(step, target, folder, env)
        assert comparable(written) == comparable(step.shown), f"$ {step.command}\n{written}"


def require_jq() -> None:
    if shutil.which("jq") is None:
        pytest.skip("no jq on this machine; on Debian: apt install jq")


@pytest.mark.timeout(180)
def test_a_first_program(target: str, folder: Path) -> None:
    require_jq()
    follow(START, target, folder)


@pytest.mark.timeout(BUILD_SECONDS + 180)
def test_by_hand(grpcurl: Path, target: str, folder: Path) -> None:
    require_jq()
    follow(GRPCURL, target, folder, grpcurl)


def test_other_output_than_shown_is_seen() -> None:
    shown = Step("", '{"state": "QUEUED", "revision": "1", "create_time": "2026-11-22T21:42:39.488946Z"}\n')
    same = '{"create_time": "2027-01-01T00:00:00Z",\n "state": "QUEUED", "revision": "12"}'
    assert comparable(same) == comparable(shown.shown)
    assert comparable(same.replace("QUEUED", "FAILED")) != comparable(shown.shown)
    assert comparable("a\nb\n") != comparable("a\n")
