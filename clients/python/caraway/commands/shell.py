"""`caraway shell`."""

import code
import importlib.metadata
import importlib.util
import os
import sys
from typing import Any

import click

import caraway
from caraway import canvas
from caraway.app import Caraway
from caraway.commands.settings_options import with_settings
from caraway.exceptions import AppNotFound
from caraway.loader import find_app
from caraway.result import AsyncResult
from caraway.settings import ClientSettings, environment_of

__all__ = ["shell_command"]


@click.command("shell")
@click.option("-A", "--app", metavar="APP", help="As for `caraway worker`; default: an app without tasks.")
@click.option("-T", "--without-tasks", is_flag=True, help="Leave the tasks' own names out.")
@click.option("--ipython", "wanted", flag_value="ipython", help="In IPython. Default: where it is installed.")
@click.option("--python", "wanted", flag_value="python", help="In Python's own interpreter.")
@with_settings(ClientSettings)
def shell_command(settings: ClientSettings, app: str | None, without_tasks: bool, wanted: str | None) -> None:
    """Open a Python shell with `app`, its tasks by their functions' names, and what calling them needs."""
    there = importlib.util.find_spec("IPython") is not None
    if wanted == "ipython" and not there:
        raise click.UsageError("IPython is not installed: pip install ipython, or --python")
    # For the app, unless it names its own.
    os.environ.update(environment_of(settings))
    try:
        found = find_app(app) if app else Caraway("shell")
    except AppNotFound as error:
        raise click.ClickException(str(error)) from error
    names = _names(found, without_tasks)
    version = importlib.metadata.version("caraway")
    head = f"Caraway {version}, Python {sys.version.split()[0]}, gateway {names['app'].target}"
    if there and wanted != "python":
        # Here and not above: it may not be there.
        from IPython import start_ipython  # noqa: PLC0415

        click.echo(head)
        start_ipython(argv=["--no-banner"], user_ns=names)
        return
    code.interact(f"{head}\nNames: {', '.join(sorted(names))}", local=names, exitmsg="")


def _names(app: Caraway, without_tasks: bool) -> dict[str, Any]:
    names: dict[str, Any] = {name: getattr(canvas, name) for name in canvas.__all__}
    names |= {"AsyncResult": AsyncResult, "caraway": caraway}
    if not without_tasks:
        names |= {task.name.rpartition(".")[2]: task for task in app.tasks.values()}
    return names | {"app": app, "tasks": app.tasks}
