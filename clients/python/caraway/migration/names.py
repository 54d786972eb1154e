"""Celery's public names, and what stands for each here, as docs/migrating.md and docs/celery-names.md have it.

names.json has the settings, options and commands; public_names.json those names of modules, and members of apps, tasks,
requests and `app.control`, that are not here as they are there.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from caraway.migration.finding import Level

__all__ = ["LEVELS", "Name", "all_names", "find", "of_kind"]

LEVELS: Final[Mapping[str, Level | None]] = {
    "same": None,
    "better": Level.MEANING,
    "unneeded": Level.UNNEEDED,
    "renamed": Level.MUST,
    "later": Level.MUST,
    "not there": Level.MUST,
}
"""What a status asks of a program that uses the name; None: nothing."""


_FILES: Final = ("names.json", "public_names.json")


@dataclass(frozen=True, slots=True)
class Name:
    """One name of Celery's: a setting, an option of tasks or calls, a command, a name of a module, a member."""

    kind: str
    name: str
    status: str
    here: str
    """What stands for it, or why nothing does; Markdown."""

    @property
    def level(self) -> Level | None:
        """What a program that uses it has to do; None: nothing."""
        return LEVELS[self.status]

    @property
    def advice(self) -> str:
        """One line to show with it."""
        return f"{self.status}: {self.here}" if self.here else self.status


def all_names() -> tuple[Name, ...]:
    """All that the lists have, in their order."""
    return tuple(name for file in _FILES for name in _names_of(file))


@cache
def _names_of(file: str) -> tuple[Name, ...]:
    groups = json.loads(resources.files(__package__).joinpath(file).read_text("utf-8"))
    return tuple(Name(row["kind"], name, row["status"], row["here"]) for row in groups for name in row["names"])


def _file_of(kind: str) -> str:
    """Where names of a kind are. Apps look up settings, and need not pay for the names of modules."""
    return "public_names.json" if kind in ("name", "member") else "names.json"


@cache
def _by_kind(file: str) -> Mapping[tuple[str, str], Name]:
    return {(each.kind, each.name): each for each in _names_of(file)}


def find(kind: str, name: str) -> Name | None:
    """Look a name up; None where Celery has none such."""
    return _by_kind(_file_of(kind)).get((kind, name))


def of_kind(kind: str) -> Iterator[Name]:
    """Give all names of one kind."""
    return (each for each in _names_of(_file_of(kind)) if each.kind == kind)
