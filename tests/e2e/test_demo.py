"""`make demo`, as a newcomer runs it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

from support.gateway import GatewayProcess
from support.processes import Running, eventually
from support.worker import WorkerProcess

CHECKOUT = Path(__file__).resolve().parents[2]
SECONDS = 90


def demo(*files: object) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    quoted = " ".join(f"'{file}'" for file in files)
    return subprocess.run(
        ["make", "--no-print-directory", "demo", f"FILES={quoted}"],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


def folders() -> list[Path]:
    """Data folders of demos."""
    return list((CHECKOUT / ".build").glob("demo-*"))


def processes() -> list[str]:
    """Gateways, stores and workers of demos."""
    commands = []
    for process in psutil.process_iter():
        try:
            commands.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return [command for command in commands if "/.build/demo-" in command or "-A wordcount.tasks" in command]


def table(output: str) -> list[tuple[str, int]]:
    """The words and counts that were printed."""
    return [(word, int(count)) for word, count in re.findall(r"│ ([a-z]+) +│ +(\d+) │", output)]


def commonest(*texts: str) -> list[tuple[str, int]]:
    """Count by another way than the demo's: character by character."""
    counts: Counter[str] = Counter()
    for text in texts:
        letters = [c.lower() if c.isascii() and c.isalpha() else " " for c in text]
        counts.update("".join(letters).split())
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]


def test_counts_given_files_and_leaves_nothing(tmp_path: Path) -> None:
    first = "The caraway, the CARAWAY; naïve über-caraway's seed.\n" * 50
    first += " ".join(f"w{chr(97 + n)}" * 2 for n in range(26))
    second = "seed\x00seed don't 2nd " * 3
    (tmp_path / "first file.txt").write_text(first)
    (tmp_path / "second.txt").write_text(second)
    (tmp_path / "empty.txt").touch()
    done = demo(tmp_path / "first file.txt", tmp_path / "second.txt", tmp_path / "empty.txt")
    assert done.returncode == 0, done.stdout + done.stderr
    assert table(done.stdout) == commonest(first, second)
    assert "failed 2 times, succeeded on attempt 3" in done.stdout
    assert re.search(r"Delayed: asked to start after 1\.0 s, started after [1-9]\.\d+ s", done.stdout)
    assert "Revoked: REVOKED before its start" in done.stdout
    assert re.search(r"Rate: 3 files .* tasks/s", done.stdout)
    assert (folders(), processes()) == ([], [])


def test_words_across_the_edges_of_what_is_read_at_once(tmp_path: Path) -> None:
    text = "abcdefg " * 700_000 + "z" * 10
    (tmp_path / "long.txt").write_text(text)
    done = demo(tmp_path / "long.txt")
    assert table(done.stdout) == [("abcdefg", 700_000), ("zzzzzzzzzz", 1)], done.stdout + done.stderr


def test_counts_the_repositorys_own_documents_by_default() -> None:
    done = demo()
    assert done.returncode == 0, done.stdout + done.stderr
    documents = [CHECKOUT / "README.md", CHECKOUT / "CHANGELOG.md"]
    documents += [*(CHECKOUT / "docs").rglob("*.md"), *(CHECKOUT / "proto").rglob("*.proto")]
    assert table(done.stdout) == commonest(*(path.read_text() for path in documents))


def test_says_which_files_cannot_be_read(tmp_path: Path) -> None:
    done = demo(tmp_path / "missing.txt", tmp_path, CHECKOUT / "README.md")
    assert done.returncode != 0
    assert f"wordcount: {tmp_path}/missing.txt: No such file or directory" in done.stderr
    assert f"wordcount: {tmp_path}: not a regular file" in done.stderr
    assert (folders(), processes()) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_leaves_nothing_when_it_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "a.txt").write_text("a")
    command = [str(CHECKOUT / ".venv/bin/python"), "-u", "-m", "wordcount", str(tmp_path / "a.txt")]
    running = Running(command, cwd=CHECKOUT, env={"PYTHONPATH": str(CHECKOUT / "examples")})
    try:
        running.wait_for_line("a worker runs")
        os.kill(running.pid, number)
        running.process.wait(30)
    finally:
        running.end_family()
        running.stop()
    eventually(lambda: not processes(), 20, "all its processes end")
    if number is signal.SIGKILL:
        # Nobody was left to tidy up: the folder inside the checkout is all that stays.
        for folder in folders():
            shutil.rmtree(folder)
    assert folders() == []


def test_counts_on_a_gateway_and_a_worker_that_run_already(gateway: GatewayProcess, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("seed seed caraway\n")
    env = {"PYTHONPATH": str(CHECKOUT / "examples")}
    worker = WorkerProcess(gateway.target, "wordcount.tasks", "-c", "1", env=env).ready()
    try:
        command = [sys.executable, "-m", "wordcount", "--target", gateway.target, str(tmp_path / "a.txt")]
        done = subprocess.run(
            command, env={**os.environ, **env}, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    finally:
        worker.stop()
    assert table(done.stdout) == [("seed", 2), ("caraway", 1)], done.stdout + done.stderr
    assert f"The gateway at {gateway.target}" in done.stdout
    assert folders() == []
