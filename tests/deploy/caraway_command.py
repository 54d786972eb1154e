"""Parses a `caraway ...` command line with the command's own parser, and runs nothing."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import click

from caraway.cli import main
from caraway.settings import load
from caraway_server.settings import Settings as ServerSettings
from caraway_worker.settings import Settings as WorkerSettings

SETTINGS: dict[str, type[Any]] = {"server": ServerSettings, "worker": WorkerSettings}
PREFIX = "setting_"


def parse(arguments: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The subcommand and its options and settings, by their Python names; the error with which it would refuse them."""
    name, *rest = arguments
    group = click.Context(main, info_name="caraway")
    command = main.get_command(group, name)
    assert command is not None, f"there is no command caraway {name}"
    context = command.make_context(name, rest, parent=group)
    assert not context.args, f"what is {context.args} in caraway {' '.join(arguments)}?"
    options = {key: value for key, value in context.params.items() if not key.startswith(PREFIX)}
    flags = {key.removeprefix(PREFIX): value for key, value in context.params.items() if key.startswith(PREFIX)}
    if name in SETTINGS:
        settings = load(SETTINGS[name], flags, environ={}).settings
        options |= {field.name: getattr(settings, field.name) for field in fields(settings)}
    return name, options
