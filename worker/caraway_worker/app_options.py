"""Options of the app's own among those of `caraway worker` (`app.user_options`).

The worker's main process runs no code of the app, so it does not know them: what it does not know of a command line is
checked in a process of its own, which ends then, and is read by each child.
"""

import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from caraway import user_options
from caraway.exceptions import ImproperlyConfigured
from caraway.loader import find_app

_GIVEN: Final = "caraway.arguments"


class WithAppOptions(click.Command):
    """Leaves what it does not know in the context's `args`; its help lists the app's options, where -A names one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line."""
        ctx.meta[_GIVEN] = given = list(args)
        helps = set(self.get_help_option_names(ctx))
        if helps & set(given) and not ctx.resilient_parsing:
            others = [word for word in given if word not in helps]
            app = self.make_context(None, others, resilient_parsing=True).params.get("setting_app")
            if app:
                ctx.exit(_checked(app, given))
        return super().parse_args(ctx, args)


def check(app: str, ctx: click.Context) -> None:
    """Have the whole command line checked, where there is in it what the worker does not know. Ends what is wrong."""
    if ctx.args:
        code = _checked(app, ctx.meta[_GIVEN])
        if code:
            ctx.exit(code)


def _checked(app: str, arguments: Sequence[str]) -> int:
    program = "from caraway_worker.app_options import main; main()"
    return subprocess.run([sys.executable, "-c", program, app, *arguments], check=False).returncode


def main() -> None:
    """Read a command line as the app has it: `sys.argv` names the app, then what `caraway worker` was given."""
    # Here and not above: the command is made of what is above.
    from caraway_worker.cli import worker  # noqa: PLC0415

    name, *arguments = sys.argv[1:]
    whole = click.Command(
        "worker",
        params=[*worker.params, *_own(name)],
        help=worker.help,
        callback=_nothing,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    whole.main(arguments, prog_name="caraway worker")


def _own(name: str) -> list[click.Parameter]:
    try:
        return user_options.of_command(find_app(name), "worker")
    except ImproperlyConfigured as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


def _nothing(**_values: Any) -> None:
    """Read it, and no more."""
