"""One delivery of a task, as the supervisor holds it from its receipt until its report is confirmed."""

import enum
import signal
import time
from dataclasses import dataclass


class Ending(enum.Enum):
    """What is reported for a delivery that the supervisor itself ends."""

    CANCELLED = "cancelled"
    TIME_LIMIT = "time limit"
    HANDED_BACK = "handed back"
    SILENT = "nothing is reported: the lease is lost"


@dataclass(frozen=True, slots=True)
class Stop:
    """An order to end a delivery.

    Arguments: `ending` is what is reported if it does not end by itself first; `kill`: whether its process is killed if
    it runs; `sign` is sent at once, and SIGKILL follows after `grace` seconds; `pending_only`: what runs is
    left alone.
    """

    ending: Ending
    kill: bool
    sign: signal.Signals | None = None
    grace: float = 0.0
    reason: str = ""
    pending_only: bool = False


@dataclass(slots=True, eq=False)
class Delivery:
    """One delivery. Times are those of the event loop's clock, in seconds."""

    token: str
    task_id: str
    name: str
    lease: bytes  # the TaskLease as the child gets it
    received: float
    not_after_ns: int = 0  # latest start, CLOCK_MONOTONIC; 0: none
    soft: float | None = None
    hard: float | None = None
    child: int = 0  # number of the child that runs it or has it in its queue; 0: none
    sequence: int = 0  # its number there
    more_inputs: bool = False  # what is handed on to it is to be read first
    at_most_once: bool = False  # it starts only once its start is confirmed, and is never handed back after that
    fails_with_worker: bool = False  # it fails where its process dies, instead of running again
    shown_name: str = ""  # what the log shows instead of its name
    start_confirmed: bool = False
    start_reported: bool = False
    soft_struck: bool = False
    ended: bool = False  # its outcome is known; only the gateway's confirmation is awaited
    stop: Stop | None = None
    reports_in_flight: int = 0  # sent and not answered
    report_batch: int = 0  # number of the batch that they are in

    @property
    def log_name(self) -> str:
        """The name under which the log tells of it."""
        return self.shown_name or self.name

    @property
    def is_spent(self) -> bool:
        """Whether it may never run again: its start is told, and it runs at most once."""
        return self.at_most_once and self.start_reported

    def is_expired(self) -> bool:
        """Whether it must not be started any more."""
        return 0 < self.not_after_ns < time.monotonic_ns()
