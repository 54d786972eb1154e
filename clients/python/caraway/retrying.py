"""Retrying: how a task asks to be tried again."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn, Unpack

from caraway import exceptions
from caraway.durations import Seconds, seconds
from caraway.exceptions import Retry
from caraway.hiding import Hiding
from caraway.request import Context
from caraway.retry_overrides import RetryOptions, overrides_of
from caraway.spec import CallOptions
from caraway.task_options import TaskOptions

__all__ = ["Retrying"]


class Retrying(TaskOptions):
    """A base of Task."""

    MaxRetriesExceededError = exceptions.MaxRetriesExceededError
    """For `except self.MaxRetriesExceededError`."""

    app: Any
    name: str
    hiding: Hiding | None

    @property
    def request(self) -> Context:
        """The attempt that runs here."""
        raise NotImplementedError

    def _call(
        self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None
    ) -> tuple[Sequence[Any], dict[str, Any]]:
        raise NotImplementedError

    def _form(self) -> CallOptions:
        raise NotImplementedError

    def retry(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        exc: BaseException | None = None,
        throw: bool = True,
        eta: datetime | None = None,
        countdown: Seconds | None = None,
        max_retries: int | None = None,
        **options: Unpack[RetryOptions],
    ) -> Retry:
        """Ask to be tried again, after `countdown` (default: default_retry_delay) or at `eta`: raises Retry.

        The next attempt gets `args` and `kwargs` where they are given, and from then on has other `options`
        (`caraway.retry_overrides.RetryOptions`).

        Once `max_retries` are used up it raises `exc`, or MaxRetriesExceededError without one. With `throw=False` the
        Retry is returned, for the task to raise: by itself it does nothing. In a task that was called directly it
        raises `exc`. Raises TypeError, ValueError or EncodeError for arguments and options that do not fit.
        """
        attempt = self.request
        cause = exc if exc is not None else sys.exc_info()[1]
        if attempt.called_directly:
            _raise(exc or Retry("Task can be retried", cause))
        allowed = self.max_retries if max_retries is None else max_retries
        if allowed is not None and attempt.retries >= allowed:
            _raise(exc or self._used_up(attempt))
        call = None
        if args is not None or kwargs is not None:
            call = self._call(attempt.args if args is None else args, attempt.kwargs if kwargs is None else kwargs)
        form: CallOptions = {} if call is None else self.app.with_form(*call, self._form(), self.hiding)
        overrides = overrides_of(attempt, call, form, self._routed(options))
        again = Retry(None, cause, self._delay(eta, countdown), attempt.is_eager, overrides=overrides)
        if throw:
            raise again from cause
        return again

    def _routed(self, options: RetryOptions) -> RetryOptions:
        """A retry stays where its task is, unless it says otherwise; routes are not asked again."""
        queue, priority = options.get("queue"), options.get("priority")
        if queue is not None:
            options = {**options, "queue": self.app.checked_queue(queue)}
        if priority is not None:
            options = {**options, "priority": self.app.turned(priority)}
        return options

    def _used_up(self, attempt: Context) -> exceptions.MaxRetriesExceededError:
        return exceptions.MaxRetriesExceededError(
            f"Can't retry {self.name}[{attempt.id}]: all {attempt.retries} retries are used up",
            task_args=attempt.args,
            task_kwargs=attempt.kwargs,
        )

    def _delay(self, eta: datetime | None, countdown: Seconds | None) -> float:
        if eta is not None:
            if eta.utcoffset() is None:
                raise ValueError("eta is to carry a time zone, for example datetime.now(timezone.utc)")
            return max((eta - datetime.now(UTC)).total_seconds(), 0.0)
        return max(seconds("countdown", self.default_retry_delay if countdown is None else countdown), 0.0)


def _raise(exc: BaseException) -> NoReturn:
    """Raise `exc`; one that is being handled already keeps its own traceback and cause."""
    handled = sys.exc_info()[1]
    if exc is handled or handled is None:
        raise exc
    raise exc from handled
