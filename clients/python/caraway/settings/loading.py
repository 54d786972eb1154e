"""Settings put together: flag before environment before file before default, and all that is wrong at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from caraway.settings.definition import Definition, definitions
from caraway.settings.kinds import Unreadable
from caraway.settings.problems import InvalidSettings, Problem
from caraway.settings.sources import ConfigFile, unknown_keys, unknown_variables

__all__ = ["DEFAULT", "Loaded", "load"]

S = TypeVar("S")

DEFAULT: Final = "default"
OF_APP: Final = "app.conf"


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """Settings, and where each came from.

    Attributes:
        settings: the values.
        origins: by field; "default" where nobody named a value.
    """

    settings: S
    origins: Mapping[str, str]


def load(
    settings: type[S],
    flags: Mapping[str, Any] | None = None,
    file: ConfigFile | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    app: Mapping[str, Any] | None = None,
    complete: bool = True,
    strict: bool = True,
) -> Loaded[S]:
    """Make settings of what flags (by field; None: not given), environment and file say.

    Arguments: `environ` is os.environ by default; `app` is what an app's settings say (by field; None: nothing), for
    what nobody else names; `complete`: what is required must be there; `strict`: variables
    that are no settings are refused, as keys of the file are. Raises InvalidSettings with all that is wrong.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    environ = os.environ if environ is None else environ
    file = file or ConfigFile()
    problems = [*unknown_keys(settings, file), *(unknown_variables(settings, environ) if strict else ())]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    unread: set[str] = set()
    for one in definitions(settings):
        raw, origins[one.field] = _find(one, given, environ, file)
        if raw is None and app is not None and app.get(one.field) is not None:
            raw, origins[one.field] = app[one.field], OF_APP
        if raw is None:
            if one.required and complete:
                problems.append(Problem(one.key, f"name it, by {' or '.join(filter(None, (one.flag, one.variable)))}"))
            continue
        try:
            values[one.field] = one.kind.read(raw)
        except Unreadable as error:
            unread.add(one.field)
            problems.append(Problem(one.key, str(error), one.masked(str(raw)), origins[one.field]))
    try:
        made = settings(**values)
    except InvalidSettings as error:
        # Of what could not be read nothing more is said: it is its default that was checked.
        checked = [problem for problem in error.problems if problem.name not in unread]
        raise InvalidSettings([*problems, *(_located(one, settings, values, origins) for one in checked)]) from None
    if problems:
        raise InvalidSettings(problems)
    return Loaded(made, origins)


def _find(one: Definition, flags: Mapping[str, Any], environ: Mapping[str, str], file: ConfigFile) -> tuple[Any, str]:
    if one.field in flags:
        return flags[one.field], one.flag
    if one.variable and environ.get(one.variable):
        return environ[one.variable], one.variable
    if one.variable and one.key in file.table(one.section):
        return file.table(one.section)[one.key], f"{file.name} [{one.section}]"
    return None, DEFAULT


def _located(problem: Problem, settings: type, values: Mapping[str, Any], origins: Mapping[str, str]) -> Problem:
    """Tell where the value that a check complains of came from."""
    for one in definitions(settings):
        if one.field == problem.name:
            value = values.get(one.field, one.default)
            return Problem(one.key, problem.text, one.show(value), origins[one.field])
    return problem
