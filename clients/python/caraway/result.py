"""AsyncResult: a submitted task, to be asked how it stands and what it returned."""

from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar, cast

from caraway import batch, request, states
from caraway.exceptions import TaskNotFound, TimeoutError
from caraway.gateway import HasGateway
from caraway.payload import decode, decode_arguments
from caraway.spec import Seconds, seconds
from caraway.v1 import task_pb2, task_service_pb2
from caraway.wire_error import to_exception

__all__ = ["AsyncResult"]

R = TypeVar("R")
_State = task_pb2.Task
_TERMINAL: Final = frozenset(
    {
        _State.STATE_SUCCEEDED,
        _State.STATE_FAILED,
        _State.STATE_REVOKED,
        _State.STATE_EXPIRED,
        _State.STATE_REJECTED,
        _State.STATE_IGNORED,
    }
)
_Mode = task_service_pb2.RevokeTasksRequest
_Deleted = task_service_pb2.DeleteTasksResponse.Result


class AsyncResult(Generic[R]):
    """A submitted task. Reading it calls the gateway until the task has ended; what an ended task left is kept here.

    Reading raises TaskNotFound for an id that the gateway does not know (Celery would say PENDING), OperationalError
    when the gateway stays away. Every call that blocks has an async twin: `aget`, `astate`, `arevoke` ...
    """

    __slots__ = ("_ended", "_full", "app", "id")

    TimeoutError = TimeoutError

    def __init__(self, id: str, app: HasGateway) -> None:
        """`id` is the task's; `app.AsyncResult(id)` is the shorter way."""
        self.id = id
        self.app = app
        self._ended: task_pb2.Task | None = None
        self._full = False

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"<{type(self).__name__}: {self.id}>"

    def __str__(self) -> str:
        """The id."""
        return self.id

    def __eq__(self, other: object) -> bool:
        """Equal to a result of the same id, and to the id."""
        return self.id == other.id if isinstance(other, AsyncResult) else self.id == other

    def __hash__(self) -> int:
        """As the id's."""
        return hash(self.id)

    # Waiting

    def get(
        self,
        timeout: Seconds | None = None,
        propagate: bool = True,
        interval: float | None = None,
        disable_sync_subtasks: bool = True,
    ) -> R:
        """Wait for the task's end and return what it returned; None for one that was ignored or keeps no result.

        Raises what the task raised, as its class if this process has loaded it, else RemoteError; with
        `propagate=False` that exception is returned. Raises TimeoutError after `timeout` seconds; None waits for ever.
        Outages of the gateway are waited through. `interval` is taken for Celery's sake: nothing is polled.

        Inside a task it raises RuntimeError, as waiting there holds a slot that the other task may need;
        `disable_sync_subtasks=False` allows it.
        """
        self._forbid_inside_task(disable_sync_subtasks)
        if self._ended is None or not self._full:
            batch.flush(self.app)
            span = None if timeout is None else seconds("timeout", timeout)
            self._keep(self.app.gateway.wait(self.id, span), full=True)
        return self._outcome(propagate)

    async def aget(
        self,
        timeout: Seconds | None = None,
        propagate: bool = True,
        interval: float | None = None,
        disable_sync_subtasks: bool = True,
    ) -> R:
        """Async twin of `get`."""
        self._forbid_inside_task(disable_sync_subtasks)
        if self._ended is None or not self._full:
            await batch.aflush(self.app)
            span = None if timeout is None else seconds("timeout", timeout)
            self._keep(await self.app.gateway.await_(self.id, span), full=True)
        return self._outcome(propagate)

    def _forbid_inside_task(self, forbidden: bool) -> None:
        running = request.current()
        if forbidden and running is not None and not running.called_directly:
            raise RuntimeError(
                "get() inside a task waits for another task while it holds a slot that this one may need; "
                "get(disable_sync_subtasks=False) allows it"
            )

    def _keep(self, task: task_pb2.Task, full: bool) -> task_pb2.Task:
        if task.state in _TERMINAL:
            self._ended, self._full = task, full
        return task

    def _outcome(self, propagate: bool) -> R:
        outcome = self._value(cast(task_pb2.Task, self._ended))
        if propagate and isinstance(outcome, _Raised):
            raise outcome.exc
        return cast(R, outcome.exc if isinstance(outcome, _Raised) else outcome)

    @staticmethod
    def _value(task: task_pb2.Task) -> Any:
        if task.state == _State.STATE_SUCCEEDED:
            return decode(task.result) if task.HasField("result") else None
        if task.state == _State.STATE_IGNORED:
            return None
        if task.state in _TERMINAL or task.state == _State.STATE_RETRYING:
            return _Raised(to_exception(task.error))
        return decode(task.progress) if task.HasField("progress") else None

    # How it stands

    def _read(self, full: bool) -> task_pb2.Task:
        if self._ended is not None and (self._full or not full):
            return self._ended
        batch.flush(self.app)
        return self._keep(self.app.gateway.read(self.id, full=full), full)

    async def _aread(self, full: bool) -> task_pb2.Task:
        if self._ended is not None and (self._full or not full):
            return self._ended
        await batch.aflush(self.app)
        return self._keep(await self.app.gateway.aread(self.id, full=full), full)

    @property
    def state(self) -> str:
        """Celery's name of the task's state, or the state of its own that it reported by `update_state`."""
        return self._state_of(self._read(full=False))

    status = state

    async def astate(self) -> str:
        """Async twin of `state`."""
        return self._state_of(await self._aread(full=False))

    def _state_of(self, task: task_pb2.Task) -> str:
        return states.of(task)

    @property
    def result(self) -> Any:
        """What it returned, the exception it failed or is retried with, or the meta of its last `update_state`."""
        return self._shown(self._read(full=True))

    info = result

    async def aresult(self) -> Any:
        """Async twin of `result`."""
        return self._shown(await self._aread(full=True))

    def _shown(self, task: task_pb2.Task) -> Any:
        value = self._value(task)
        return value.exc if isinstance(value, _Raised) else value

    @property
    def traceback(self) -> str | None:
        """The traceback of the error, as the worker saw it; None without an error."""
        return self._read(full=True).error.traceback or None

    async def atraceback(self) -> str | None:
        """Async twin of `traceback`."""
        return (await self._aread(full=True)).error.traceback or None

    def ready(self) -> bool:
        """True once the task has ended, however it did."""
        return self._read(full=False).state in _TERMINAL

    async def aready(self) -> bool:
        """Async twin of `ready`."""
        return (await self._aread(full=False)).state in _TERMINAL

    def successful(self) -> bool:
        """True if the task ended well."""
        return self._read(full=False).state == _State.STATE_SUCCEEDED

    async def asuccessful(self) -> bool:
        """Async twin of `successful`."""
        return (await self._aread(full=False)).state == _State.STATE_SUCCEEDED

    def failed(self) -> bool:
        """True if the task ended by an error."""
        return self._read(full=False).state == _State.STATE_FAILED

    async def afailed(self) -> bool:
        """Async twin of `failed`."""
        return (await self._aread(full=False)).state == _State.STATE_FAILED

    @property
    def name(self) -> str:
        """The task's name."""
        return self._read(full=False).spec.name

    @property
    def args(self) -> tuple[Any, ...]:
        """Its positional arguments."""
        return decode_arguments(self._read(full=True).spec)[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        """Its keyword arguments."""
        return decode_arguments(self._read(full=True).spec)[1]

    @property
    def queue(self) -> str:
        """The queue it was sent to."""
        return self._read(full=False).spec.queue

    @property
    def retries(self) -> int:
        """How often it was tried again so far."""
        return max(self._read(full=False).attempt - 1, 0)

    @property
    def date_done(self) -> datetime | None:
        """When it ended, in UTC; None before."""
        task = self._read(full=False)
        return task.end_time.ToDatetime(tzinfo=UTC) if task.HasField("end_time") else None

    # Ending it

    def revoke(
        self,
        terminate: bool = False,
        signal: str | None = None,
        reason: str | None = None,
        grace: Seconds | None = None,
    ) -> None:
        """Revoke the task: it never starts if it has not started. A running one goes on, unless `terminate`.

        `terminate=True` sends its process `signal` (default "SIGTERM") and kills it `grace` seconds later (default 0).
        `reason` is kept with the task. Raises TaskNotFound.
        """
        batch.flush(self.app)
        self._check_revoked(self.app.gateway.revoke(self._revocation(terminate, signal, reason, grace)))

    async def arevoke(
        self,
        terminate: bool = False,
        signal: str | None = None,
        reason: str | None = None,
        grace: Seconds | None = None,
    ) -> None:
        """Async twin of `revoke`."""
        await batch.aflush(self.app)
        self._check_revoked(await self.app.gateway.arevoke(self._revocation(terminate, signal, reason, grace)))

    def _revocation(
        self, terminate: bool, signal: str | None, reason: str | None, grace: Seconds | None
    ) -> task_service_pb2.RevokeTasksRequest:
        if not terminate and (signal is not None or grace is not None):
            raise ValueError("signal and grace need terminate=True")
        revocation = task_service_pb2.RevokeTasksRequest(
            mode=_Mode.MODE_TERMINATE if terminate else _Mode.MODE_PENDING_ONLY,
            reason=reason or "",
            signal=signal or "",
        )
        revocation.selector.task_ids.append(self.id)
        if grace is not None:
            revocation.grace.FromNanoseconds(round(seconds("grace", grace) * 1e9))
        return revocation

    def _cancel(self, reason: str) -> None:
        """Ask a task to stop by itself; one that has not started is revoked."""
        batch.flush(self.app)
        self._check_revoked(self.app.gateway.revoke(self._cancellation(reason)))

    async def _acancel(self, reason: str) -> None:
        await batch.aflush(self.app)
        self._check_revoked(await self.app.gateway.arevoke(self._cancellation(reason)))

    def _cancellation(self, reason: str) -> task_service_pb2.RevokeTasksRequest:
        return task_service_pb2.RevokeTasksRequest(
            selector=task_pb2.TaskSelector(task_ids=[self.id]), mode=_Mode.MODE_CANCEL, reason=reason
        )

    def _check_revoked(self, response: task_service_pb2.RevokeTasksResponse) -> None:
        if response.results[0].outcome == task_service_pb2.RevokeTasksResponse.Result.OUTCOME_NOT_FOUND:
            raise self._not_found()

    def forget(self) -> None:
        """Delete the ended task with its result. Raises TaskNotFound, and ValueError if it has not ended."""
        batch.flush(self.app)
        self._check_forgotten(self.app.gateway.delete(self._deletion()))

    async def aforget(self) -> None:
        """Async twin of `forget`."""
        await batch.aflush(self.app)
        self._check_forgotten(await self.app.gateway.adelete(self._deletion()))

    def _deletion(self) -> task_service_pb2.DeleteTasksRequest:
        return task_service_pb2.DeleteTasksRequest(selector=task_pb2.TaskSelector(task_ids=[self.id]))

    def _check_forgotten(self, response: task_service_pb2.DeleteTasksResponse) -> None:
        outcome = response.results[0].outcome
        if outcome == _Deleted.OUTCOME_NOT_FOUND:
            raise self._not_found()
        if outcome == _Deleted.OUTCOME_NOT_TERMINAL:
            raise ValueError(f"the task {self.id} has not ended: revoke it first")
        self._ended = None

    def _not_found(self) -> TaskNotFound:
        return TaskNotFound(
            f"there is no task {self.id}", reason="TASK_NOT_FOUND", code="NOT_FOUND", metadata={"task_id": self.id}
        )


class _Raised:
    """Tells an exception that a task raised from one that it returned."""

    __slots__ = ("exc",)

    def __init__(self, exc: BaseException) -> None:
        self.exc = exc
