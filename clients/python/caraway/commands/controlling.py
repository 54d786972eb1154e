"""`caraway control`: has workers run a command, of their own or of the app."""

import json
from datetime import timedelta
from typing import Any

import click

from caraway.commands.asking import choose, conclude, show_answers
from caraway.commands.connection import Session, operator_command
from caraway.commands.settings_options import Duration

__all__ = ["control_command"]


@operator_command("control")
@click.argument("command")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("-d", "--destination", "wanted", multiple=True, help="Only this worker, by name or id; may be repeated.")
@click.option(
    "-t", "--timeout", metavar="DURATION", type=Duration(), default="1s", show_default=True,
    help="How long workers are waited for.",
)  # fmt: skip
def control_command(
    session: Session, command: str, arguments: tuple[str, ...], wanted: tuple[str, ...], timeout: timedelta
) -> None:
    """Have workers run a command, and show what each answers.

    Workers know ping, stats, conf, report and shutdown, and the commands of their app (docs/extending.md). A VALUE is
    JSON, and text where it is none.

    Exit code 1 where no worker is there, or not the one that is named, or one is silent.
    """
    named = dict(_read(argument) for argument in arguments)
    workers, missing = choose(session, wanted)
    silent = show_answers(session, command, named, workers, timeout) if workers else 0
    conclude(session, workers, missing, silent)


def _read(argument: str) -> tuple[str, Any]:
    name, sign, value = argument.partition("=")
    if not sign or not name:
        raise click.UsageError(f"arguments are written NAME=VALUE, and {argument!r} is not")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
