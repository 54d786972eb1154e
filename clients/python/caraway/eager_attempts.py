"""Runs the attempts of one task here and now, with its hooks and signals; each retry at once."""

import inspect
import time
from functools import partial
from typing import Any

from caraway import attempt_signals, request, states
from caraway.coroutines import run_to_end
from caraway.dispatch import Signal
from caraway.exceptions import Reject, Retry, TaskPredicate
from caraway.hook_calls import calls_after
from caraway.payload import decode, decode_arguments, encode

__all__ = ["run"]


def run(task: Any, context: request.Context, exact: bool) -> Any:
    """Run a task, and give what it returned; `exact`: as it would be read from the gateway. Raises what it ends by."""
    while True:
        token = request.push(context)
        began = time.monotonic()
        try:
            value = _attempt(task, context, exact)
        except Retry as again:
            _tell(task, context, states.RETRY, None, again, began)
            _change(task, context, again)
        except Exception as error:
            _tell(task, context, _state_after(error), None, error, began)
            raise
        else:
            _tell(task, context, states.SUCCESS, value, None, began)
            return value
        finally:
            request.pop(token)


def _state_after(error: Exception) -> str:
    if isinstance(error, Reject):
        return states.REJECTED
    return states.IGNORED if isinstance(error, TaskPredicate) else states.FAILURE


def _attempt(task: Any, context: request.Context, exact: bool) -> Any:
    if Signal.in_use:
        attempt_signals.before(task, context)
    app = task.app
    value = _through_middleware(task, context) if app.middleware.has_attempt else _body(task, context)
    if context.ignore_result:
        return None
    if not exact:
        return value
    return decode(encode(value, app.result_serializer, app.result_compression), app)


def _through_middleware(task: Any, context: request.Context) -> Any:
    if task.is_async:
        return run_to_end(task.app.middleware.aattempt(context, partial(_abody, task)))
    return task.app.middleware.attempt(context, partial(_body, task))


def _body(task: Any, context: request.Context) -> Any:
    if task.has_hooks:
        _awaited(task.before_start(context.id, context.args, context.kwargs))
    value = task(*context.args, **context.kwargs)
    return _awaited(value) if task.is_async else value


async def _abody(task: Any, context: request.Context) -> Any:
    started = task.before_start(context.id, context.args, context.kwargs)
    if inspect.iscoroutine(started):
        await started
    return await task(*context.args, **context.kwargs)


def _tell(
    task: Any, context: request.Context, state: str, value: Any, error: BaseException | None, began: float
) -> None:
    if task.has_hooks:
        for call in calls_after(task, context, state, value, error):
            call.run(run_to_end)
    if Signal.in_use:
        attempt_signals.after(task, context, state, value, error, time.monotonic() - began)


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
