"""`caraway shell`."""

import code
import contextlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import click

import caraway
from caraway import canvas
from caraway.app import Caraway
from caraway.async_result import AsyncResult
from caraway.commands.settings_options import with_settings
from caraway.exceptions import AppNotFound
from caraway.loader import find_app
from caraway.settings import DEFAULT, ClientSettings, Loaded, definitions, environment_of

__all__ = ["shell_command"]

_MODULES: Final = {"ipython": "IPython", "bpython": "bpython"}
"""Shells that may be installed, the one that is preferred first."""


@click.command("shell")
@click.option("-A", "--app", metavar="APP", help="As for `caraway worker`; default: an app without tasks.")
@click.option("-T", "--without-tasks", is_flag=True, help="Leave the tasks' own names out.")
@click.option("--ipython", "-I", "wanted", flag_value="ipython", help="In IPython.")
@click.option("--bpython", "-B", "wanted", flag_value="bpython", help="In bpython.")
@click.option("--python", "-P", "wanted", flag_value="python", help="In Python's own interpreter.")
@with_settings(ClientSettings, origins=True)
def shell_command(settings: Loaded[ClientSettings], app: str | None, without_tasks: bool, wanted: str | None) -> None:
    """Open a Python shell with `app`, its tasks by their functions' names, and what calling them needs.

    By default in IPython or bpython where one is installed.
    """
    kind = wanted or next((known for known, module in _MODULES.items() if _is_there(module)), "python")
    if kind in _MODULES and not _is_there(_MODULES[kind]):
        raise click.UsageError(f"{_MODULES[kind]} is not installed: pip install {kind}, or --python")
    # For the app, unless it names its own.
    os.environ.update(_named(settings))
    try:
        found = find_app(app) if app else Caraway("shell")
    except AppNotFound as error:
        raise click.ClickException(str(error)) from error
    found.import_default_modules()
    names = _names(found, without_tasks)
    version = importlib.metadata.version("caraway")
    head = f"Caraway {version}, Python {sys.version.split()[0]}, gateway {names['app'].target}"
    _SHELLS[kind](head, names)


def _named(loaded: Loaded[ClientSettings]) -> dict[str, str]:
    """What flags, environment and file say, as variables."""
    written = environment_of(loaded.settings)
    settings = definitions(ClientSettings)
    return {one.variable: written[one.variable] for one in settings if loaded.origins[one.field] != DEFAULT}


def _is_there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


# Each is imported where it is used, and not above: it may not be there.


def _ipython(head: str, names: dict[str, Any]) -> None:
    from IPython import start_ipython  # noqa: PLC0415

    click.echo(head)
    start_ipython(argv=["--no-banner"], user_ns=names)


def _bpython(head: str, names: dict[str, Any]) -> None:
    import bpython  # noqa: PLC0415

    bpython.embed(locals_=names, args=["--quiet"], banner=head)


def _python(head: str, names: dict[str, Any]) -> None:
    with contextlib.suppress(ImportError):
        # Completion by tab, and no more is needed: it is not there where Python was built without readline.
        import readline  # noqa: PLC0415
        import rlcompleter  # noqa: PLC0415

        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
    code.interact(f"{head}\nNames: {', '.join(sorted(names))}", local=names, exitmsg="")


_SHELLS: Final[dict[str, Callable[[str, dict[str, Any]], None]]] = {
    "ipython": _ipython,
    "bpython": _bpython,
    "python": _python,
}


def _names(app: Caraway, without_tasks: bool) -> dict[str, Any]:
    names: dict[str, Any] = {name: getattr(canvas, name) for name in canvas.__all__}
    names |= {"AsyncResult": AsyncResult, "Task": app.Task, "caraway": caraway}
    if not without_tasks:
        # Not those that every app has: one is called map.
        own = [task for name, task in app.tasks.items() if not name.startswith("caraway.")]
        names |= {task.name.rpartition(".")[2]: task for task in own}
    return names | {"app": app, "tasks": app.tasks}
