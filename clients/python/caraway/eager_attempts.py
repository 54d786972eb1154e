"""Runs the attempts of one task here and now, with its hooks; each retry at once."""

import inspect
from typing import Any

from caraway import request, states
from caraway.coroutines import run_to_end
from caraway.exceptions import Retry, TaskPredicate
from caraway.hook_calls import calls_after
from caraway.payload import decode, decode_arguments, encode

__all__ = ["run"]


def run(task: Any, context: request.Context, exact: bool) -> Any:
    """Run a task, and give what it returned; `exact`: as it would be read from the gateway. Raises what it ends by."""
    while True:
        token = request.push(context)
        try:
            value = _attempt(task, context, exact)
        except Retry as again:
            _call_hooks(task, context, states.RETRY, None, again)
            _change(task, context, again)
        except Exception as error:
            state = states.IGNORED if isinstance(error, TaskPredicate) else states.FAILURE
            _call_hooks(task, context, state, None, error)
            raise
        else:
            _call_hooks(task, context, states.SUCCESS, value, None)
            return value
        finally:
            request.pop(token)


def _attempt(task: Any, context: request.Context, exact: bool) -> Any:
    if task.has_hooks:
        _awaited(task.before_start(context.id, context.args, context.kwargs))
    value = _awaited(task(*context.args, **context.kwargs)) if task.is_async else task(*context.args, **context.kwargs)
    if context.ignore_result:
        return None
    if not exact:
        return value
    app = task.app
    return decode(encode(value, app.result_serializer, app.result_compression), app)


def _call_hooks(task: Any, context: request.Context, state: str, value: Any, error: BaseException | None) -> None:
    if task.has_hooks:
        for call in calls_after(task, context, state, value, error):
            call.run(run_to_end)


def _change(task: Any, context: request.Context, again: Retry) -> None:
    """Prepare the next attempt."""
    context.attempt += 1
    context.entered = False
    context.added = None
    if again.overrides is not None:
        if again.overrides.HasField("payload"):
            context.args, context.kwargs = decode_arguments(again.overrides, task.app)
        context.headers.update(again.overrides.headers)


def _awaited(value: Any) -> Any:
    return run_to_end(value) if inspect.iscoroutine(value) else value
