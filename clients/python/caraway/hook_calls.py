"""Calls what a task's class has defined to be called after an attempt; see caraway.task_hooks."""

import inspect
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from caraway import request, states
from caraway.exception_info import ExceptionInfo
from caraway.exceptions import Retry

__all__ = ["Call", "calls_after"]

logger = logging.getLogger("caraway.worker")


@dataclass(frozen=True, slots=True)
class Call:
    """A hook, to be called with these arguments."""

    hook: Callable[..., Any]
    arguments: tuple[Any, ...]

    def run(self, run_coroutine: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        """Call it, and have a coroutine run to its end. What it raises is logged: the outcome is known already."""
        try:
            value = self.hook(*self.arguments)
            if inspect.iscoroutine(value):
                run_coroutine(value)
        except BaseException as error:
            self._log(error)

    async def arun(self) -> None:
        """As `run`, in the running loop."""
        try:
            value = self.hook(*self.arguments)
            if inspect.iscoroutine(value):
                await value
        except BaseException as error:
            self._log(error)

    def _log(self, error: BaseException) -> None:
        name = getattr(self.hook, "__name__", self.hook)
        logger.error("the task's %s raised; its outcome stays as it is", name, exc_info=error)


def calls_after(task: Any, attempt: request.Context, state: str, value: Any, error: BaseException | None) -> list[Call]:
    """List the hooks that follow an attempt that ended as `state` says: by returning `value`, or by `error`."""
    call = (attempt.id, attempt.args, attempt.kwargs)
    if state == states.SUCCESS:
        return [
            Call(task.on_success, (value, *call)),
            Call(task.after_return, (states.SUCCESS, value, *call, None)),
        ]
    if error is None:
        return []
    einfo = ExceptionInfo(error)
    if state == states.RETRY:
        reason = error.exc if isinstance(error, Retry) else None
        return [Call(task.on_retry, (reason or error, *call, einfo))]
    if state == states.FAILURE:
        return [
            Call(task.on_failure, (error, *call, einfo)),
            Call(task.after_return, (states.FAILURE, error, *call, einfo)),
        ]
    return []
