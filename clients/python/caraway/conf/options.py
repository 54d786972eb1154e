"""The one table of settings that an app honours: names, defaults, and what a value may be."""

import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from caraway import serialization
from caraway.compression import MAX_BYTES
from caraway.durations import seconds
from caraway.send_policy import send_policy
from caraway.settings.kinds import KINDS, Unreadable

__all__ = ["OPTIONS", "SECTIONS", "Option"]

Check = Callable[[Any], Any]
"""Gives a value as it is kept, from what was set or from text; raises ValueError that says what to write."""


@dataclass(frozen=True, slots=True)
class Option:
    """One setting.

    Attributes:
        name: Celery's, or our own where Celery has none.
        default: the value where nobody names one.
        check: what a value may be.
        help: a sentence for the reference.
        section: of the reference.
        shown: how the default is told there, if not by its repr.
        worker: which setting of the worker it stands for, where that is named by no flag, variable or file.
    """

    name: str
    default: Any
    check: Check
    help: str
    section: str
    shown: str = ""
    worker: str = ""


def _of(kind: type) -> Check:
    return KINDS[kind].read


def _optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _switch(value: Any) -> bool:
    read: bool = KINDS[bool].read(bool(value) if isinstance(value, int) else value)
    return read


def _whole(least: int) -> Check:
    def check(value: Any) -> int:
        number: int = KINDS[int].read(value)
        if number < least:
            raise Unreadable(f"write a whole number from {least} on")
        return number

    return check


def _priority(value: Any) -> int:
    number: int = KINDS[int].read(value)
    if not 0 <= number <= 9:
        raise Unreadable("write a whole number from 0 to 9")
    return number


def _duration(value: Any) -> float:
    if isinstance(value, str):
        value = KINDS[timedelta].read(value)
    try:
        length = seconds("it", value)
    except (TypeError, ValueError):
        raise Unreadable("write seconds, or a timedelta") from None
    if length <= 0:
        raise Unreadable("write more than 0 seconds")
    return length


def _names(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, str) or not isinstance(value, Collection) else tuple(value)
    names: tuple[str, ...] = KINDS[tuple[str, ...]].read(listed)
    return names


def _accepted(value: Any) -> Collection[str]:
    if isinstance(value, str) or not isinstance(value, Collection):
        raise Unreadable("write a list of names")
    return value


def _policy(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping | None):
        raise Unreadable("write a dict")
    policy = dict(value or {})
    try:
        send_policy(True, policy)
    except (TypeError, ValueError) as error:
        raise Unreadable(str(error)) from None
    return policy


def _one_of(*choices: str) -> Check:
    def check(value: Any) -> str:
        if value not in choices:
            raise Unreadable(f"write {' or '.join(map(repr, choices))}")
        return str(value)

    return check


def _any(value: Any) -> Any:
    return value


def _gateway(value: Any) -> str:
    url: str = KINDS[str].read(value)
    scheme, found, _ = url.partition("://")
    if found and scheme not in ("grpc", "grpcs"):
        raise Unreadable(
            "programs and workers are given the gateway: write grpc://HOST:PORT. "
            f"The {scheme} of yours is the gateway's: caraway server --redis URL"
            if scheme.startswith(("redis", "rediss", "sentinel", "unix"))
            else "programs and workers are given the gateway, which keeps its tasks in Redis or Valkey: write grpc://HOST:PORT"
        )
    return url


_TEXT, _OPTIONAL_TEXT = _of(str), _optional(_of(str))
_TASKS, _CALLS, _CONTENT, _GATEWAY, _WORKER, _LOG, _TESTS = (
    "Tasks", "Calls", "Content", "The gateway", "The worker", "Logs of the worker", "Tests",
)  # fmt: skip
SECTIONS: Final = (_GATEWAY, _TASKS, _CALLS, _CONTENT, _WORKER, _LOG, _TESTS)

_TABLE: Final = (
    Option(
        "broker_url",
        None,
        _optional(_gateway),
        "The gateway's address, grpc://HOST:PORT, or grpcs:// by TLS; target=, environment and file go before it.",
        _GATEWAY,
        "localhost:50051",
    ),
    Option(
        "timezone",
        None,
        _any,
        "The zone of app.now(), by name or as tzinfo. Instants are kept in UTC.",
        _GATEWAY,
        "UTC",
    ),
    Option(
        "enable_utc", True, _switch, "False: app.now() is in the machine's zone where no timezone is set.", _GATEWAY
    ),
    Option("include", (), _names, "Modules of tasks that a worker imports.", _TASKS),
    Option("imports", (), _names, "The same; imported before those of include.", _TASKS),
    Option(
        "task_acks_late",
        True,
        _switch,
        "False: tasks run at most once: one that is lost after its start never runs again.",
        _TASKS,
    ),
    Option("task_ignore_result", False, _switch, "Keep the states of tasks only, not what they return.", _TASKS),
    Option("task_track_started", False, _switch, "Report the start of tasks that run for less than 0.1 s too.", _TASKS),
    Option(
        "task_reject_on_worker_lost",
        None,
        _optional(_switch),
        "False: a task whose process dies fails with WorkerLostError, and does not run again.",
        _TASKS,
    ),
    Option("task_time_limit", None, _optional(_duration), "Kills an attempt after so many seconds.", _TASKS),
    Option(
        "task_soft_time_limit",
        None,
        _optional(_duration),
        "Raises SoftTimeLimitExceeded in an attempt after so many seconds.",
        _TASKS,
    ),
    Option(
        "unknown_task",
        "wait",
        _one_of("wait", "fail"),
        "What a worker does about names that it does not know: leaves them, or fails them.",
        _TASKS,
    ),
    Option(
        "task_default_queue",
        "default",
        _TEXT,
        "Where tasks go that name no queue, and what a worker without -Q serves.",
        _CALLS,
    ),
    Option(
        "task_default_priority",
        None,
        _optional(_priority),
        "Of tasks that name none: 0 to 9, higher first.",
        _CALLS,
        "4",
    ),
    Option("task_routes", None, _any, "Options of calls by names of tasks, or by functions (docs/routing.md).", _CALLS),
    Option("task_queues", None, _any, "The queues that there are, and that a worker without -Q serves.", _CALLS, "any"),
    Option(
        "task_create_missing_queues",
        True,
        _switch,
        "False: only queues of task_queues may be named.",
        _CALLS,
    ),
    Option(
        "task_inherit_parent_priority",
        False,
        _switch,
        "A task that a task submits, or that comes after it in a canvas, has its priority.",
        _CALLS,
    ),
    Option(
        "task_priority_zero_first",
        False,
        _switch,
        "Priorities are the other way round, as with Celery on Redis: 0 first.",
        _CALLS,
    ),
    Option("task_annotations", None, _any, "Attributes of tasks by their names (docs/routing.md).", _TASKS),
    Option(
        "result_expires",
        None,
        _optional(_duration),
        "How many seconds an ended task can be read.",
        _CALLS,
        "the gateway's, a day",
    ),
    Option(
        "task_publish_retry", True, _switch, "False: a call raises at the first failure to reach the gateway.", _CALLS
    ),
    Option(
        "task_publish_retry_policy",
        types.MappingProxyType({}),
        _policy,
        "Tries of a call: max_retries, interval_start, interval_step, interval_max, retry_errors.",
        _CALLS,
        "for 20 seconds",
    ),
    Option("task_serializer", "json", _TEXT, "How arguments are written.", _CONTENT),
    Option("result_serializer", "json", _TEXT, "How results and progress are written.", _CONTENT),
    Option(
        "accept_content",
        serialization.SAFE,
        _accepted,
        'What is written and read beside JSON. "pickle" runs code of whoever wrote it.',
        _CONTENT,
        "msgpack and yaml",
    ),
    Option("task_compression", None, _OPTIONAL_TEXT, "How arguments are compressed.", _CONTENT),
    Option("result_compression", None, _OPTIONAL_TEXT, "How results and progress are compressed.", _CONTENT),
    Option(
        "max_decompressed_bytes",
        MAX_BYTES,
        _whole(1),
        "How large a payload may become when it is decompressed.",
        _CONTENT,
    ),
    Option(
        "worker_concurrency",
        None,
        _optional(_whole(1)),
        "How many tasks a worker runs at once.",
        _WORKER,
        "one a processor",
        "concurrency",
    ),
    Option("worker_pool", None, _OPTIONAL_TEXT, "How it runs them.", _WORKER, "process", "pool"),
    Option(
        "worker_max_tasks_per_child",
        None,
        _optional(_whole(1)),
        "A child is replaced after so many tasks.",
        _WORKER,
        "never",
        "max_tasks_per_child",
    ),
    Option(
        "worker_max_memory_per_child",
        None,
        _optional(_whole(1)),
        "A child is replaced when it has more, in kilobytes.",
        _WORKER,
        "never",
        "max_memory_per_child",
    ),
    Option(
        "worker_soft_shutdown_timeout",
        None,
        _optional(_duration),
        "How many seconds a cold shutdown leaves to what runs.",
        _WORKER,
        "none",
        "soft_shutdown_timeout",
    ),
    Option(
        "worker_proc_alive_timeout",
        None,
        _optional(_duration),
        "How many seconds a child may take to start.",
        _WORKER,
        "60",
        "start_timeout",
    ),
    Option(
        "worker_log_format", None, _OPTIONAL_TEXT, "The form of the log's lines.", _LOG, "time, level, process, message"
    ),
    Option(
        "worker_task_log_format",
        None,
        _OPTIONAL_TEXT,
        "The same of those that are written in a task.",
        _LOG,
        "time, level, process, message",
    ),
    Option(
        "worker_log_datefmt",
        None,
        _OPTIONAL_TEXT,
        "How times are written in it, as time.strftime has it.",
        _LOG,
        "2026-01-31 12:00:00,000",
    ),
    Option("worker_task_log_datefmt", None, _OPTIONAL_TEXT, "The same in tasks.", _LOG, "2026-01-31 12:00:00,000"),
    Option("worker_log_color", None, _optional(_switch), "Whether levels have colours.", _LOG, "on a terminal"),
    Option(
        "worker_hijack_root_logger",
        False,
        _switch,
        "Take away the handlers that your modules gave the root logger.",
        _LOG,
    ),
    Option(
        "worker_redirect_stdouts", None, _optional(_switch), "Log what tasks print.", _LOG, "`True`", "redirect_stdouts"
    ),
    Option(
        "worker_redirect_stdouts_level", None, _OPTIONAL_TEXT, "Its level.", _LOG, "`WARNING`", "redirect_stdouts_level"
    ),
    Option(
        "task_always_eager",
        False,
        _switch,
        "Run what is submitted here and now, without a gateway, and give EagerResults.",
        _TESTS,
    ),
    Option("task_eager_propagates", False, _switch, "Raise then, at the submit, what a task raises.", _TESTS),
    Option(
        "task_store_eager_result",
        False,
        _switch,
        "Have the gateway keep what comes of each such task, and of apply().",
        _TESTS,
    ),
)

OPTIONS: Final[Mapping[str, Option]] = {one.name: one for one in _TABLE}
