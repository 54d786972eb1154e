"""How an errback is called: Celery's old way, errback(task_id), or its new one, errback(request, exc, traceback)."""

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any

from caraway.canvas.graph import Node, On, Pass
from caraway.exceptions import PayloadError
from caraway.inputs import Failure
from caraway.payload import DEFAULTS, ReadingRules, decode_arguments
from caraway.request import PARENT_HEADER, ROOT_HEADER, SHADOW_HEADER, Context
from caraway.stamps import stamps_of

__all__ = ["arguments", "called_with", "handed_to", "takes_error"]


def arguments(task: Any, failed: Context, exc: BaseException, traceback: str | None) -> tuple[Any, ...]:
    """Give what an errback's task is called with, before its own arguments, for the task that `failed`."""
    if takes_error(task.function, task.is_bound):
        return failed, exc, traceback
    return (failed.id,)


def called_with(task: Any, args: tuple[Any, ...], rules: ReadingRules = DEFAULTS) -> tuple[Any, ...]:
    """Give a task's arguments, with what an errback gets in the place of each failure that was handed on to it.

    `rules` are those by which the failed task's own arguments are read.
    """
    made: list[Any] = []
    for value in args:
        if isinstance(value, Failure):
            failed = _request_of(value, rules)
            made.extend(arguments(task, failed, value.exception(), value.error.traceback or None))
        else:
            made.append(value)
    return tuple(made)


def _request_of(failure: Failure, rules: ReadingRules) -> Context:
    """Give the request of a task that failed, as far as it was told; arguments that can't be read are left out."""
    told = failure.task
    if told is None:
        return Context(id=failure.task_id)
    spec, headers = told.spec, dict(told.spec.headers)
    context = Context(
        id=failure.task_id,
        task=spec.name,
        argsrepr=spec.args_repr,
        kwargsrepr=spec.kwargs_repr,
        attempt=max(told.attempt, 1),
        delivery_count=told.delivery_count,
        hostname=told.worker_id,
        headers=headers,
        delivery_info={"queue": spec.queue, "priority": spec.priority},
        root_id=headers.get(ROOT_HEADER, failure.task_id),
        parent_id=headers.get(PARENT_HEADER),
        shadow=headers.get(SHADOW_HEADER),
        ignore_result=spec.ignore_result,
        stamps=stamps_of(spec),
    )
    with contextlib.suppress(PayloadError):
        context.args, context.kwargs = decode_arguments(spec, rules)
    return context


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
