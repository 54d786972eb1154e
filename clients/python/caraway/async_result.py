"""AsyncResult: a submitted task, to be asked how it stands and what it returned."""

import inspect
from collections.abc import AsyncIterator, Callable, Container, Iterator
from typing import Any, Final, Generic, NoReturn, Self, TypeVar, cast

from caraway import batch, states
from caraway.chord_errors import chord_error
from caraway.current import current_app
from caraway.durations import Seconds, seconds
from caraway.exceptions import TimeoutError
from caraway.gateway import HasGateway
from caraway.joining import refuse_inside_task
from caraway.outcome import TERMINAL, Raised, outcome_of
from caraway.request import CHORD_HEADER
from caraway.task_ending import TaskEnding
from caraway.task_facts import TaskFacts
from caraway.updates import Following, Update, Updates
from caraway.v1 import task_pb2

__all__ = ["AsyncResult"]

R = TypeVar("R")
_State = task_pb2.Task
_USUAL_INTERVAL: Final = 0.5
"""Seconds between two calls of on_interval, as Celery has it."""


class AsyncResult(TaskFacts, TaskEnding, Generic[R]):
    """A submitted task. Reading it calls the gateway until the task has ended; what an ended task left is kept here.

    Reading raises TaskNotFound for an id that the gateway does not know (Celery would say PENDING), OperationalError
    when the gateway stays away. Every call that blocks has an async twin: `aget`, `astate`, `arevoke` ...
    """

    __slots__ = ("_full", "app", "id", "ignored", "parent")

    TimeoutError = TimeoutError

    def __init__(self, id: str, app: HasGateway | None = None, parent: Any = None) -> None:
        """`id` is the task's, `parent` the result before it in its canvas; `app` is by default the current one.

        Raises ValueError without an id.
        """
        if id is None:
            raise ValueError("an AsyncResult is to have the id of a task, not None")
        self.id = id
        self.app: HasGateway = current_app() if app is None else app
        self.parent = parent
        self.ignored = False
        """True: `get` waits for nothing and gives None. Of what a call with `ignore_result` gives it is; an AsyncResult
        that is made of the id waits for the task's end."""
        self._ended = None
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

    def __copy__(self) -> Self:
        """Another of the same task and app, which has read nothing yet."""
        return type(self)(self.id, self.app, self.parent)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by its id: where it is read it is of the app that is current there."""
        return type(self), (self.id, None, self.parent)

    @property
    def task_id(self) -> str:
        """The id, by an old name."""
        return self.id

    # Waiting

    def get(
        self,
        timeout: Seconds | None = None,
        propagate: bool = True,
        interval: Seconds | None = None,
        no_ack: bool = True,
        follow_parents: bool = True,
        callback: Callable[[str, Any], Any] | None = None,
        on_message: Callable[[dict[str, Any]], Any] | None = None,
        on_interval: Callable[[], Any] | None = None,
        disable_sync_subtasks: bool = True,
        EXCEPTION_STATES: Container[str] = states.EXCEPTION_STATES,
        PROPAGATE_STATES: Container[str] = states.PROPAGATE_STATES,
    ) -> R:
        """Wait for the task's end and return what it returned; None for one that was ignored or keeps no result.

        Raises what the task raised, as its class if this process has loaded it, else RemoteError; with
        `propagate=False`, or if the state it ended in is not in both `EXCEPTION_STATES` and `PROPAGATE_STATES`, that
        exception is returned. Raises TimeoutError after `timeout` seconds; None waits for ever. Outages of the gateway
        are waited through.

        `callback(task_id, value)` is called with what is returned. `on_message(body)` is called with each change until
        then, the end included: a dict of "task_id", "status", "result" (or progress), "traceback" and "date_done".
        `on_interval()` is called every `interval` seconds (0.5) of waiting; nothing is polled, and the interval matters
        for it alone. `no_ack` and `follow_parents` are taken for Celery's sake: nothing is to be acknowledged, and a
        task whose parent failed ends by itself.

        Inside a task it raises RuntimeError, as waiting there holds a slot that the other task may need;
        `disable_sync_subtasks=False` or `allow_join_result()` allows it.
        """
        if self.ignored:
            return cast(R, None)
        if disable_sync_subtasks:
            refuse_inside_task()
        if self._ended is None or not self._full:
            following = self._following(timeout, interval, on_interval is not None)
            if on_message is None and on_interval is None:
                batch.flush(self.app)
                self._keep(self.app.gateway.wait(self.id, following.patience()), full=True)
            else:
                for update in self._follow(following):
                    _call_back(update, on_message, on_interval)
        value = self._outcome(propagate, EXCEPTION_STATES, PROPAGATE_STATES)
        if callback is not None:
            callback(self.id, value)
        return value

    wait = get

    async def aget(
        self,
        timeout: Seconds | None = None,
        propagate: bool = True,
        interval: Seconds | None = None,
        no_ack: bool = True,
        follow_parents: bool = True,
        callback: Callable[[str, Any], Any] | None = None,
        on_message: Callable[[dict[str, Any]], Any] | None = None,
        on_interval: Callable[[], Any] | None = None,
        disable_sync_subtasks: bool = True,
        EXCEPTION_STATES: Container[str] = states.EXCEPTION_STATES,
        PROPAGATE_STATES: Container[str] = states.PROPAGATE_STATES,
    ) -> R:
        """Async twin of `get`. Callbacks may be coroutine functions, and are awaited."""
        if self.ignored:
            return cast(R, None)
        if disable_sync_subtasks:
            refuse_inside_task()
        if self._ended is None or not self._full:
            following = self._following(timeout, interval, on_interval is not None)
            if on_message is None and on_interval is None:
                await batch.aflush(self.app)
                self._keep(await self.app.gateway.await_(self.id, following.patience()), full=True)
            else:
                async for update in self._afollow(following):
                    await _settled(_call_back(update, on_message, on_interval))
        value = self._outcome(propagate, EXCEPTION_STATES, PROPAGATE_STATES)
        if callback is not None:
            await _settled(callback(self.id, value))
        return value

    def updates(self, timeout: Seconds | None = None, disable_sync_subtasks: bool = True) -> Updates:
        """Follow the task: `for update in result.updates()`, or `async for`, gives an Update for each change.

        The first says how it stands, unless it waits yet; the last, how it ended. A failure is not raised. Raises
        TimeoutError `timeout` seconds after the iteration began, and inside a task RuntimeError as `get`.
        """
        if disable_sync_subtasks:
            refuse_inside_task()
        return Updates(lambda: self._follow(self._following(timeout)), lambda: self._afollow(self._following(timeout)))

    def _following(self, timeout: Seconds | None, interval: Seconds | None = None, has_beat: bool = False) -> Following:
        beat = seconds("interval", _USUAL_INTERVAL if interval is None else interval)
        if beat <= 0:
            raise ValueError(f"interval is to be above 0, not {interval!r}")
        span = None if timeout is None else seconds("timeout", timeout)
        return Following(self.id, self.app, self._state_of, span, beat if has_beat else None)

    def _follow(self, following: Following) -> Iterator[Update | None]:
        """Give each change until the end, and None whenever a beat went by without one."""
        batch.flush(self.app)
        task = self._ended if self._full else None
        if task is not None:
            yield following.take(task)
        while task is None or task.state not in TERMINAL:
            try:
                task = self.app.gateway.wait(self.id, following.patience(), following.revision)
            except TimeoutError as error:
                following.pause(error)
                yield None
                continue
            self._keep(task, full=True)
            update = following.take(task)
            if update is not None:
                yield update

    async def _afollow(self, following: Following) -> AsyncIterator[Update | None]:
        """Async twin of `_follow`."""
        await batch.aflush(self.app)
        task = self._ended if self._full else None
        if task is not None:
            yield following.take(task)
        while task is None or task.state not in TERMINAL:
            try:
                task = await self.app.gateway.await_(self.id, following.patience(), following.revision)
            except TimeoutError as error:
                following.pause(error)
                yield None
                continue
            self._keep(task, full=True)
            update = following.take(task)
            if update is not None:
                yield update

    def _keep(self, task: task_pb2.Task, full: bool) -> task_pb2.Task:
        if task.state in TERMINAL:
            self._ended, self._full = task, full
        return task

    def keep(self, task: task_pb2.Task) -> None:
        """Keep what the gateway told of the task, in full, where it has ended."""
        self._keep(task, full=True)

    @property
    def is_kept(self) -> bool:
        """True if the task is known to have ended, and how."""
        return self._ended is not None and self._full

    def _outcome(self, propagate: bool, exception_states: Container[str], propagate_states: Container[str]) -> R:
        task = cast(task_pb2.Task, self._ended)
        outcome = self._met(task)
        if not isinstance(outcome, Raised):
            return cast(R, outcome)
        state = states.of(task)
        if propagate and state in exception_states and state in propagate_states:
            raise outcome.exc
        return cast(R, outcome.exc)

    def _met(self, task: task_pb2.Task) -> Any:
        """Give what the task left. Where a task of a group failed that it waited for, that is a ChordError."""
        outcome = outcome_of(task, self.app)
        failed = task.error.failed_task_id
        if failed and isinstance(outcome, Raised):
            before = self.lineage()[1:]
            joins = CHORD_HEADER in task.spec.headers or any(one.is_group for one in before)
            if joins and failed not in {one.id for one in before}:
                return Raised(chord_error(failed, outcome.exc))
        return outcome

    def _shown(self, task: task_pb2.Task) -> Any:
        outcome = self._met(task)
        return outcome.exc if isinstance(outcome, Raised) else outcome

    # Raising what it ended by

    def throw(self, exc: BaseException, *_celery: Any) -> NoReturn:
        """Raise `exc`, as Celery has it."""
        raise exc

    def maybe_throw(self, propagate: bool = True, callback: Callable[[str, Any], Any] | None = None) -> Any:
        """Raise what it ended by, if it did not end well and `propagate`; else give its `result` as it stands now.

        `callback(task_id, result)` is called with what is given. Does not wait.
        """
        return self._thrown(self._read(full=True), propagate, callback)

    maybe_reraise = maybe_throw

    async def amaybe_throw(self, propagate: bool = True, callback: Callable[[str, Any], Any] | None = None) -> Any:
        """Async twin of `maybe_throw`."""
        return self._thrown(await self._aread(full=True), propagate, callback)

    def _thrown(self, task: task_pb2.Task, propagate: bool, callback: Callable[[str, Any], Any] | None) -> Any:
        value = self._shown(task)
        if propagate and states.of(task) in states.PROPAGATE_STATES:
            self.throw(value)
        if callback is not None:
            callback(self.id, value)
        return value

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

    @property
    def traceback(self) -> str | None:
        """The traceback of the error, as the worker saw it; None without an error."""
        return self._read(full=True).error.traceback or None

    async def atraceback(self) -> str | None:
        """Async twin of `traceback`."""
        return (await self._aread(full=True)).error.traceback or None

    def ready(self) -> bool:
        """True once the task has ended, however it did."""
        return self._read(full=False).state in TERMINAL

    async def aready(self) -> bool:
        """Async twin of `ready`."""
        return (await self._aread(full=False)).state in TERMINAL

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


def _call_back(
    update: Update | None, on_message: Callable[[dict[str, Any]], Any] | None, on_interval: Callable[[], Any] | None
) -> Any:
    if update is None:
        return on_interval() if on_interval is not None else None
    return on_message(update.as_message()) if on_message is not None else None


async def _settled(value: Any) -> None:
    if inspect.isawaitable(value):
        await value
