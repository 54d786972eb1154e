"""TaskOptions: what can be set for a task, by its decorator or as attributes of its class."""

import inspect
import warnings
from collections.abc import Collection, Mapping
from datetime import datetime
from types import FunctionType, MethodType
from typing import Any, ClassVar, Final

from caraway.conf import FromConf, task_setting
from caraway.option_names import check_names
from caraway.spec import Seconds, seconds
from caraway.task_hooks import TaskHooks
from caraway.unique import Unique, rule_of

__all__ = ["TaskOptions"]

_REFUSED: Final = {
    "exchange": "there are no exchanges here; name a queue",
    "rate_limit": "rates are not limited yet; leave it out",
    "result_backend": "the gateway keeps the results of all tasks; leave it out",
    "routing_key": "there are no routing keys here; name a queue",
}
"""Options of Celery's that would change what happens if they were honoured, with what to do about them."""

_NO_EFFECT: Final = {
    "acks_on_failure": "a failed task never runs again by itself",
    "acks_on_timeout": "a task that was killed by its time limit never runs again by itself",
    "retry_on_worker_lost": "a task whose process dies runs again; reject_on_worker_lost=False has it fail",
    "send_events": "no events are sent",
    "shared": "a task belongs to the app that made it",
}
"""Options of Celery's that a task runs as well without, with how it is here."""


class TaskOptions(TaskHooks):
    """The options and their defaults. Durations are in seconds. docs/tasks.md says more of each."""

    OPTIONS: ClassVar[frozenset[str]] = frozenset(
        {
            "acks_late", "acks_on_failure_or_timeout", "argsrepr", "autoretry_for", "compression",
            "default_retry_delay", "dont_autoretry_for", "expires", "hidden", "ignore_result", "kwargsrepr",
            "max_retries", "priority", "pydantic", "pydantic_context", "pydantic_dump_kwargs", "pydantic_strict",
            "queue", "reject_on_worker_lost", "retry_backoff", "retry_backoff_max", "retry_jitter", "retry_kwargs",
            "serializer", "soft_time_limit", "store_errors_even_if_ignored", "throws", "time_limit", "track_started",
            "trail", "typing", "unique",
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
    """Arguments of `Task.retry` for autoretry, such as max_retries and countdown."""
    throws: tuple[type[BaseException], ...] | type[BaseException] = ()
    """Errors that are expected of it: it fails with them all the same, but the worker's log has them as INFO."""
    time_limit: float | None = task_setting("task_time_limit")
    """Kills an attempt."""
    soft_time_limit: float | None = task_setting("task_soft_time_limit")
    """Raises SoftTimeLimitExceeded in an attempt."""
    ignore_result: bool = task_setting("task_ignore_result")
    """Keep the state only, not what it returns."""
    store_errors_even_if_ignored: bool = True
    """The error of a failed task is always kept; False is refused."""
    acks_late: bool = task_setting("task_acks_late")
    """False: at most once. It starts only after its start is confirmed, and one that is lost then never runs again."""
    acks_on_failure_or_timeout: bool = True
    """A failed task does not run again and is among the dead letters, from where it can be sent back, either way."""
    reject_on_worker_lost: bool | None = task_setting("task_reject_on_worker_lost")
    """False: it fails with WorkerLostError when the process that runs it dies, instead of running again."""
    track_started: bool = task_setting("task_track_started")
    """Report the start of tasks that run for less than 0.1 s too."""
    queue: str | None = None
    priority: int | None = None
    expires: Seconds | datetime | None = None
    unique: Unique | bool = False
    """At most one task for a key; True: one for each arguments."""
    trail: bool = True
    """False: what it submits is not listed among its result's children."""
    typing: bool = True
    """Check arguments at the call."""
    serializer: str | None = None
    """How arguments are written; None: as the app's task_serializer says."""
    compression: str | None = None
    """How arguments are compressed; None: as the app's task_compression says."""
    hidden: Collection[str] = ()
    """Parameters whose arguments lists and logs show as ***."""
    argsrepr: str | None = None
    """What lists and logs show instead of the positional arguments, all of them."""
    kwargsrepr: str | None = None
    """The same of the keyword arguments."""
    pydantic: bool = False
    """Make the arguments that are annotated with pydantic models from dicts, and dump a model that is returned."""
    pydantic_strict: bool = False
    """Validate strictly."""
    pydantic_context: Mapping[str, Any] | None = None
    """Added to the context that validators see, which has caraway_app and caraway_task_name."""
    pydantic_dump_kwargs: Mapping[str, Any] | None = None
    """Arguments of the result's model_dump(); by default {"mode": "json"}."""

    def _set_options(self, options: Mapping[str, Any]) -> None:
        """Take the decorator's options, and check them with those of the class. Raises TypeError or ValueError."""
        own = self._own_attributes()
        for name, value in options.items():
            is_method = name in {*self.HOOKS, *self.METHODS} and isinstance(value, FunctionType)
            setattr(self, name, MethodType(value, self) if is_method else value)
        # None is Celery's way of not setting an option.
        given = [name for name in {*options, *own} if name not in _REFUSED or getattr(self, name) is not None]
        known = self.OPTIONS | self.HOOKS | self.METHODS | _NO_EFFECT.keys() | own
        check_names("@app.task", given, known - _REFUSED.keys(), refused=_REFUSED)
        for name in _NO_EFFECT.keys() & {*options, *own}:
            warnings.warn(f"the task option {name!r} has no effect: {_NO_EFFECT[name]}", UserWarning, stacklevel=4)
        self._check_values()

    def _own_attributes(self) -> frozenset[str]:
        """Names that the classes between this one and Caraway's own define: options too, if they are not methods."""
        names: set[str] = set()
        for kind in type(self).__mro__:
            if not kind.__module__.startswith("caraway."):
                names.update(name for name in vars(kind) if not name.startswith("_"))
        return frozenset(names)

    def _check_values(self) -> None:
        for name in ("time_limit", "soft_time_limit"):
            if isinstance(inspect.getattr_static(self, name), FromConf):
                continue  # the app's, which are looked at when they are needed
            limit = getattr(self, name)
            if limit is not None:
                setattr(self, name, seconds(name, limit))
        self._check_retries()
        for name in ("autoretry_for", "dont_autoretry_for", "throws"):
            setattr(self, name, _classes(name, getattr(self, name)))
        rule_of(self.unique)
        if not self.store_errors_even_if_ignored:
            raise TypeError("store_errors_even_if_ignored can't be False: a failed task's error is always kept")

    def _check_retries(self) -> None:
        retries: Any = self.max_retries
        if retries is not None and (isinstance(retries, bool) or not isinstance(retries, int) or retries < 0):
            raise TypeError(f"max_retries is to be a whole number from 0 on, or None: for ever; not {retries!r}")
        seconds("default_retry_delay", self.default_retry_delay)
        self.retry_backoff_max = seconds("retry_backoff_max", self.retry_backoff_max)
        if self.retry_backoff and self.retry_backoff is not True:
            self.retry_backoff = seconds("retry_backoff", self.retry_backoff)


def _classes(name: str, value: Any) -> tuple[type[BaseException], ...]:
    classes = (value,) if isinstance(value, type) else tuple(value)
    for kind in classes:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(f"{name} is to be a tuple of exception classes, and {kind!r} is none")
    return classes
