"""What a task left: a value, or an exception that its caller is to meet."""

from typing import Any, Final

from caraway.payload import ReadingRules, decode
from caraway.v1 import task_pb2
from caraway.wire_error import to_exception

__all__ = ["TERMINAL", "Raised", "outcome_of", "shown"]

_State = task_pb2.Task
TERMINAL: Final = frozenset(
    {
        _State.STATE_SUCCEEDED,
        _State.STATE_FAILED,
        _State.STATE_REVOKED,
        _State.STATE_EXPIRED,
        _State.STATE_REJECTED,
        _State.STATE_IGNORED,
        _State.STATE_SKIPPED,
    }
)


class Raised:
    """Tells an exception that a task raised from one that it returned."""

    __slots__ = ("exc",)

    def __init__(self, exc: BaseException) -> None:
        """`exc` is what the task raised, or what stands for its end."""
        self.exc = exc


def outcome_of(task: task_pb2.Task, rules: ReadingRules) -> Any:
    """Give what a task returned, a Raised, or the last progress of one that runs. Raises as `payload.decode`."""
    if task.state == _State.STATE_SUCCEEDED:
        return decode(task.result, rules) if task.HasField("result") else None
    if task.state in (_State.STATE_IGNORED, _State.STATE_SKIPPED):
        return None
    if task.state in TERMINAL or task.state == _State.STATE_RETRYING:
        return Raised(to_exception(task.error))
    return decode(task.progress, rules) if task.HasField("progress") else None


def shown(task: task_pb2.Task, rules: ReadingRules) -> Any:
    """Give the outcome with an exception as itself."""
    outcome = outcome_of(task, rules)
    return outcome.exc if isinstance(outcome, Raised) else outcome
