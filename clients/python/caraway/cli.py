"""The command `caraway`: the operator's subcommands, and those of others (server, worker) by the entry point group
caraway.commands.
"""

import importlib
import importlib.metadata
from typing import Final

import click

from caraway.app.command_line import names_app
from caraway.loader import find_app

__all__ = ["main"]

_ENTRY_POINTS: Final = "caraway.commands"

_OWN: Final = {
    "call": "submitting",
    "completion": "completion",
    "config": "configuration",
    "control": "controlling",
    "count": "listing",
    "delete": "tasks",
    "info": "server",
    "inspect": "inspecting",
    "list": "listing",
    "migrate-check": "migrating",
    "purge": "queues",
    "queues": "queues",
    "report": "reporting",
    "result": "reading",
    "retry": "retrying",
    "revoke": "tasks",
    "shell": "shell",
    "status": "reading",
    "version": "server",
    "watch": "watching",
    "workers": "workers",
    "workflows": "workflows",
}
"""The operator's subcommands, and the modules of caraway.commands that hold them."""


_OF_NO_APP: Final = frozenset({"completion", "dev", "server", "version", "worker"})
"""Commands that load no app: of the worker, its children do."""


class _Commands(click.Group):
    """Loads a subcommand when it is asked for, so that one never pays for another's imports or falls with it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*_OWN, *importlib.metadata.entry_points(group=_ENTRY_POINTS).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _OWN:
            module = importlib.import_module(f"caraway.commands.{_OWN[cmd_name]}")
            found: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
            return found
        for entry_point in importlib.metadata.entry_points(group=_ENTRY_POINTS, name=cmd_name):
            try:
                loaded = entry_point.load()
            except ModuleNotFoundError as error:
                return _broken(cmd_name, entry_point, _missing(entry_point, error))
            except Exception as error:
                return _broken(cmd_name, entry_point, f"{type(error).__name__}: {error}")
            if not isinstance(loaded, click.Command):
                return _broken(cmd_name, entry_point, "it is no click command")
            return loaded
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Hand -A on to a command that takes it; others ask the gateway of that app (`with_settings`)."""
        name, command, rest = super().resolve_command(ctx, args)
        app = ctx.params.get("app")
        if command is not None and app and name not in _OF_NO_APP:
            command = _extended(command, app)
        takes = command is not None and any("-A" in option.opts for option in command.params)
        return name, command, ["-A", app, *rest] if app and takes and not names_app(rest) else rest


def _extended(command: click.Command, name: str) -> click.Command:
    """Give a command what the app adds to all; an app that can't be loaded is told of by the command."""
    try:
        app = find_app(name)
    except Exception:
        return command
    if not app.user_options:
        return command
    # Here and not above: few apps have any.
    from caraway.user_options import with_preload  # noqa: PLC0415

    return with_preload(app, command)


def _missing(entry_point: importlib.metadata.EntryPoint, error: ModuleNotFoundError) -> str:
    """Say what to install: an entry point names the extras that it needs."""
    why = f"ModuleNotFoundError: {error}"
    if entry_point.dist is None or not entry_point.extras:
        return why
    wanted = f"{entry_point.dist.name}[{','.join(entry_point.extras)}]"
    return f"{why}; install what it needs: pip install '{wanted}'"


def _broken(name: str, entry_point: importlib.metadata.EntryPoint, why: str) -> click.Command:
    """Stand in for a subcommand that can't be loaded: listed with the reason, and failing with it."""
    package = entry_point.dist.name if entry_point.dist is not None else "an unknown package"
    text = f"'{name}' can't be loaded from {entry_point.value} ({package}): {why}"

    def fail(arguments: tuple[str, ...]) -> None:
        raise click.ClickException(text)

    return click.Command(
        name,
        callback=fail,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
        help=text,
        short_help=f"(broken) {why}",
    )


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(importlib.metadata.version("caraway"), "--version", "-V", prog_name="caraway")
@click.option("-A", "--app", metavar="APP", help="The app, for the commands that take one; others ask its gateway.")
def main(app: str | None) -> None:
    """Caraway runs tasks: submit them from any language, keep them in Redis, run them on workers."""
