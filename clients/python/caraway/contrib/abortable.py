"""Tasks that a caller may ask to stop, and that look now and then whether they were asked.

@app.task(bind=True, base=AbortableTask)
def long(self):
    for part in parts():
        if self.is_aborted():
            return "stopped early"
        work(part)

result = long.delay()
result.abort()
"""

from typing import Any, Final, ParamSpec, TypeVar

from caraway import states
from caraway.async_result import AsyncResult
from caraway.task import Task
from caraway.v1 import task_pb2

__all__ = ["ABORTED", "AbortableAsyncResult", "AbortableTask"]

P = ParamSpec("P")
R = TypeVar("R")

ABORTED: Final = "ABORTED"
"""State of a task that was asked to abort and has not ended since, or never started."""


class AbortableAsyncResult(AsyncResult[R]):
    """The result of an AbortableTask."""

    __slots__ = ()

    def abort(self) -> None:
        """Ask the task to stop. One that has not started never does: get() then raises TaskRevokedError.

        A running one sees it by `is_aborted()` and ends as it likes; one that has ended is left as it is. Raises
        TaskNotFound.
        """
        self._cancel(ABORTED)

    async def aabort(self) -> None:
        """Async twin of `abort`."""
        await self._acancel(ABORTED)

    def is_aborted(self) -> bool:
        """True once `abort` was called, unless the task had ended."""
        return self._read(full=False).cancel_reason == ABORTED

    async def ais_aborted(self) -> bool:
        """Async twin of `is_aborted`."""
        return (await self._aread(full=False)).cancel_reason == ABORTED

    def _state_of(self, task: task_pb2.Task) -> str:
        state = super()._state_of(task)
        is_over = state in states.READY_STATES and state != states.REVOKED
        return ABORTED if task.cancel_reason == ABORTED and not is_over else state


class AbortableTask(Task[P, R]):
    """Base class of tasks that can be asked to stop."""

    abstract = True
    result_class = AbortableAsyncResult

    def is_aborted(self, **_kwargs: Any) -> bool:
        """True once the caller has asked the running task to stop; look often. Costs no call of the gateway."""
        return self.request.cancel_requested
