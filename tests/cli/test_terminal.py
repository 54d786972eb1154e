"""What is for those who sit at a terminal: bars, a shell, completion; and many tasks from one file."""

import json
import os
import pty
import subprocess
import sys
import termios
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest
from click.testing import CliRunner

from caraway import Caraway
from caraway.cli import main
from support.gateway import GatewayProcess
from support.processes import CARAWAY

Run = Callable[..., click.testing.Result]
Read = Callable[..., list[Any]]
BUILTIN = sorted(Caraway("any").tasks)


@pytest.fixture
def queue() -> str:
    """A queue of the test's own, which no worker serves."""
    return f"cli-{uuid.uuid4().hex}"


def test_many_tasks_are_submitted_from_a_file(run: Run, read: Read, queue: str, tmp_path: Path) -> None:
    lines = [f"[{number}]" for number in range(120)]
    lines += ["", '{"args": [1], "kwargs": {"y": 2}, "task_id": "' + queue + '"}']
    (tmp_path / "calls").write_text("\n".join(lines))
    ended = run("call", "some.task", "--queue", queue, "--many", str(tmp_path / "calls"))
    assert ended.exit_code == 0
    ids = ended.stdout.splitlines()
    assert len(set(ids)) == 121
    assert ids[-1] == queue
    words = ("list", "--state", "queued", "--queue", queue)
    assert {task["task_id"] for task in read(*words, "--all")} == set(ids)
    assert (read("status", queue)[0]["args"], read("status", queue)[0]["kwargs"]) == ("[1]", '{"y": 2}')
    piped = run("call", "some.task", "--queue", queue, "--many", "-", "--json", answer="[7]\n")
    assert read("status", json.loads(piped.stdout)["task_id"])[0]["args"] == "[7]"


def test_lines_beyond_a_message_are_several_calls(run: Run, read: Read, queue: str) -> None:
    lines = "\n".join(json.dumps(["x" * 1_500_000]) for _ in range(3))
    ended = run("call", "some.task", "--queue", queue, "--many", "-", answer=lines)
    assert ended.exit_code == 0, ended.output
    assert {task["task_id"] for task in read("list", "--queue", queue)} == set(ended.stdout.splitlines())


def test_one_that_is_refused_leaves_the_others(run: Run, queue: str, tmp_path: Path) -> None:
    (tmp_path / "calls").write_text('[1]\n{"args": [2], "task_id": "' + queue + '"}\n')
    run("call", "other.task", "--queue", queue, "--task-id", queue)
    ended = run("call", "some.task", "--queue", queue, "--many", str(tmp_path / "calls"))
    assert ended.exit_code == 1
    assert len(ended.stdout.splitlines()) == 1
    assert queue in ended.stderr


@pytest.mark.parametrize("line", ["[1", "5", '{"arg": [1]}', '{"args": 1}', '{"task_id": 1}'])
def test_a_wrong_line_lets_nothing_be_sent(run: Run, read: Read, queue: str, tmp_path: Path, line: str) -> None:
    (tmp_path / "calls").write_text(f"[1]\n{line}\n")
    ended = run("call", "some.task", "--queue", queue, "--many", str(tmp_path / "calls"))
    assert ended.exit_code == 2
    assert "line 2" in ended.output
    assert read("list", "--state", "queued", "--queue", queue) == []


def on_terminal(*words: str, target: str) -> tuple[str, str]:
    """Runs a command whose stderr is a terminal and whose stdout is none; gives both."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.run(
            [*CARAWAY, *words], stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=60, check=True,
            env={**os.environ, "CARAWAY_TARGET": target, "TERM": "xterm", "COLUMNS": "120"},
        )  # fmt: skip
        os.close(theirs)
        theirs = -1
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # so a terminal ends on Linux
                break
            if not part:
                break
            shown += part
        return process.stdout, shown.decode()
    finally:
        for end in (ours, theirs):
            if end >= 0:
                os.close(end)


def test_what_takes_long_has_a_bar_on_a_terminal_only(run: Run, gateway: GatewayProcess, queue: str) -> None:
    ids = [run("call", "some.task", "--queue", queue).stdout.strip() for _ in range(3)]
    said, shown = on_terminal("list", "--state", "queued", "--queue", queue, "--all", "--json", target=gateway.target)
    assert len(said.splitlines()) == 3
    assert "listing" in shown
    said, shown = on_terminal("purge", queue, "--yes", target=gateway.target)
    assert said == "3 tasks were revoked\n"
    assert f"purging {queue}" in shown
    said, shown = on_terminal("delete", *ids, target=gateway.target)
    assert "3/3" in shown
    quiet = run("delete", *ids)
    assert quiet.stderr == ""


def test_a_shell_knows_the_app_and_its_tasks(gateway: GatewayProcess) -> None:
    typed = (
        "print(add.name, sorted(tasks), app.target)\n"
        "print(app.send_task('cli.add', (1, 2), queue='cli-shell').id == 'x')\n"
        "print(AsyncResult, Signature, *map(str, ['itself']))\n"
    )
    folder = Path(__file__).parents[1]
    ended = subprocess.run(
        [*CARAWAY, "shell", "-A", "cli.sample", "--python", "--target", gateway.target],
        input=typed, capture_output=True, text=True, timeout=60, cwd=folder, check=True,
    )  # fmt: skip
    assert f"cli.add {[*BUILTIN, 'cli.add', 'cli.fail', 'cli.wait_for']} {gateway.target}" in ended.stdout
    assert "False" in ended.stdout
    assert "caraway.async_result.AsyncResult" in ended.stdout
    assert "itself" in ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", [["--ipython"], []], ids=["asked for", "by default"])
def test_a_shell_in_ipython(gateway: GatewayProcess, tmp_path: Path, words: list[str]) -> None:
    typed = "get_ipython().__class__.__name__\nadd.name, app.target\nadd.s(1, 2)\n"
    ended = subprocess.run(
        [*CARAWAY, "shell", "-A", "cli.sample", *words, "--target", gateway.target],
        input=typed, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[1], check=True,
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
    )  # fmt: skip
    assert "InteractiveShell" in ended.stdout
    assert f"('cli.add', '{gateway.target}')" in ended.stdout
    assert "cli.add(1, 2)" in ended.stdout


def test_a_shell_in_bpython(gateway: GatewayProcess, tmp_path: Path) -> None:
    """It draws a screen, so it is given a terminal, and the answers of one."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    process = subprocess.Popen(
        [*CARAWAY, "shell", "-A", "cli.sample", "--bpython", "--target", gateway.target],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=Path(__file__).parents[1], start_new_session=True,
        env={**os.environ, "TERM": "xterm", "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    typed = [b"app.target, add.name\r", b"\x04"]
    try:
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # so a terminal ends on Linux
                break
            shown += part
            for _ in range(part.count(b"\x1b[6n")):
                os.write(ours, b"\x1b[1;1R")  # where the cursor is
            if typed and (b">>>" in part or b"'cli.add'" in part):
                os.write(ours, typed.pop(0))
        assert process.wait(30) == 0, shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert f"'{gateway.target}'" in shown.decode()


@pytest.mark.parametrize("kind", ["ipython", "bpython"])
def test_a_shell_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    ended = CliRunner().invoke(main, ["shell", f"--{kind}"])
    assert ended.exit_code == 2
    assert f"is not installed: pip install {kind}, or --python" in ended.output


def test_a_shell_without_tasks_or_app() -> None:
    ended = subprocess.run(
        [*CARAWAY, "shell", "--python", "-T"], input="print(len(tasks), app)\n", capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert f"{len(BUILTIN)} <Caraway shell>" in ended.stdout


def test_an_app_that_is_not_there_is_told() -> None:
    ended = CliRunner().invoke(main, ["shell", "-A", "no_such_app"])
    assert ended.exit_code == 1
    assert "Error: there is no module 'no_such_app'" in ended.output


def test_bash_completes_commands_options_and_choices() -> None:
    """The script is evaluated and its function called, as bash does at a press of the tab key."""
    program = """
        eval "$(caraway completion bash)"
        complete_words() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _caraway_completion caraway "${COMP_WORDS[COMP_CWORD]}" ""
            echo "${COMPREPLY[@]}"
        }
        complete_words caraway qu
        complete_words caraway queues pa
        complete_words caraway worker --soft-t
        complete_words caraway worker -P asy
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-c", program],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.splitlines() == ["queues", "pause", "--soft-time-limit", "asyncio"], ended.stderr


@pytest.mark.parametrize(("shell", "words"), [("zsh", "#compdef caraway"), ("fish", "complete --no-files --command")])
def test_other_shells_have_a_script_too(shell: str, words: str) -> None:
    ended = CliRunner().invoke(main, ["completion", shell])
    assert ended.exit_code == 0
    assert words in ended.stdout
