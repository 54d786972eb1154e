"""Options that an app adds to the command line, by `app.user_options`: a set of click options for each command.

app.user_options["worker"].add(click.Option(["--enable-cache"], is_flag=True))
app.user_options["preload"].add(click.Option(["--template"], default="default"))  # of all commands
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any, Final

import click

from caraway.signals import user_preload_options

__all__ = ["PRELOAD", "of_command", "read", "with_preload"]

PRELOAD: Final = "preload"
"""The key of options that all commands take."""


def of_command(app: Any, command: str) -> list[click.Parameter]:
    """List the options that a command of this app has beside its own."""
    return [option for key in (PRELOAD, command) for option in _sorted(app, key)]


def _sorted(app: Any, key: str) -> list[click.Parameter]:
    return sorted(app.user_options.get(key, ()), key=lambda option: str(option.name))


def read(app: Any, command: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Read a command's arguments beside its own; receivers of user_preload_options are called with those of preload.

    Returns all values by their options' names. Raises click.UsageError for what is no such option.
    """
    options = of_command(app, command)
    if not options and not arguments:
        return {}
    reader = click.Command(command, params=options, add_help_option=False)
    values = dict(reader.make_context(f"caraway {command}", [*arguments]).params)
    _tell(app, values, reader)
    return values


def with_preload(app: Any, command: click.Command) -> click.Command:
    """Give a command the options that all commands of the app take; it is itself where there are none."""
    options = _sorted(app, PRELOAD)
    if not options:
        return command
    extended = copy.copy(command)
    extended.params = [*command.params, *options]
    extended.callback = _consuming(app, command.callback)
    return extended


def _consuming(app: Any, callback: Callable[..., Any] | None) -> Callable[..., Any]:
    def call(*args: Any, **values: Any) -> Any:
        for name in _tell(app, values, callback):
            del values[name]
        return None if callback is None else callback(*args, **values)

    return call


def _tell(app: Any, values: dict[str, Any], sender: Any) -> list[str]:
    names = [str(option.name) for option in _sorted(app, PRELOAD)]
    if names:
        user_preload_options.send(sender=sender, app=app, options={name: values[name] for name in names})
    return names
