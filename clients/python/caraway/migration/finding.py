"""Finding: one place in a project that its author is to look at."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Level"]


class Level(StrEnum):
    """What is to be done about a finding."""

    MUST = "must change"
    MEANING = "means something else"
    UNNEEDED = "unneeded"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`line` and `column` count from 1; `name` is what was found, `text` what to do or to know."""

    path: str
    line: int
    column: int
    level: Level
    name: str
    text: str

    def __str__(self) -> str:
        """One line, which editors can jump from."""
        return f"{self.path}:{self.line}:{self.column}: {self.level}: {self.name}: {self.text}"
