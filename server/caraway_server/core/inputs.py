"""What nodes of a workflow hand on: a flat sequence, so that lists in lists need no depth and are cut anywhere."""

from dataclasses import dataclass

from caraway_server.core.task import Record


@dataclass(frozen=True, slots=True)
class InputStart:
    """Begins an input; its value follows. `passing` is the contract's number."""

    passing: int
    kwarg: str
    task_id: str


@dataclass(frozen=True, slots=True)
class Value:
    """A result as it was reported; empty where there is none."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """A node that failed; `told`: with what its record says of it as a task."""

    record: Record
    told: bool = False


@dataclass(frozen=True, slots=True)
class ListBegin:
    """The values that a collect collected follow."""


@dataclass(frozen=True, slots=True)
class ListEnd:
    """They end here."""


InputPart = InputStart | Value | Failed | ListBegin | ListEnd
