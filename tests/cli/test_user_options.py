"""Options that an app adds to the command line, as Celery's programs add them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from caraway import Caraway
from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running

PROGRAM = """
import json, os
from click import Option
from caraway import Celery, signals

app = Celery("proj", broker="grpc://{target}", task_default_queue="user-options")
app.user_options["worker"].add(Option(("--enable-my-option",), is_flag=True, default=False, help="Enables mine."))
app.user_options["worker"].add(Option(("--size",), type=int, default=3))
app.user_options["preload"].add(Option(("-Z", "--template"), default="default", help="Template to use."))
told = {{}}

@signals.user_preload_options.connect
def on_preload_parsed(app, options, **kwargs):
    told["preload"] = [app.main, options]
    if "SAY" in os.environ:
        print(json.dumps(told))

@signals.celeryd_init.connect
def on_init(options, instance, **kwargs):
    told["init"] = [options["enable_my_option"], options["size"], dict(instance.options)]

@signals.worker_init.connect
def on_worker_init(sender, **kwargs):
    told["worker"] = sender.options["size"]

@app.task(name="proj.told")
def tell():
    return told
"""


@pytest.fixture
def project(tmp_path: Path, gateway: GatewayProcess) -> Path:
    """A folder with the app."""
    (tmp_path / "proj.py").write_text(PROGRAM.format(target=gateway.target))
    return tmp_path


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "CARAWAY_TARGET"} | {"SAY": "1"}
    return subprocess.run(
        [*CARAWAY, *words], capture_output=True, text=True, timeout=60, cwd=project, env=env, check=False
    )


@pytest.mark.parametrize("pool", ["process", "solo"])
def test_the_processes_of_a_worker_are_given_what_its_command_line_says(
    project: Path, gateway: GatewayProcess, pool: str
) -> None:
    words = ["-A", "proj", "worker", "-P", pool, "--enable-my-option", "--size", "5", "-c", "1", "-Z", "other"]
    worker = Running([*CARAWAY, *words], project)
    try:
        worker.wait_for_line(" ready.")
        app = Caraway("caller", target=gateway.target)
        told: dict[str, Any] = app.send_task("proj.told", queue="user-options").get(timeout=30)
        app.close()
    finally:
        worker.stop()
    values = {"enable_my_option": True, "size": 5, "template": "other"}
    assert told == {"preload": ["proj", {"template": "other"}], "init": [True, 5, values], "worker": 5}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cocurrency", "4"], "No such option '--cocurrency'. Did you mean '--concurrency'?"),
        (["--sise", "4"], "No such option '--sise'. Did you mean '--size'?"),
        (["--size", "many"], "Invalid value for '--size': 'many' is not a valid integer."),
        (["--size", "4", "stray"], "Got unexpected extra argument (stray)"),
    ],
)
def test_what_is_no_option_of_worker_or_app_is_told_before_anything_starts(
    project: Path, words: list[str], said: str
) -> None:
    ended = run(project, "worker", "-A", "proj", *words)
    assert (ended.returncode, said in ended.stderr, ended.stdout) == (2, True, ""), ended.stderr


def test_an_option_that_is_to_be_there_is_missed(project: Path) -> None:
    with (project / "proj.py").open("a") as file:
        file.write('\napp.user_options["worker"].add(Option(["--tenant"], required=True))\n')
    ended = run(project, "worker", "-A", "proj", "-c", "1")
    assert (ended.returncode, "Missing option '--tenant'" in ended.stderr) == (1, True), ended.stderr


def test_the_help_has_them(project: Path) -> None:
    said = run(project, "-A", "proj", "worker", "--help").stdout
    assert all(words in said for words in ("Enables mine.", "Template to use.", "--concurrency"))
    assert "Enables mine." not in run(project, "worker", "--help").stdout
    said = run(project, "-A", "proj", "report", "--help").stdout
    assert ("Template to use." in said, "Enables mine." in said) == (True, False)


def test_all_commands_take_those_of_preload(project: Path) -> None:
    ended = run(project, "-A", "proj", "list", "--json", "--template", "other")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[0]) == {"preload": ["proj", {"template": "other"}]}
    ended = run(project, "list", "--template", "other")
    assert (ended.returncode, "No such option '--template'" in ended.stderr) == (2, True)
