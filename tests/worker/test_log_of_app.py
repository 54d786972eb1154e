"""The worker's log as an app has it: by settings, and by receivers of the signals for it."""

import json
import uuid
from pathlib import Path

import pytest

from caraway import Caraway
from support.processes import eventually

from .conftest import WorkerStarter

SAID = ("task says hello", "library says hello", "print says hello", "warning says hello")


@pytest.mark.parametrize(
    ("case", "times", "there", "not_there"),
    [
        ("", 1, ["speak[", "]: task says hello", "]: print says hello", "UserWarning: warning says hello"], []),
        (
            "formats",
            1,
            ["TASK speak task says hello", "TASK speak library says hello", "LINE Task speak["],
            ["WARNING"],
        ),
        ("dates", 1, ["[<in a task>: WARNING", "library says hello", "[<20"], [":00"]),
        ("tasks", 1, ["SAID speak[", "] task says hello", "]: library says hello"], ["SAID ???["]),
        ("own tasks", 2, ["SAID speak[", "\ntask says hello", "\nlibrary says hello"], []),
        ("colors", 1, ["\x1b[33m[", "library says hello\x1b[0m"], []),
        ("kept", 2, ["OWN task says hello", "OWN library says hello", "WARNING"], []),
        ("hijack", 1, ["task says hello", "WARNING"], ["OWN"]),
        ("setup", 1, ["MINE 20 None False task says hello", "\nprint says hello", "MINE 20 None False /"], ["WARNING"]),
        ("after", 1, ["FOR TASKS task says hello", "AFTER library says hello", "AFTER print says hello"], ["]: "]),
        ("both", 2, ["\nADDED task says hello", "\nADDED library says hello", "\nADDED print says hello"], []),
    ],
)
def test_the_log_is_as_the_app_has_it(
    start_worker: WorkerStarter, app: Caraway, case: str, times: int, there: list[str], not_there: list[str]
) -> None:
    queue = f"log-{uuid.uuid4().hex[:8]}"
    worker = start_worker("-Q", queue, "-c", "1", "-l", "INFO", app="log_tasks", env={"LOG_CASE": case}).ready()
    app.send_task("speak", ("hello",), queue=queue).get(timeout=30)
    worker.stop()
    lines = [line for line in worker.output.splitlines() if "hello" in line or "LINE" in line or "Task speak" in line]
    said = "\n".join(lines)
    assert {text: said.count(text) for text in SAID} == dict.fromkeys(SAID, times)
    assert [text for text in there if text not in said] == []
    told_by_tasks = "\n".join(line for line in lines if "Task speak" not in line)
    assert [text for text in not_there if text in told_by_tasks] == []


def test_lines_of_json_have_nothing_beside_what_is_said(start_worker: WorkerStarter, app: Caraway) -> None:
    queue = f"log-{uuid.uuid4().hex[:8]}"
    worker = start_worker("-Q", queue, "-c", "1", "-l", "INFO", "--log-format", "json", app="log_tasks").ready()
    app.send_task("speak", ("hello",), queue=queue).get(timeout=30)
    worker.stop()
    told = [json.loads(line) for line in worker.lines if line.startswith("{") and "says hello" in line]
    assert [line["logger"] for line in told] == ["log_tasks", "elsewhere", "caraway.redirected", "py.warnings"]
    fields = {"time", "level", "logger", "message", "process", "task_id", "task_name"}
    assert {frozenset(line) for line in told} == {frozenset(fields)}


def test_a_log_file_tells_when_the_worker_is_ready(start_worker: WorkerStarter, tmp_path: Path) -> None:
    file = tmp_path / "worker.log"
    start_worker("-Q", "log-ready", "-c", "1", "-l", "INFO", "-n", "w@h", "-f", str(file), app="log_tasks").ready()
    eventually(lambda: "INFO" in file.read_text() and "w@h ready." in file.read_text())
