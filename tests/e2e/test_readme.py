"""What README.md tells a newcomer to type works as it stands there."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.test_by_hand import Caller
from support.gateway import GatewayProcess
from support.pages import CHECKOUT, Page
from support.processes import CARAWAY, Running

README = Page("README.md")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A newcomer's folder with the files of the tour."""
    README.write_files(tmp_path)
    return tmp_path


def test_tour(folder: Path, gateways: Callable[..., GatewayProcess]) -> None:
    gateway = gateways()
    (command,) = README.commands(".venv/bin/caraway worker")
    worker = Running([*CARAWAY, *shlex.split(command)[1:]], cwd=folder, env={"CARAWAY_TARGET": gateway.target})
    try:
        worker.wait_for_line(" ready.")
        client = subprocess.run(
            [sys.executable, "-W", "error", "client.py"], cwd=folder, env={"CARAWAY_TARGET": gateway.target},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert client.returncode == 0, client.stderr
        assert client.stdout.splitlines()[-1] == "revoked"
        _by_hand(gateway)
    finally:
        worker.stop()


def _by_hand(gateway: GatewayProcess) -> None:
    """grpcurl may not be here: the same message goes the same way, known from reflection alone."""
    (command,) = README.commands("grpcurl")
    _, plain, _, message, _target, method = shlex.split(command)
    assert (plain, method.rpartition("/")[0]) == ("-plaintext", "caraway.v1.TaskService")
    with gateway.channel() as channel:
        answer = Caller(channel).call(method.rpartition("/")[2], message)
    assert json.loads(answer["task"]["result"]["json"]) == 4


@pytest.mark.parametrize("command", README.commands(".venv/bin/caraway"))
def test_commands_have_the_options_that_are_shown(command: str) -> None:
    words = shlex.split(command)[1:]
    shown = subprocess.run(
        [*CARAWAY, words[0], "--help"], capture_output=True, text=True, timeout=30, check=True
    ).stdout
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){option}\b", shown), option


@pytest.mark.parametrize("command", README.commands("make"))
def test_targets_exist(command: str) -> None:
    targets = subprocess.run(["make", "help"], cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=True)
    assert re.search(rf"^  {shlex.split(command)[1]} ", targets.stdout, flags=re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\((?!#)([^)]+)\)|`(tests/[^`]+)`", README.text))))
def test_files_that_are_named_exist(path: tuple[str, str]) -> None:
    assert (CHECKOUT / "".join(path)).exists()
