"""Parses a `caraway ...` command line with the command's own parser, and runs nothing."""

from collections.abc import Sequence
from typing import Any

import click

from caraway.cli import main


def parse(arguments: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The subcommand and its options, by their Python names; click's own error where it would be refused."""
    name, *rest = arguments
    group = click.Context(main, info_name="caraway")
    command = main.get_command(group, name)
    assert command is not None, f"there is no command caraway {name}"
    context = command.make_context(name, rest, parent=group)
    assert not context.args, f"what is {context.args} in caraway {' '.join(arguments)}?"
    return name, context.params
