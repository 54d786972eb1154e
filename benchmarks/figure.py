"""A figure: what was measured, in rounds, on both sides, and what was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    `caraway` and `celery` hold a value a round, in `unit`; `celery` is empty where there is nothing to compare.
    `target` says what was asked for, and `met` whether it holds.
    """

    number: str
    what: str
    unit: str
    caraway: tuple[float, ...]
    celery: tuple[float, ...] = ()
    target: str = ""
    met: bool | None = None
    note: str = ""


def alternate(*measures: Callable[[], float], rounds: int = ROUNDS) -> list[tuple[float, ...]]:
    """Run each measure once a round, in turns, so that what changes on the machine meets all alike."""
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for values, measure in zip(taken, measures, strict=True):
            values.append(measure())
    return [tuple(values) for values in taken]


def percentile(values: list[float], part: float) -> float:
    """Give the value below which `part` (0 to 1) of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


__all__ = ["ROUNDS", "Figure", "alternate", "median", "percentile"]
