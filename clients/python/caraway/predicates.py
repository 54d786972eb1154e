"""What a task raises to steer its own end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from caraway.error_bases import CarawayError

__all__ = ["Ignore", "Reject", "Replaced", "Retry", "TaskPredicate"]


class TaskPredicate(CarawayError):
    """Base of what a task raises to steer its own end."""


class Retry(TaskPredicate):
    """The task is to be tried again. Raised by `Task.retry`; raised by hand, nobody counts the retries."""

    def __init__(
        self,
        message: str | None = None,
        exc: BaseException | str | None = None,
        when: float | timedelta | datetime | None = None,
        is_eager: bool = False,
        sig: Any = None,
        *,
        overrides: Any = None,
    ) -> None:
        """`exc` is the error that made it necessary, or its text.

        `when` is the wait before the next attempt, in seconds or as a timedelta, or the instant (with a time zone) to
        wait for; by default it is at once. `overrides` is a TaskSpec with what the next attempt has different.
        `is_eager` and `sig` are kept for Celery's programs.
        """
        self.message = message
        self.exc = None if isinstance(exc, str) else exc
        self.excs = exc if exc is None or isinstance(exc, str) else _repr(exc)
        """The error as text."""
        self.when = when
        self.is_eager = is_eager
        self.sig = sig
        self.overrides = overrides
        super().__init__(str(self))

    def __str__(self) -> str:
        """The message; without one "Retry in 3s: OSError('away')"."""
        return self.message or f"Retry {self.humanize()}" + (f": {self.excs}" if self.excs else "")

    def humanize(self) -> str:
        """Say when: "in 3s", "at" an instant, or "now"."""
        if isinstance(self.when, datetime):
            return f"at {self.when}"
        return f"in {self.delay:g}s" if self.delay else "now"

    @property
    def delay(self) -> float:
        """The wait from now, in seconds."""
        when = self.when
        if isinstance(when, datetime):
            when = when - datetime.now(UTC)
        seconds = when.total_seconds() if isinstance(when, timedelta) else when or 0.0
        return max(seconds, 0.0)


def _repr(exc: BaseException) -> str:
    try:
        return repr(exc)
    except Exception:
        return f"<{type(exc).__name__}>"


class Ignore(TaskPredicate):
    """The task ends without an outcome."""


class Replaced(Ignore):
    """The task gives its place to other nodes, and ends as one of them does: see `Task.replace`."""

    def __init__(self, nodes: Sequence[Any], output_node_id: str, plan: Any = None) -> None:
        """`nodes` are WorkflowNode messages, as TaskReport.Replaced has them; `output_node_id` is the one that counts.

        `plan` is the canvas that they are compiled from; where the task runs here and now it is all there is.
        """
        super().__init__("Replaced by new task")
        self.nodes = nodes
        self.output_node_id = output_node_id
        self.plan = plan


class Reject(TaskPredicate):
    """The worker refuses the task."""

    def __init__(self, reason: object = None, requeue: bool = False) -> None:
        """`reason` is a text, or the error that it is for. `requeue=True` hands it back to its queue."""
        super().__init__(reason, requeue)
        self.reason = reason
        self.requeue = requeue

    def __str__(self) -> str:
        """The reason, as text."""
        return "" if self.reason is None else str(self.reason)

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"reject requeue={self.requeue}: {self.reason}"
