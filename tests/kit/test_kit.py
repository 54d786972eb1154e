"""The test kit, as a project of a user's uses it: pytest in a process of its own, and what that leaves behind."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).parent / "project"

LEFT_BEHIND = """
import os, threading, time, sys
import psutil
from caraway.contrib.testing.app import TestApp
from caraway.contrib.testing.worker import start_worker

def one_round(pool):
    began = time.perf_counter()
    with TestApp() as app:
        task = app.task(name="t")(lambda: 1)
        with start_worker(app, pool=pool):
            assert task.delay().get(timeout=30) == 1
            took = time.perf_counter() - began
    return took

def state():
    threads = sorted(t.name for t in threading.enumerate() if t.name.startswith("caraway"))
    return threads, [c.name() for c in psutil.Process().children(recursive=True)], len(os.listdir("/proc/self/fd"))

one_round("solo")  # gRPC keeps a thread, and a few descriptors, from its first use on
before = state()
times = [one_round("solo") for _ in range(3)]
after = state()
print(before, after, sorted(times), os.listdir(os.environ["TMPDIR"]))
assert before[:2] == after[:2] == ([], []), (before, after)
assert after[2] == before[2], (before, after)
assert os.listdir(os.environ["TMPDIR"]) == []
assert min(times) < 2, times
"""


def run(command: list[str], folder: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """Runs a program whose temporary files go to `scratch`."""
    env = {**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": ""}
    env.pop("CARAWAY_TARGET", None)
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, away from this repository's own settings of pytest."""
    for file in PROJECT.glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nfilterwarnings = error\naddopts = -p no:cacheprovider --strict-markers\n"
    )
    return tmp_path


def test_a_projects_tests_pass_with_the_fixtures(project: Path, short_folder: Callable[[], Path]) -> None:
    scratch = short_folder()
    ended = run(["-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:asyncio"], project, scratch)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert passed and int(passed[1]) >= 20, ended.stdout
    assert [path for path in scratch.iterdir() if not path.name.startswith("pytest-of")] == []
    stores = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(scratch) in " ".join(process.info["cmdline"] or [])
    ]
    assert stores == []


def test_nothing_is_left_behind_and_it_is_quick(tmp_path: Path, short_folder: Callable[[], Path]) -> None:
    ended = run(["-c", LEFT_BEHIND], tmp_path, short_folder())
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_program_that_ends_without_closing_leaves_nothing_running(
    tmp_path: Path, short_folder: Callable[[], Path]
) -> None:
    scratch = short_folder()
    ended = run(["-c", "from caraway.contrib.testing.app import TestApp; TestApp().target"], tmp_path, scratch)
    assert ended.returncode == 0, ended.stderr

    def stores() -> list[psutil.Process]:
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if str(scratch) in " ".join(process.info["cmdline"] or [])
        ]

    psutil.wait_procs(stores(), timeout=10)
    assert stores() == []


def test_the_fixtures_cost_a_project_little_and_load_no_grpc(tmp_path: Path) -> None:
    program = """
import sys

def test_nothing():
    assert "caraway.contrib.pytest" in sys.modules
    assert not {"grpc", "caraway_server", "caraway_worker"} & sys.modules.keys()
"""
    (tmp_path / "test_nothing.py").write_text(program)
    ended = run(["-m", "pytest", "-q", "-p", "no:cacheprovider"], tmp_path, tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
