"""Settings as options of a command: the flags, `--config`, and one message for all that is wrong."""

import functools
import os
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from caraway.exceptions import ImproperlyConfigured
from caraway.loader import find_app
from caraway.settings import (
    CONFIG_VARIABLE,
    DURATION,
    ClientSettings,
    ConfigFile,
    Definition,
    InvalidSettings,
    Kind,
    Loaded,
    Unreadable,
    definitions,
    find_file,
    load,
)

__all__ = ["Duration", "WrongSettings", "with_settings"]

S = TypeVar("S")


class WrongSettings(click.UsageError):
    """All settings that are wrong, a line each."""

    def __init__(self, error: InvalidSettings) -> None:
        """`error` has them."""
        count = len(error.problems)
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        super().__init__(f"{'a setting is' if count == 1 else f'{count} settings are'} wrong:\n{lines}")


class _Raw(click.ParamType[Any]):
    """A value as it was typed: it is read, and judged, together with what environment and file say."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.name = kind.label.lower()

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Leave it as it is."""
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the choices, or files."""
        if self.kind.label == "PATH":
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(name) for name in self.kind.choices if name.startswith(incomplete)]


class Duration(click.ParamType[Any]):
    """A duration that is no setting, given as settings take theirs; not negative."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it."""
        try:
            duration = DURATION.read(value)
        except Unreadable as error:
            self.fail(f"{value!r}: {error}", param, ctx)
        if duration < timedelta(0):
            self.fail(f"{value!r}: write 0 or more", param, ctx)
        return duration


def with_settings(
    settings: type[S], *, only: Collection[str] | None = None, complete: bool = True, origins: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the flags of settings and `--config` to a command's function, which is called with `settings=`.

    Arguments: `only` names the fields that get flags, by default all; `complete` is that of `caraway.settings.load`;
    `origins`: the function takes the Loaded, which knows where each came from.
    """
    fields = [one for one in definitions(settings) if one.flags and (only is None or one.field in only)]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, config: str | None, **parameters: Any) -> Any:
            flags = {one.field: parameters.pop(f"setting_{one.field}") for one in fields}
            try:
                file = _file(config)
                loaded: Loaded[S] = load(
                    settings, _with_app(settings, flags, parameters.get("app")), file, complete=complete
                )
            except InvalidSettings as error:
                raise WrongSettings(error) from error
            return function(*args, settings=loaded if origins else loaded.settings, **parameters)

        decorated: Callable[..., Any] = run
        for option in [_CONFIG, *map(_option, reversed(fields))]:
            decorated = option(decorated)
        return decorated

    return decorate


def _with_app(settings: type, flags: Mapping[str, Any], app: str | None) -> Mapping[str, Any]:
    """Where `caraway -A`, or the command's own -A, names an app, its gateway is asked, unless flags say otherwise."""
    context = click.get_current_context(silent=True)
    name = app or (context.find_root().params.get("app") if context is not None else None)
    if settings is not ClientSettings or not name:
        return flags
    try:
        chosen = find_app(name).read_client_settings()
    except ImproperlyConfigured as error:
        raise click.ClickException(str(error)) from error
    of_app = {one.field: getattr(chosen, one.field) for one in definitions(chosen)}
    return {**of_app, **{field: value for field, value in flags.items() if value is not None}}


_CONFIG = click.option(
    "--config",
    metavar="FILE",
    help=f"Settings in TOML.  [default: the environment's {CONFIG_VARIABLE}, or else caraway.toml where there is one]",
)


def _file(named: str | None) -> ConfigFile:
    file = find_file(named)
    if named:
        # For the processes that this one starts, and for the apps that it loads.
        os.environ[CONFIG_VARIABLE] = os.path.abspath(named)
    return file


def _option(one: Definition) -> Any:
    help_text = f"{one.help}  [default: {one.default_text}]" if one.default_text else one.help
    if "/" in one.flags[-1] or one.kind.label == "SWITCH":
        return click.option(*one.flags, f"setting_{one.field}", is_flag=True, default=None, help=help_text)
    return click.option(
        *one.flags, f"setting_{one.field}", type=_Raw(one.kind), metavar=one.kind.label, default=None, help=help_text,
        hidden=not one.help,
    )  # fmt: skip
