"""A task as the checker sees it: its record, and its place in every index, at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from caraway_server.core.task import State

# As view.lua gives them; of the other fields only the names.
VALUES = ("s", "n", "q", "p", "k", "v", "a", "o", "z", "u", "d", "x", "U", "Uu")


@dataclass(frozen=True, slots=True)
class View:
    """A record with what the indexes say of it.

    Attributes:
        task_id: which.
        fields: values by letter, empty for those that were not read; no fields: there is no record.
        places: scores by index, for those that hold it.
        listed: whether its lane is among its queue's.
        twins: how many tasks of its lane have its place.
        holder: what its uniqueness key says.
        last: the last sequence number.
        now: the store's clock.
    """

    task_id: str
    fields: dict[str, bytes]
    places: dict[str, float]
    listed: bool
    twins: int
    holder: str
    last: int
    now: int

    @property
    def state(self) -> State | None:
        """Where its record says that it stands; None: it says nothing that is known."""
        raw = self.fields.get("s", b"")
        return State(int(raw)) if raw.isdigit() and int(raw) in set(State) else None

    def text(self, letter: str) -> str:
        """A field as text."""
        return self.fields.get(letter, b"").decode(errors="replace")

    def number(self, letter: str) -> int:
        """A field as a number; 0 where it is not there."""
        return int(self.fields.get(letter) or 0)


def views_from(ids: Sequence[str], answer: Sequence[Any]) -> list[View]:
    """What view.lua answered."""
    last, now, rows = answer
    views = []
    for task_id, (letters, values, places, listed, twins, holder) in zip(ids, rows, strict=True):
        fields = {letter.decode(errors="replace"): b"" for letter in letters}
        fields |= {letter: value for letter, value in zip(VALUES, values, strict=True) if isinstance(value, bytes)}
        scores = {index.decode(): float(score) for index, score in zip(places[::2], places[1::2], strict=True)}
        views.append(View(task_id, fields, scores, bool(listed), twins, (holder or b"").decode(), int(last), int(now)))
    return views
