"""The command `caraway`: a group whose members come from plugins, of which a broken one breaks only itself."""

import importlib.metadata
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from caraway.cli import main

GROUP = "caraway.commands"


@click.command()
def fine() -> None:
    """Do something."""
    click.echo("done")


not_a_command = object()


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    own = importlib.metadata.EntryPoints(
        [
            importlib.metadata.EntryPoint("fine", f"{__name__}:fine", GROUP),
            importlib.metadata.EntryPoint("gone", "module_that_is_not_there:command", GROUP),
            importlib.metadata.EntryPoint("odd", f"{__name__}:not_a_command", GROUP),
        ]
    )
    monkeypatch.setitem(sys.modules, __name__, sys.modules[fine.callback.__module__])  # type: ignore[union-attr]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **wanted: own.select(**wanted))


def test_the_version() -> None:
    ended = CliRunner().invoke(main, ["--version"])
    assert (ended.exit_code, ended.output) == (0, f"caraway, version {importlib.metadata.version('caraway')}\n")


def test_a_plugin_s_command_runs() -> None:
    ended = CliRunner().invoke(main, ["fine"])
    assert (ended.exit_code, ended.output) == (0, "done\n")


def test_help_lists_all_and_names_the_broken() -> None:
    ended = CliRunner().invoke(main, ["--help"])
    assert ended.exit_code == 0
    assert "Do something." in ended.output
    assert "gone" in ended.output
    assert "(broken) ModuleNotFoundError" in ended.output


@pytest.mark.parametrize(
    ("name", "words"), [("gone", "No module named 'module_that_is_not_there'"), ("odd", "it is no click command")]
)
def test_a_broken_plugin_says_why_whatever_its_arguments(name: str, words: str) -> None:
    ended = CliRunner().invoke(main, [name, "--some", "argument"])
    assert ended.exit_code == 1
    assert f"'{name}' can't be loaded from" in ended.output
    assert words in ended.output


def test_an_unknown_command_is_refused() -> None:
    ended = CliRunner().invoke(main, ["nothing"])
    assert ended.exit_code == 2
    assert "nothing" in ended.output


def test_the_command_is_installed_and_loads_no_grpc_for_its_help() -> None:
    program = "import sys, caraway.cli; print('grpc' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout == "False\n"
