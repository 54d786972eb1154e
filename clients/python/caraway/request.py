"""What a running task is told about itself: `self.request`."""

import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

__all__ = [
    "CHORD_HEADER",
    "GROUP_HEADER",
    "PARENT_HEADER",
    "ROOT_HEADER",
    "SHADOW_HEADER",
    "Context",
    "changed",
    "current",
    "current_task",
    "pop",
    "push",
]

ROOT_HEADER: Final = "caraway-root-id"
"""Header with the id of the first task of a family; the SDK sets it on what a running task submits."""

PARENT_HEADER: Final = "caraway-parent-id"
"""Header with the id of the task that submitted this one."""

SHADOW_HEADER: Final = "caraway-shadow"
"""Header with the name that logs show instead of the task's."""

GROUP_HEADER: Final = "caraway-group-id"
"""Header with the id of the group that a task is a member of."""

CHORD_HEADER: Final = "caraway-chord"
"""Header with the id of the group whose results a task waits for."""


def _no_progress(_state: str, _meta: Any) -> None:
    """Drop the progress of a task that no worker runs."""


def _never() -> bool:
    """Answer that nobody asked for cancellation."""
    return False


@dataclass(slots=True, kw_only=True, eq=False)
class Context:
    """One run of a task, as `self.request` shows it. Durations are in seconds.

    `fence` grows with every delivery of the task: store it with what the task writes, to refuse a stale worker's write.
    `delivery_count` above `attempt` says that it was delivered before and may have run.
    """

    id: str = ""
    task: str = ""
    args: tuple[Any, ...] = field(default=(), repr=False)  # never in a log by itself: some are hidden
    kwargs: dict[str, Any] = field(default_factory=dict, repr=False)
    argsrepr: str = ""
    """What its sender wants shown instead of `args`; empty where it gave nothing."""
    kwargsrepr: str = ""
    attempt: int = 1
    delivery_count: int = 1
    fence: int = 0
    hostname: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delivery_info: dict[str, Any] = field(default_factory=dict)
    timelimit: tuple[float | None, float | None] = (None, None)
    expires: datetime | None = None
    is_eager: bool = False
    called_directly: bool = False
    root_id: str | None = None
    parent_id: str | None = None
    shadow: str | None = None
    ignore_result: bool = False
    stamps: dict[str, list[Any]] = field(default_factory=dict)
    """What it was stamped with: each stamp's values, by its name."""
    trail: bool = True
    """False: what it submits is not listed among its children."""
    report_progress: Callable[[str, Any], None] = field(default=_no_progress, repr=False)
    is_cancelled: Callable[[], bool] = field(default=_never, repr=False)
    added_nodes: list[Any] | None = field(default=None, repr=False)
    """WorkflowNode messages that go with the task's success; see TaskReport.Succeeded.added_nodes."""
    added: list[Any] | None = None
    """Canvases that an eager task adds to the group that it is a member of."""
    app: Any = field(default=None, repr=False)
    """The app whose task it is."""
    outer: "Context | None" = field(default=None, repr=False)
    """Where Task.pop_request goes back to."""
    eta: datetime | None = None
    """When its sender wanted it to run; None: at once."""
    entered: bool = False
    """Set once the task's body runs: a task that calls itself like a function is then called directly."""

    @property
    def group(self) -> str | None:
        """The id of the group that it is a member of."""
        return self.headers.get(GROUP_HEADER)

    taskset = group

    chain = chord = callbacks = errbacks = None
    """What comes after it: the gateway knows, and runs it."""
    reply_to = origin = logfile = loglevel = None
    utc = True

    @property
    def time_limit(self) -> float | None:
        """The first of `timelimit`."""
        return self.timelimit[0]

    @property
    def soft_time_limit(self) -> float | None:
        """The second of `timelimit`."""
        return self.timelimit[1]

    @property
    def correlation_id(self) -> str:
        """Its id."""
        return self.id

    @property
    def properties(self) -> dict[str, Any]:
        """What Celery's messages have beside their headers, as far as there is such."""
        return {
            "correlation_id": self.id,
            "reply_to": None,
            "priority": self.delivery_info.get("priority"),
            "delivery_info": self.delivery_info,
        }

    def get(self, key: str, default: Any = None) -> Any:
        """Give an attribute, or the default where there is none."""
        return getattr(self, key, default)

    @property
    def stamped_headers(self) -> list[str]:
        """The names of its stamps."""
        return list(self.stamps)

    @property
    def retries(self) -> int:
        """Attempts before this one."""
        return self.attempt - 1

    @property
    def cancel_requested(self) -> bool:
        """True once cancellation of this task was asked for; a task may look at it and stop."""
        return self.is_cancelled()


_current: contextvars.ContextVar[Context | None] = contextvars.ContextVar("caraway_request", default=None)

current = _current.get
"""The context of the task that runs here, or None."""


def current_task() -> Any:
    """Give the task that runs here, or None."""
    running = current()
    return None if running is None or running.app is None else running.app.tasks.get(running.task)


def changed(context: Context, **changes: Any) -> Context:
    """Copy a context, with these of its fields. Raises TypeError for what is no field."""
    kept = {field.name: getattr(context, field.name) for field in fields(Context)}
    return Context(**{**kept, **changes})


def push(context: Context | None) -> contextvars.Token[Context | None]:
    """Make `context` the current one; returns what `pop` needs."""
    return _current.set(context)


def pop(token: contextvars.Token[Context | None]) -> None:
    """Restore what was current before `push`."""
    _current.reset(token)
