"""When a task is tried again: Celery's autoretry options and its exponential back-off."""

import functools
import random
from collections.abc import Callable
from typing import Any, Protocol

from caraway.exceptions import Retry, TaskPredicate
from caraway.spec import Seconds

__all__ = ["Retrying", "backoff", "retry_on_errors"]


class Retrying(Protocol):
    """A task, as far as its retries go."""

    autoretry_for: tuple[type[BaseException], ...]
    dont_autoretry_for: tuple[type[BaseException], ...]
    retry_backoff: bool | float
    retry_backoff_max: float
    retry_jitter: bool
    retry_kwargs: dict[str, Any]

    @property
    def is_async(self) -> bool:
        """True if the body is a coroutine function."""

    @property
    def request(self) -> Any:
        """The running attempt."""

    def retry(
        self,
        *,
        exc: BaseException,
        countdown: Seconds | None = None,
        max_retries: int | None = None,
    ) -> Retry:
        """Raise Retry, or what says that the retries are used up."""


def backoff(factor: float, retries: int, maximum: float, jitter: bool) -> float:
    """Give the wait in seconds after `retries` retries: factor, doubled with each of them, at most `maximum`.

    With jitter it is drawn evenly between nothing and that, so that tasks that failed together do not return together.
    """
    # Beyond 2**64 any maximum is reached, and a float would overflow.
    wait = min(maximum, factor * 2.0 ** min(retries, 64))
    return random.uniform(0, wait) if jitter else wait


def retry_on_errors(task: Retrying, run: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a task's body so that the errors of `task.autoretry_for` ask for a retry."""

    def again(exc: BaseException) -> None:
        options = dict(task.retry_kwargs)
        if task.retry_backoff:
            factor = 1.0 if task.retry_backoff is True else float(task.retry_backoff)
            options["countdown"] = backoff(factor, task.request.retries, task.retry_backoff_max, task.retry_jitter)
        task.retry(exc=exc, **options)

    def is_ours(exc: BaseException) -> bool:
        return isinstance(exc, task.autoretry_for) and not isinstance(exc, (TaskPredicate, *task.dont_autoretry_for))

    @functools.wraps(run)
    def run_again(*args: Any, **kwargs: Any) -> Any:
        try:
            return run(*args, **kwargs)
        except BaseException as exc:
            if is_ours(exc):
                again(exc)
            raise

    @functools.wraps(run)
    async def arun_again(*args: Any, **kwargs: Any) -> Any:
        try:
            return await run(*args, **kwargs)
        except BaseException as exc:
            if is_ours(exc):
                again(exc)
            raise

    return arun_again if task.is_async else run_again
