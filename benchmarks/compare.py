"""A3.8: Caraway beside other task queues, each on a store of its own with the same settings, in one run."""

from collections.abc import Callable
from functools import partial

from benchmarks.comparison import COLUMNS, Line
from benchmarks.drain import drain
from benchmarks.figure import ROUNDS, alternate
from benchmarks.install import NotInstalled
from benchmarks.memory import bytes_a_task
from benchmarks.rivals import RIVALS, Rival
from benchmarks.round_trip import p50
from benchmarks.submit import rate

SINGLE_TASKS = 1_000
MANY_TASKS = 20_000
# Where many are sent one by one, and each waits for the disk.
LOOPED_TASKS = 2_000
QUEUED_TASKS = 10_000
OUT_OF_REACH = (
    Line("Faktory", absent="its server comes as a download or from its source, and from no package registry"),
)


def measure() -> list[Line]:
    """Measure every system that can be had here, column by column, in turns. Says on stdout how far it is."""
    present, lines = _installed()
    taken: dict[str, dict[str, tuple[float, ...]]] = {rival.title: {} for rival in present}
    for column in COLUMNS:
        print(f"{column.title} ...", flush=True)
        measures = [partial(_value, rival, column.key) for rival in present]
        rounds = ROUNDS if column.to_beat else 1
        for rival, values in zip(present, alternate(*measures, rounds=rounds), strict=True):
            taken[rival.title][column.key] = values
    return [*(Line(rival.title, rival.version, rival.how, taken[rival.title]) for rival in present), *lines]


def _installed() -> tuple[list[Rival], list[Line]]:
    """Those that are installed, or can be; and a line for each of the others."""
    present, lines = [], list(OUT_OF_REACH)
    for rival in RIVALS:
        try:
            rival.install()
        except NotInstalled as error:
            print(f"caraway: {rival.title} is left out: {error}", flush=True)
            lines.append(Line(rival.title, rival.version, absent=str(error)))
        else:
            present.append(rival)
    return present, lines


def _value(rival: Rival, key: str) -> float:
    synced, unsynced = partial(rival.open_on, "always"), partial(rival.open_on, "none")
    many = MANY_TASKS if rival.many == "submit_many" else LOOPED_TASKS
    measures: dict[str, Callable[[], float]] = {
        "drain_always": lambda: drain(synced, rival.synced),
        "drain_none": lambda: drain(unsynced, rival.drained),
        "many": lambda: rate(synced, rival.many, many),
        "one": lambda: rate(synced, "delay", SINGLE_TASKS),
        "round_trip": lambda: p50(synced, "delay_get"),
        "memory": lambda: bytes_a_task(unsynced, QUEUED_TASKS),
    }
    return measures[key]()
