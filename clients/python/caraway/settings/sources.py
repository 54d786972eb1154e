"""Where settings come from, besides flags: the environment, and a file."""

import difflib
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from caraway.settings.definition import definitions, prefix_of
from caraway.settings.problems import InvalidSettings, Problem

__all__ = ["CONFIG_VARIABLE", "ConfigFile", "find_file", "unknown_keys", "unknown_variables"]

CONFIG_VARIABLE: Final = "CARAWAY_CONFIG"
_DEFAULT_FILE: Final = "caraway.toml"
_SECTIONS: Final = ("client", "server", "worker")
# A Service called "caraway" or "caraway-server" puts these into the environment of every pod of its namespace.
_OF_KUBERNETES: Final = re.compile(r".*_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file of settings, or none.

    Attributes:
        name: as it was named; empty: there is none.
        tables: its tables by section.
    """

    name: str = ""
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def table(self, section: str) -> Mapping[str, Any]:
        """Give the settings of a section."""
        return self.tables.get(section, {})


def find_file(named: str | None = None) -> ConfigFile:
    """Read the file that is named here, or by CARAWAY_CONFIG, or else caraway.toml where there is one.

    Raises InvalidSettings: it can't be read, is not TOML, or has tables that are not known.
    """
    name = named or os.environ.get(CONFIG_VARIABLE) or ""
    if not name and not Path(_DEFAULT_FILE).is_file():
        return ConfigFile()
    name = name or _DEFAULT_FILE
    try:
        tables = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidSettings([Problem(name, f"it can't be read: {error.strerror or error}")]) from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise InvalidSettings([Problem(name, f"it is no TOML: {error}")]) from error
    problems = [
        Problem(table, f"there is no such table{_nearest(table, _SECTIONS)}", origin=name)
        for table in tables
        if table not in _SECTIONS
    ]
    problems += [
        Problem(table, f"write a table: [{table}]", origin=name)
        for table in _SECTIONS
        if not isinstance(tables.get(table, {}), dict)
    ]
    if problems:
        raise InvalidSettings(problems)
    return ConfigFile(name, tables)


def unknown_keys(settings: Any, file: ConfigFile) -> Iterator[Problem]:
    """Find keys of the file's table that are no settings."""
    known = [one.key for one in definitions(settings) if one.variable]
    for key in file.table(settings.section):
        if key not in known:
            origin = f"{file.name} [{settings.section}]"
            yield Problem(key, f"there is no such setting{_nearest(key, known)}", origin=origin)


def unknown_variables(settings: Any, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Find variables that begin as this section's do and are no settings."""
    prefix = prefix_of(settings)
    known = [one.variable for one in definitions(settings) if one.variable]
    for name in sorted(environ):
        if not name.startswith(prefix) or name in known or name == CONFIG_VARIABLE or _OF_KUBERNETES.fullmatch(name):
            continue
        if prefix == "CARAWAY_" and name.startswith(("CARAWAY_SERVER_", "CARAWAY_WORKER_")):
            continue
        yield Problem(name, f"there is no such setting{_nearest(name, known)}", origin="environment")


def _nearest(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"
