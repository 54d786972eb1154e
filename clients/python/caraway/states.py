"""States of a task by Celery's names, and how the contract's states map to them."""

from typing import Final

from caraway.v1 import task_pb2

__all__ = [
    "ALL_STATES",
    "EXCEPTION_STATES",
    "FAILURE",
    "IGNORED",
    "PENDING",
    "PRECEDENCE",
    "PROPAGATE_STATES",
    "READY_STATES",
    "RECEIVED",
    "REJECTED",
    "RETRY",
    "REVOKED",
    "STARTED",
    "SUCCESS",
    "UNREADY_STATES",
    "of",
    "precedence",
    "state",
]

PENDING: Final = "PENDING"
"""Waits for its time or for a worker. Unlike Celery's, never said of an unknown id."""
RECEIVED: Final = "RECEIVED"
"""Known to Celery's programs; never reported, as a task handed to a worker is still PENDING."""
STARTED: Final = "STARTED"
SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
REVOKED: Final = "REVOKED"
"""Revoked, or expired: Celery has one word for both. The exception tells which."""
REJECTED: Final = "REJECTED"
RETRY: Final = "RETRY"
IGNORED: Final = "IGNORED"

READY_STATES: Final = frozenset({SUCCESS, FAILURE, REVOKED, REJECTED, IGNORED})
UNREADY_STATES: Final = frozenset({PENDING, RECEIVED, STARTED, RETRY})
EXCEPTION_STATES: Final = frozenset({RETRY, FAILURE, REVOKED, REJECTED})
PROPAGATE_STATES: Final = frozenset({FAILURE, REVOKED, REJECTED})
ALL_STATES: Final = READY_STATES | UNREADY_STATES

PRECEDENCE: Final = (SUCCESS, FAILURE, None, REVOKED, STARTED, RECEIVED, REJECTED, RETRY, PENDING)
"""States from the one that counts most; None stands for a task's own states, and for those that are not here."""


def precedence(state: str) -> int:
    """Give a state's place in PRECEDENCE; the lower one counts more."""
    return PRECEDENCE.index(state if state in PRECEDENCE else None)


class state(str):  # Celery's name
    """A state that compares by precedence: `state("PROGRESS") > state("STARTED")`. It equals its name."""

    __slots__ = ()

    def __gt__(self, other: str) -> bool:
        return precedence(self) < precedence(other)

    def __ge__(self, other: str) -> bool:
        return precedence(self) <= precedence(other)

    def __lt__(self, other: str) -> bool:
        return precedence(self) > precedence(other)

    def __le__(self, other: str) -> bool:
        return precedence(self) >= precedence(other)


_State = task_pb2.Task
_NAMES: Final[dict[int, str]] = {
    _State.STATE_BLOCKED: PENDING,
    _State.STATE_SCHEDULED: PENDING,
    _State.STATE_QUEUED: PENDING,
    _State.STATE_LEASED: PENDING,
    _State.STATE_RUNNING: STARTED,
    _State.STATE_RETRYING: RETRY,
    _State.STATE_SUCCEEDED: SUCCESS,
    _State.STATE_FAILED: FAILURE,
    _State.STATE_REVOKED: REVOKED,
    _State.STATE_EXPIRED: REVOKED,
    _State.STATE_REJECTED: REJECTED,
    _State.STATE_IGNORED: IGNORED,
    _State.STATE_REPLACED: PENDING,
    _State.STATE_SKIPPED: IGNORED,
}


def of(task: task_pb2.Task) -> str:
    """Name a task's state: its own custom state while it runs, Celery's name otherwise."""
    if task.state == _State.STATE_RUNNING and task.custom_state:
        return task.custom_state
    return _NAMES.get(task.state, PENDING)
