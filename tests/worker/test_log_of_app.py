"""The worker's log as an app has it: by settings, and by receivers of the signals for it."""

import uuid

import pytest

from caraway import Caraway

from .conftest import WorkerStarter


@pytest.mark.parametrize(
    ("case", "there", "not_there"),
    [
        ("", ["speak[", "task says hello", "library says hello"], []),
        ("formats", ["TASK speak task says hello", "TASK speak library says hello", "LINE Task speak["], ["WARNING"]),
        ("dates", ["[<in a task>: WARNING", "library says hello", "[<20"], [":00"]),
        ("tasks", ["SAID speak[", "] task says hello", "] library says hello"], ["SAID ???["]),
        ("colors", ["\x1b[33m[", "library says hello\x1b[0m"], []),
        ("kept", ["OWN task says hello", "WARNING"], []),
        ("hijack", ["task says hello", "WARNING"], ["OWN"]),
        ("setup", ["MINE 20 None False task says hello"], ["WARNING"]),
        ("after", ["AFTER task says hello", "FOR TASKS task says hello", "AFTER library says"], ["FOR TASKS library"]),
    ],
)
def test_the_log_is_as_the_app_has_it(
    start_worker: WorkerStarter, app: Caraway, case: str, there: list[str], not_there: list[str]
) -> None:
    queue = f"log-{uuid.uuid4().hex[:8]}"
    worker = start_worker("-Q", queue, "-c", "1", "-l", "INFO", app="log_tasks", env={"LOG_CASE": case}).ready()
    app.send_task("speak", ("hello",), queue=queue).get(timeout=30)
    worker.stop()
    said = "\n".join(
        line for line in worker.output.splitlines() if "hello" in line or "LINE" in line or "Task speak" in line
    )
    assert [text for text in there if text not in said] == []
    assert [text for text in not_there if text in said] == []
