"""Small projects as users of Celery write them (projects/): what is told of each, and what --fix makes of it."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click.testing
import pytest
from click.testing import CliRunner

from caraway.cli import main
from support.gateway import GatewayProcess
from support.worker import WorkerProcess

PROJECTS = Path(__file__).with_name("projects")
Told = set[tuple[str, int, str, str]]


def check(*words: str) -> click.testing.Result:
    ended = CliRunner().invoke(main, ["migrate-check", *words])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.output
    return ended


def told(folder: Path, *words: str) -> Told:
    """File, line, level and name of each finding."""
    found = [json.loads(line) for line in check(str(folder), "--json", *words).stdout.splitlines()]
    return {(Path(row["path"]).name, row["line"], row["level"], row["name"]) for row in found}


@pytest.fixture(params=["orders", "blog", "odd"])
def copied(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    shutil.copytree(PROJECTS / request.param, tmp_path / request.param)
    return tmp_path / request.param


def test_what_is_told_of_a_program() -> None:
    found = told(PROJECTS / "orders")
    assert {
        ("app.py", 3, "must change", "from celery import Celery"),
        ("app.py", 5, "must change", "broker="),
        ("app.py", 5, "unneeded", "backend="),
        ("app.py", 9, "unneeded", "worker_prefetch_multiplier"),
        ("celeryconfig.py", 3, "unneeded", "broker_transport_options"),
        ("tasks.py", 1, "must change", "import celery"),
        ("tasks.py", 5, "must change", "from celery import group"),
        ("tasks.py", 26, "means something else", "priority="),
        ("tasks.py", 36, "means something else", "AsyncResult"),
        ("Procfile", 1, "must change", "celery worker"),
        ("Procfile", 1, "unneeded", "celery worker --without-gossip"),
        ("requirements.txt", 1, "must change", "celery"),
    } <= found
    assert not {name for _, _, _, name in found} & {"own_setting", "max_retries=", "name="}
    assert not any(file == "Procfile" and line == 2 for file, line, _, _ in found)
    # Its settings say task_acks_late: its author has thought of it.
    assert not any(name in ("price", "total", "refuse") for _, _, _, name in found)


def test_what_is_told_of_a_django_project() -> None:
    found = told(PROJECTS / "blog")
    assert {
        ("settings.py", 2, "must change", "BROKER_URL"),
        ("settings.py", 3, "unneeded", "RESULT_BACKEND"),
        ("tasks.py", 4, "must change", "from celery.schedules import crontab"),
        ("tasks.py", 10, "must change", "rate_limit="),
        ("tasks.py", 16, "must change", "eta="),
        ("tasks.py", 19, "means something else", "eta="),
        ("tasks.py", 19, "must change", "routing_key="),
    } <= found
    assert not any(file == "tasks.py" and line in (17, 18) for file, line, _, _ in found)
    assert not any(name == "EMAIL_HOST" for _, _, _, name in found)


def test_late_acknowledgement_is_told_of_each_task(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(
        "from celery import shared_task\n"
        "@shared_task\ndef a(): pass\n"
        "@app.task(acks_late=False)\ndef b(): pass\n"
        "@app.task(**options)\ndef c(): pass\n"
        "@app.task()\nasync def d(): pass\n"
    )
    assert {(line, name) for _, line, level, name in told(tmp_path) if level == "means something else"} == {
        (2, "a"),
        (8, "d"),
    }


def test_other_frameworks_tasks_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(
        "from caraway import Caraway\nbees = Caraway('b')\n"
        "@bees.task\ndef a(): pass\n"
        "@huey.task()\ndef b(): pass\n"
        "@task\ndef c(): pass\n"
    )
    assert {name for _, _, _, name in told(tmp_path)} == {"a"}


def test_people_are_given_lines_that_editors_jump_to_and_a_count() -> None:
    ended = check(str(PROJECTS / "blog"))
    assert ended.exit_code == 1
    assert f"{PROJECTS}/blog/blog/tasks.py:16:37: must change: eta=: this instant carries no time zone" in ended.stdout
    assert ended.stderr.startswith("4 files: ")
    assert "must change" in ended.stderr


def test_nothing_to_change_is_exit_code_0(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("from caraway import Caraway\napp = Caraway('a')\n@app.task\ndef f(): pass\n")
    ended = check(str(tmp_path / "tasks.py"))
    assert ended.exit_code == 0
    assert "means something else: f: acknowledged late" in ended.stdout


def test_what_is_no_python_is_told_and_the_rest_is_checked() -> None:
    found = told(PROJECTS / "odd")
    assert ("ancient.py", 1, "must change", "ancient.py") in found
    assert ("asnames.py", 4, "must change", "from kombu import") in found
    assert ("asnames.py", 7, "must change", "'celery.app.trace'") in found


def test_other_peoples_folders_are_not_read(tmp_path: Path) -> None:
    for folder in (".git", "node_modules", "x/__pycache__", "their-env"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.py").write_text("import celery")
    (tmp_path / "their-env" / "pyvenv.cfg").touch()
    assert told(tmp_path) == set()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "grpc://h:1"], "--target is for --fix"),
        (["--fix", "--target", "h:1"], "--target is to be grpc://HOST:PORT"),
    ],
)
def test_wrong_usage(words: list[str], said: str, tmp_path: Path) -> None:
    ended = check(str(tmp_path), *words)
    assert (ended.exit_code, said in ended.output) == (2, True)


# Rewriting


def test_rewriting_keeps_all_else(copied: Path) -> None:
    before = {path: path.read_text() for path in copied.rglob("*.py")}
    fixed = {(file, line) for file, line, level, _ in told(copied, "--fix") if level == "fixed"}
    for path, old in before.items():
        lines = zip(old.splitlines(), path.read_text().splitlines(), strict=True)
        changed = [number for number, (one, other) in enumerate(lines, start=1) if one != other]
        assert {(path.name, number) for number in changed} == {each for each in fixed if each[0] == path.name}
        if path.name != "ancient.py":
            ast.parse(path.read_text())
    assert {level for _, _, level, _ in told(copied, "--fix")} & {"fixed"} == set()


def test_the_form_of_a_file_is_kept(tmp_path: Path) -> None:
    text = "\ufeffimport os\r\n\x0c\r\nfrom celery import chain  # \u2028\r\nfrom celery.result import AsyncResult\r\n"
    (tmp_path / "program.py").write_bytes(text.encode())
    check(str(tmp_path), "--fix")
    assert (tmp_path / "program.py").read_bytes().decode() == text.replace("celery", "caraway")


def test_what_is_not_certain_is_left(tmp_path: Path) -> None:
    shutil.copytree(PROJECTS / "odd", tmp_path / "odd")
    check(str(tmp_path / "odd"), "--fix")
    assert (tmp_path / "odd" / "rebound.py").read_text() == (
        "import caraway as celery\n"
        "from celery import *\n"
        "from celery.bin import worker\n"
        "\n"
        "chain = celery.chain\n"
        "celery = None\n"
    )
    assert (tmp_path / "odd" / "asnames.py").read_text() == (
        "import caraway as c, json  # noqa\n"
        "from celery \\\n"
        "    .exceptions import Retry\n"
        "from kombu import Queue\n"
        "import caraway.states as states, caraway.canvas\n"
        "\n"
        'LOGGER = "celery.app.trace"\n'
        'ä, used = "ä", caraway.canvas.chain, c.group  # the columns of what comes after ä count bytes\n'
    )


def test_a_rewritten_program_runs(gateway: GatewayProcess, tmp_path: Path) -> None:
    shutil.copytree(PROJECTS / "orders", tmp_path / "orders")
    project = tmp_path / "orders"
    left = told(project, "--fix", "--target", f"grpc://{gateway.target}")
    # What is left to change by hand is what starts it.
    assert {file for file, _, level, _ in left if level == "must change"} == {"Procfile", "requirements.txt"}
    env = {"PYTHONPATH": str(project), "CARAWAY_TARGET": ""}
    worker = WorkerProcess(gateway.target, "orders.app", "-Q", "orders", "-c", "2", env=env)
    try:
        worker.ready()
        ended = subprocess.run(
            [sys.executable, "place.py"], cwd=project, env={**os.environ, **env}, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert ended.stdout == "total 10 SUCCESS SUCCESS\n", ended.stderr
    finally:
        worker.stop()
