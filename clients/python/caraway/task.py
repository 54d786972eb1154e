"""Task: a function that workers run, and that callers submit."""

import functools
import inspect
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, NoReturn, ParamSpec, Protocol, TypeVar, Unpack, cast, overload

from caraway import request
from caraway.call_check import CallCheck
from caraway.canvas import Sender, Signature
from caraway.exceptions import MaxRetriesExceededError, Retry
from caraway.option_names import check_names
from caraway.request import Context
from caraway.result import AsyncResult
from caraway.retries import retry_on_errors
from caraway.spec import CallOptions, Seconds, seconds

__all__ = ["Task"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class App(Sender, Protocol):
    """An app, as its tasks see it."""

    def submit(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions) -> AsyncResult[Any]:
        """Submit a task."""

    async def asubmit(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions
    ) -> AsyncResult[Any]:
        """Async twin of `submit`."""


class Task(Generic[P, R]):
    """A function under a name. Made by `@app.task`; a class of one's own derives from it and is named by `base=`.

    Class attributes are the defaults of the decorator's options. Durations are in seconds. A coroutine function's task
    is called, submitted and waited for like any other; a worker awaits it.
    """

    OPTIONS: ClassVar[frozenset[str]] = frozenset(
        {
            "acks_late", "autoretry_for", "default_retry_delay", "dont_autoretry_for", "expires", "ignore_result",
            "max_retries", "priority", "queue", "retry_backoff", "retry_backoff_max", "retry_jitter", "retry_kwargs",
            "soft_time_limit", "time_limit", "track_started", "typing",
        }
    )  # fmt: skip
    NOT_YET: ClassVar[frozenset[str]] = frozenset(
        {
            "acks_on_failure_or_timeout", "after_return", "argsrepr", "compression", "kwargsrepr",
            "on_failure", "on_retry", "on_success", "pydantic", "rate_limit", "reject_on_worker_lost", "result_backend",
            "send_events", "serializer", "shared", "store_errors_even_if_ignored", "throws", "trail",
        }
    )  # fmt: skip

    max_retries: int | None = 3
    """Retries after the first attempt; None retries for ever."""
    default_retry_delay: Seconds = 180
    autoretry_for: tuple[type[BaseException], ...] = ()
    """Errors that ask for a retry by themselves."""
    dont_autoretry_for: tuple[type[BaseException], ...] = ()
    retry_backoff: bool | float = False
    """True, or the first wait: autoretry waits 1, 2, 4 ... times as long."""
    retry_backoff_max: float = 600
    retry_jitter: bool = True
    """Draw each wait of the back-off between nothing and itself."""
    retry_kwargs: dict[str, Any] = {}  # noqa: RUF012 - replaced by instances, never changed
    time_limit: float | None = None
    """Kills an attempt."""
    soft_time_limit: float | None = None
    """Raises SoftTimeLimitExceeded in an attempt."""
    ignore_result: bool = False
    acks_late: bool = True
    """False: at most once. It starts only after its start is confirmed, and one that is lost then never runs again."""
    track_started: bool = False
    """Report the start of tasks that run for less than 0.1 s too."""
    queue: str | None = None
    priority: int | None = None
    expires: Seconds | datetime | None = None
    typing: bool = True
    """Check arguments at the call."""

    def __init__(
        self, app: App, name: str, function: Callable[P, R], *, bind: bool = False, options: Mapping[str, Any]
    ) -> None:
        """Called by `@app.task`. Raises TypeError for an option that does not exist."""
        check_names("@app.task", options, self.OPTIONS, self.NOT_YET)
        for option, value in options.items():
            setattr(self, option, value)
        for option in ("time_limit", "soft_time_limit"):
            limit = getattr(self, option)
            if limit is not None:
                setattr(self, option, seconds(option, limit))
        self.app = app
        self.name = name
        self.function = function
        self.is_async = inspect.iscoroutinefunction(function)
        self._check = CallCheck(name, function, bind).check if self.typing else None
        body: Callable[..., Any] = function
        run = functools.partial(body, self) if bind else body
        self.run: Callable[..., Any] = retry_on_errors(self, run) if self.autoretry_for else run
        functools.update_wrapper(self, function, updated=())

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"<@task: {self.name}>"

    @property
    def request(self) -> Context:
        """The attempt that runs here. Outside a worker: one that says called_directly."""
        running = request.current()
        if running is not None and running.task == self.name:
            return running
        return Context(task=self.name, called_directly=True)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function here and now, as any function."""
        running = request.current()
        if running is None or running.task != self.name:
            return cast(R, self.run(*args, **kwargs))
        if not running.entered:
            running.entered = True
            return cast(R, self.run(*args, **kwargs))
        if self.is_async:
            return cast(R, self._acall_directly(args, kwargs))
        token = request.push(Context(task=self.name, called_directly=True))
        try:
            return cast(R, self.run(*args, **kwargs))
        finally:
            request.pop(token)

    async def _acall_directly(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        token = request.push(Context(task=self.name, called_directly=True))
        try:
            return await self.run(*args, **kwargs)
        finally:
            request.pop(token)

    # Submitting

    @overload
    def delay(self: "Task[P, Coroutine[Any, Any, T]]", *args: P.args, **kwargs: P.kwargs) -> AsyncResult[T]: ...
    @overload
    def delay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]: ...
    def delay(self, *args: Any, **kwargs: Any) -> AsyncResult[Any]:
        """Submit a call of the task.

        Raises TypeError for arguments that do not fit, EncodeError for such that can't be sent, OperationalError when
        the gateway stays away, RequestError when it refuses.
        """
        if self._check is not None:
            self._check(args, kwargs)
        return self.app.submit(self.name, args, kwargs, self._options())

    @overload
    async def adelay(self: "Task[P, Coroutine[Any, Any, T]]", *args: P.args, **kwargs: P.kwargs) -> AsyncResult[T]: ...
    @overload
    async def adelay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]: ...
    async def adelay(self, *args: Any, **kwargs: Any) -> AsyncResult[Any]:
        """Async twin of `delay`."""
        if self._check is not None:
            self._check(args, kwargs)
        return await self.app.asubmit(self.name, args, kwargs, self._options())

    @overload
    def apply_async(
        self: "Task[P, Coroutine[Any, Any, T]]",
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[T]: ...
    @overload
    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[R]: ...
    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[Any]:
        """Submit a call of the task with options (`caraway.spec.CallOptions`). Raises as `delay`."""
        call = self._call(args, kwargs)
        return self.app.submit(self.name, *call, cast(CallOptions, {**self._options(), **options}))

    @overload
    async def aapply_async(
        self: "Task[P, Coroutine[Any, Any, T]]",
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[T]: ...
    @overload
    async def aapply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[R]: ...
    async def aapply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[Any]:
        """Async twin of `apply_async`."""
        call = self._call(args, kwargs)
        return await self.app.asubmit(self.name, *call, cast(CallOptions, {**self._options(), **options}))

    def _call(
        self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None
    ) -> tuple[Sequence[Any], dict[str, Any]]:
        if isinstance(args, str | bytes):
            raise TypeError(f"args are to be a list or tuple, not {args!r:.100}")
        positional, named = tuple(args or ()), dict(kwargs or {})
        if self._check is not None:
            self._check(positional, named)
        return positional, named

    def _options(self) -> CallOptions:
        options: CallOptions = {}
        if self.queue is not None:
            options["queue"] = self.queue
        if self.priority is not None:
            options["priority"] = self.priority
        if self.expires is not None:
            options["expires"] = self.expires
        if self.ignore_result:
            options["ignore_result"] = True
        if not self.acks_late:
            options["acks_late"] = False
        return options

    # Signatures

    def s(self, *args: Any, **kwargs: Any) -> Signature:
        """Make a signature of a call."""
        return self.signature(args, kwargs)

    def si(self, *args: Any, **kwargs: Any) -> Signature:
        """Make an immutable signature: no later arguments are added to it."""
        return self.signature(args, kwargs, immutable=True)

    def signature(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        immutable: bool = False,
        **options: Unpack[CallOptions],
    ) -> Signature:
        """Make a signature of a call with options."""
        merged = cast(CallOptions, {**self._options(), **options})
        return Signature(self.name, args, kwargs, merged, app=self.app, immutable=immutable)

    def AsyncResult(self, task_id: str) -> AsyncResult[R]:
        """The result of the task with this id."""
        return AsyncResult(task_id, self.app)  # type: ignore[arg-type]

    # Inside an attempt

    def retry(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        exc: BaseException | None = None,
        throw: bool = True,
        eta: datetime | None = None,
        countdown: Seconds | None = None,
        max_retries: int | None = None,
    ) -> Retry:
        """Ask to be tried again, after `countdown` (default: default_retry_delay) or at `eta`: raises Retry.

        Once `max_retries` are used up it raises `exc`, or MaxRetriesExceededError without one. With `throw=False` the
        Retry is returned, for the task to raise. `args` and `kwargs` can't differ from those of the attempt. In a task
        that was called directly it raises `exc`.
        """
        attempt = self.request
        cause = exc if exc is not None else sys.exc_info()[1]
        if attempt.called_directly:
            _raise(exc or Retry("Task can be retried", cause))
        if (args is not None and tuple(args) != attempt.args) or (kwargs is not None and kwargs != attempt.kwargs):
            raise TypeError("retry() can't change the task's arguments in this version of Caraway")
        allowed = self.max_retries if max_retries is None else max_retries
        if allowed is not None and attempt.retries >= allowed:
            _raise(exc or self._used_up(attempt))
        again = Retry(_retry_text(cause), cause, self._delay(eta, countdown))
        if throw:
            raise again from cause
        return again

    def _used_up(self, attempt: Context) -> MaxRetriesExceededError:
        return MaxRetriesExceededError(
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

    def update_state(self, task_id: str | None = None, state: str | None = None, meta: Any = None) -> None:
        """Tell how far the task is: a `state` of one's own, and `meta`, anything that can be sent.

        Outside a worker it does nothing. Raises ValueError for another task's id.
        """
        attempt = self.request
        if task_id is not None and task_id != attempt.id:
            raise ValueError("update_state() reports on the running task only")
        attempt.report_progress(state or "", meta)


def _retry_text(cause: BaseException | None) -> str:
    return f"{type(cause).__name__}: {cause}" if cause is not None else "asked to be tried again"


def _raise(exc: BaseException) -> NoReturn:
    """Raise `exc`; one that is being handled already keeps its own traceback and cause."""
    handled = sys.exc_info()[1]
    if exc is handled or handled is None:
        raise exc
    raise exc from handled
