"""Celery's public names, and what stands for each here: names.json, which says what docs/migrating.md says."""

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


@dataclass(frozen=True, slots=True)
class Name:
    """One name of Celery's: a setting, an option of tasks or calls, or a command."""

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


@cache
def all_names() -> tuple[Name, ...]:
    """All that the list has, in its order."""
    groups = json.loads(resources.files(__package__).joinpath("names.json").read_text("utf-8"))
    return tuple(Name(row["kind"], name, row["status"], row["here"]) for row in groups for name in row["names"])


@cache
def _by_kind() -> Mapping[tuple[str, str], Name]:
    return {(each.kind, each.name): each for each in all_names()}


def find(kind: str, name: str) -> Name | None:
    """Look a name up; None where Celery has none such."""
    return _by_kind().get((kind, name))


def of_kind(kind: str) -> Iterator[Name]:
    """Give all names of one kind."""
    return (each for each in all_names() if each.kind == kind)
