"""What all systems are compared in: columns, and a line for each system."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that is measured of every system; `to_beat`: Caraway has to be the best of all in it."""

    key: str
    title: str
    unit: str
    more_is_better: bool = True
    to_beat: bool = False


COLUMNS = (
    Column("drain_always", "drain, AOF always", "tasks/s", to_beat=True),
    Column("drain_none", "drain, no AOF", "tasks/s", to_beat=True),
    Column("many", "submit many, AOF always", "tasks/s", to_beat=True),
    Column("one", "submit one by one, AOF always", "tasks/s"),
    Column("round_trip", "round trip, p50, AOF always", "ms", more_is_better=False),
    Column("memory", "memory of a queued task", "bytes", more_is_better=False),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One system. `values` holds the rounds' values by the key of their column, in its unit.

    `how` says how it was set up; `absent` why it could not be measured, and then there are no values.
    """

    system: str
    version: str = ""
    how: str = ""
    values: dict[str, tuple[float, ...]] = field(default_factory=dict)
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Caraway against the best of the others in one column: how many times as good, and who that is."""

    column: Column
    times: float
    best: str

    @property
    def met(self) -> bool:
        """Whether Caraway is better."""
        return self.times > 1


def verdicts(lines: Sequence[Line]) -> list[Verdict]:
    """Judge each column in which Caraway has to be the best."""
    found = []
    for column in (column for column in COLUMNS if column.to_beat):
        measured = {line.system: median(line.values[column.key]) for line in lines if not line.absent}
        ours = measured.pop("Caraway")
        best = max(measured, key=lambda system: measured[system])
        found.append(Verdict(column, ours / measured[best], best))
    return found
