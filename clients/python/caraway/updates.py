"""Updates: how a task goes on, told as it changes."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from caraway import states
from caraway.exceptions import TimeoutError
from caraway.outcome import shown
from caraway.payload import ReadingRules
from caraway.v1 import task_pb2

__all__ = ["Following", "Update", "Updates"]

_FROM_THE_START: Final = 1
"""The revision of a task to which nothing has happened yet."""


@dataclass(frozen=True, slots=True)
class Update:
    """A change of a task: its state by Celery's name, or of its own making; `result` as AsyncResult.result."""

    task_id: str
    state: str
    result: Any
    traceback: str | None
    date_done: datetime | None

    def as_message(self) -> dict[str, Any]:
        """As Celery hands it to `on_message`."""
        return {
            "task_id": self.task_id,
            "status": self.state,
            "result": self.result,
            "traceback": self.traceback,
            "date_done": self.date_done,
        }


class Following:
    """Where a look at a task that goes on stands: until when, and what was told. Rules only: nothing here waits."""

    __slots__ = ("_beat", "_deadline", "_rules", "_state_of", "_task_id", "_timeout", "_told", "revision")

    def __init__(
        self,
        task_id: str,
        rules: ReadingRules,
        state_of: Callable[[task_pb2.Task], str],
        timeout: float | None,
        beat: float | None,
    ) -> None:
        """`rules` say which payloads are read, `state_of` names a task's state.

        `timeout` is in seconds, None waits for ever; no wait outlasts `beat`.
        """
        self._task_id = task_id
        self._rules = rules
        self._state_of = state_of
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._beat = beat
        self._told: tuple[str, int, bytes] | None = None
        self.revision = _FROM_THE_START

    def patience(self) -> float | None:
        """Give the longest next wait, in seconds."""
        left = None if self._deadline is None else max(self._deadline - time.monotonic(), 0.0)
        if left is None or self._beat is None:
            return self._beat if left is None else left
        return min(left, self._beat)

    def pause(self, error: TimeoutError) -> None:
        """Take in that a wait went by. Raises TimeoutError if it was the last."""
        if self._deadline is not None and self._deadline <= time.monotonic():
            raise TimeoutError(f"the task {self._task_id} did not end within {self._timeout:g} s") from error

    def take(self, task: task_pb2.Task) -> Update | None:
        """Take in how the task stands; None if that is no news. That it waits is none."""
        self.revision = max(self.revision, task.revision)
        state = self._state_of(task)
        key = (state, task.attempt, task.progress.SerializeToString())
        if state == states.PENDING or key == self._told:
            return None
        self._told = key
        done = task.end_time.ToDatetime(tzinfo=UTC) if task.HasField("end_time") else None
        return Update(self._task_id, state, shown(task, self._rules), task.error.traceback or None, done)


class Updates:
    """Iterates over a task's changes, by `for` or `async for`, until its end, which is the last of them.

    Changes in quick succession may be told as one, the latest.
    """

    __slots__ = ("_afollow", "_follow")

    def __init__(
        self, follow: Callable[[], Iterator[Update | None]], afollow: Callable[[], AsyncIterator[Update | None]]
    ) -> None:
        """Made by AsyncResult.updates."""
        self._follow = follow
        self._afollow = afollow

    def __iter__(self) -> Iterator[Update]:
        """Begin to follow the task."""
        return (update for update in self._follow() if update is not None)

    def __aiter__(self) -> AsyncIterator[Update]:
        """Begin to follow the task from an event loop."""
        return (update async for update in self._afollow() if update is not None)
