"""What is wrong with settings, said all at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from caraway.exceptions import ImproperlyConfigured

__all__ = ["InvalidSettings", "Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong setting.

    Attributes:
        name: of the setting, as it stands in the file; empty where it is about a source as a whole.
        text: what is wrong, and what to write.
        value: what was written, as far as it may be shown.
        origin: where it came from.
    """

    name: str
    text: str
    value: str = ""
    origin: str = ""

    def __str__(self) -> str:
        """In one line."""
        value = f" = {self.value}" if self.value else ""
        origin = f" ({self.origin})" if self.origin else ""
        head = f"{self.name}{value}{origin}"
        return f"{head}: {self.text}" if head else self.text


class InvalidSettings(ImproperlyConfigured):
    """Some settings are unusable; the message names each, a line each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """`problems` are all that were found."""
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
