"""`caraway control`: has workers run a command, of their own or of the app."""

from datetime import timedelta

import click

from caraway.commands.asking import APP_TIMEOUT, Answers, choose, conclude, read_arguments, show_answers
from caraway.commands.connection import Session, operator_command
from caraway.commands.settings_options import Duration

__all__ = ["control_command"]


@operator_command("control")
@click.argument("command")
@click.argument("arguments", nargs=-1, metavar="[VALUE|NAME=VALUE]...")
@click.option("-d", "--destination", "wanted", multiple=True, help="Only this worker, by name or id; may be repeated.")
@click.option(
    "-t", "--timeout", metavar="DURATION", type=Duration(), default=APP_TIMEOUT, show_default=True,
    help="How long workers are waited for.",
)  # fmt: skip
def control_command(
    session: Session, command: str, arguments: tuple[str, ...], wanted: tuple[str, ...], timeout: timedelta
) -> None:
    """Have workers run a command, and show what each answers.

    Workers know ping, stats, conf, report and shutdown, and the commands of their app (docs/extending.md), which take
    values by their place, too. The VALUE of a NAME is JSON, and text where it is none.

    Exit code 1 where no worker is there, or not the one that is named, or one is silent or answers with an error.
    """
    workers, missing = choose(session, wanted)
    answers = show_answers(session, command, read_arguments(arguments), workers, timeout) if workers else Answers()
    conclude(session, workers, missing, answers)
