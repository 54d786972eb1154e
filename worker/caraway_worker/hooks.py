"""Which hooks follow an outcome."""

from typing import Any, Final

from caraway import hook_calls, request, states
from caraway.task import Task
from caraway_worker import outcomes

_STATES: Final = {
    outcomes.SUCCEEDED: states.SUCCESS,
    outcomes.RETRY: states.RETRY,
    outcomes.FAILED: states.FAILURE,
    outcomes.EXPECTED: states.FAILURE,
    outcomes.REJECTED: states.REJECTED,
    outcomes.RELEASED: states.REJECTED,
    outcomes.IGNORED: states.IGNORED,
}


def state_after(outcome: int) -> str:
    """Name the state of an attempt that ended with `outcome`, as Celery calls it."""
    return _STATES.get(outcome, states.FAILURE)


def calls_after(
    task: "Task[Any, Any]", attempt: request.Context, outcome: int, value: Any, error: BaseException | None
) -> list[hook_calls.Call]:
    """List the hooks that follow an attempt that ended with `outcome`: by returning `value`, or by `error`."""
    return hook_calls.calls_after(task, attempt, _STATES.get(outcome, ""), value, error)
