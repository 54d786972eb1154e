"""`caraway config`."""

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

import click

from caraway.app import Caraway
from caraway.commands.output import Output
from caraway.commands.reference import reference
from caraway.commands.settings_options import WrongSettings
from caraway.conf import OPTIONS
from caraway.exceptions import ImproperlyConfigured
from caraway.settings import InvalidSettings, Loaded, Problem, Unreadable, definitions, find_file, load
from caraway.settings.sections import sections

__all__ = ["config_command", "effective"]

_COLUMNS = ("setting", "value", "source")


def effective(loaded: Loaded[Any]) -> list[dict[str, str]]:
    """Give the settings of a section as they may be shown, with the source of each."""
    return [
        {
            "section": one.section,
            "setting": one.key,
            "value": one.show(getattr(loaded.settings, one.field)) or one.default_text,
            "source": loaded.origins[one.field],
        }
        for one in definitions(loaded.settings)
        if one.variable
    ]


def _check(module: str, namespace: str | None) -> None:
    """Read an app's settings as an app would; says what is set, and what is wrong with it."""
    sys.path.insert(0, os.getcwd())
    app = Caraway(set_as_current=False, namespace=namespace)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            app.config_from_object(module, force=True)
            _ = app.timezone
            problems = list(_problems_of_worker(app))
        except ImproperlyConfigured as error:
            problems = [str(error)]
        except Exception as error:  # what the module itself raises
            problems = [_place_of(error)]
    for warning in warned:
        click.echo(f"Warning: {warning.message}", err=True)
    if problems:
        raise click.ClickException("\n".join(f"{module}: {problem}" for problem in problems))
    click.echo(app.conf.humanize() or f"{module} sets nothing")


def _problems_of_worker(app: Caraway) -> Iterator[str]:
    """What a worker would not take; nothing, where none is installed."""
    kinds = {one.field: one.kind for one in definitions(sections()["worker"])} if "worker" in sections() else {}
    names = {option.worker: name for name, option in OPTIONS.items() if option.worker}
    for field, value in app.conf.of_worker().items():
        try:
            if field in kinds:
                kinds[field].read(value)
        except Unreadable as error:
            yield f"the setting {names[field]} can't be {value!r}: {error}"


def _place_of(error: Exception) -> str:
    """Where a module can't be read, or what it raised and where."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: SyntaxError: {error.msg}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}: {type(error).__name__}: {error}"


@click.command("config")
@click.argument("section", required=False, type=click.Choice(["client", "server", "worker"]))
@click.option("--config", metavar="FILE", help="Settings in TOML, as for every command.")
@click.option("--json", "as_json", is_flag=True, help="JSON: one object a line.")
@click.option("--check", "check", metavar="MODULE", help="Check a module of an app's settings instead.")
@click.option("--namespace", metavar="CELERY", help="With --check: what its settings begin with.")
@click.option("--reference", "as_reference", is_flag=True, help="Write docs/configuration.md instead.")
def config_command(
    section: str | None,
    config: str | None,
    as_json: bool,
    check: str | None,
    namespace: str | None,
    as_reference: bool,
) -> None:
    """Show the settings that would be in effect, and where each came from: environment, file or default.

    Passwords and other secrets are masked. What is wrong is told as the commands themselves would.
    """
    if as_reference:
        click.echo(reference(sections()), nl=False)
        return
    if check:
        _check(check, namespace)
        return
    out = Output(as_json)
    chosen = {name: made for name, made in sections().items() if section in (None, name)}
    if not chosen:
        raise click.ClickException(f"the {section} is not installed")
    rows: list[dict[str, str]] = []
    problems: list[Problem] = []
    for settings in chosen.values():
        try:
            rows += effective(load(settings, file=find_file(config), complete=False))
        except InvalidSettings as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise WrongSettings(InvalidSettings(problems))
    out.table(_COLUMNS if section else ("section", *_COLUMNS), rows)
