"""How an errback is called: Celery's old way, errback(task_id), or its new one, errback(request, exc, traceback)."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from caraway.canvas.graph import Node, On, Pass
from caraway.inputs import Failure
from caraway.request import Context

__all__ = ["arguments", "called_with", "handed_to", "takes_error"]


def arguments(task: Any, failed: Context, exc: BaseException, traceback: str | None) -> tuple[Any, ...]:
    """Give what an errback's task is called with, before its own arguments, for the task that `failed`."""
    if takes_error(task.function, task.is_bound):
        return failed, exc, traceback
    return (failed.id,)


def called_with(task: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give a task's arguments, with what an errback gets in the place of each failure that was handed on to it."""
    made: list[Any] = []
    for value in args:
        if isinstance(value, Failure):
            failed = Context(id=value.task_id)
            made.extend(arguments(task, failed, value.exception(), value.error.traceback or None))
        else:
            made.append(value)
    return tuple(made)


def handed_to(task: Any, node: Node) -> tuple[str, ...]:
    """Give, for each argument that the nodes before it will put before a node's own, what is shown of it."""
    count = 0
    for edge in node.after:
        if edge.passes is Pass.FIRST:
            count += 3 if edge.on is not On.SUCCESS and takes_error(task.function, task.is_bound) else 1
    return ("<handed on>",) * count


@functools.cache
def takes_error(function: Callable[..., Any], is_bound: bool) -> bool:
    """Whether an errback is of the new kind: it takes more than one positional argument and, as in Celery, is not
    bound.
    """
    if is_bound:
        return False
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return True
    return sum(parameter.kind in _POSITIONAL for parameter in parameters) > 1


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
