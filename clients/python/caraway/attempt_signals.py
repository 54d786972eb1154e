"""The signals around an attempt, sent in the process that runs it."""

from typing import Any

from caraway import states
from caraway.exception_info import ExceptionInfo
from caraway.request import Context
from caraway.signals import (
    task_failure,
    task_internal_error,
    task_postrun,
    task_prerun,
    task_retry,
    task_success,
)

__all__ = ["after", "before", "internal_error"]


def before(task: Any, attempt: Context) -> None:
    """Send what comes before the attempt and its hooks."""
    task_prerun.send(sender=task, task_id=attempt.id, task=task, args=attempt.args, kwargs=attempt.kwargs)


def after(task: Any, attempt: Context, state: str, value: Any, error: BaseException | None, runtime: float) -> None:
    """Send what follows an attempt, and its hooks: it ended in `state`, by returning `value` or by `error`.

    `runtime` is how long it took, in seconds.
    """
    if state == states.SUCCESS:
        task_success.send(sender=task, result=value, runtime=runtime)
    elif state == states.RETRY and error is not None:
        task_retry.send(sender=task, request=attempt, reason=error, einfo=ExceptionInfo(error))
    elif state == states.FAILURE and error is not None:
        task_failure.send(
            sender=task,
            task_id=attempt.id,
            exception=error,
            args=attempt.args,
            kwargs=attempt.kwargs,
            traceback=error.__traceback__,
            einfo=ExceptionInfo(error),
        )
    task_postrun.send(
        sender=task,
        task_id=attempt.id,
        task=task,
        args=attempt.args,
        kwargs=attempt.kwargs,
        retval=value if error is None else error,
        state=state,
    )


def internal_error(task: Any, attempt: Context, error: BaseException) -> None:
    """Send that the attempt failed for what came while its end was written down."""
    task_internal_error.send(
        sender=task,
        task_id=attempt.id,
        args=attempt.args,
        kwargs=attempt.kwargs,
        request=attempt,
        exception=error,
        traceback=error.__traceback__,
        einfo=ExceptionInfo(error),
    )
