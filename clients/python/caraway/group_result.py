"""ResultSet and GroupResult: results of many tasks, asked together."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, cast

from caraway.current import current_app
from caraway.gateway import HasGateway
from caraway.ids import uuid7
from caraway.members import Pages, collected, restored
from caraway.result_base import ResultBase
from caraway.spec import Seconds, seconds
from caraway.steps import awalk, walk

__all__ = ["GroupResult", "ResultSet"]

Callback = Callable[[str, Any], Any]


class ResultSet(ResultBase):
    """Results in an order. Every call that blocks has an async twin: `aget`, `aready`, `arevoke` ..."""

    def __init__(self, results: Iterable[Any], app: HasGateway | None = None) -> None:
        """`results` are of tasks or of groups; `app` is by default that of the first."""
        self.results: list[Any] = list(results)
        self._app = app
        self.parent: Any = None
        self.is_eager = False

    @property
    def app(self) -> Any:
        """The app whose gateway is asked."""
        return self._app or next((result.app for result in self.results), None) or current_app()

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"<{type(self).__name__}: [{', '.join(str(result.id) for result in self.results)}]>"

    def __len__(self) -> int:
        """How many results it has."""
        return len(self.results)

    def __iter__(self) -> Iterator[Any]:
        """Give the results, without waiting."""
        return iter(self.results)

    def __getitem__(self, index: int) -> Any:
        """The result at this place."""
        return self.results[index]

    def __eq__(self, other: object) -> bool:
        """Equal to one with the same results."""
        return self.results == other.results if isinstance(other, ResultSet) else NotImplemented

    __hash__ = object.__hash__

    # Which results it has

    def add(self, result: Any) -> None:
        """Put a result at the end, unless it is there."""
        if result not in self.results:
            self.results.append(result)

    def update(self, results: Iterable[Any]) -> None:
        """Put at the end what is not there yet."""
        for result in results:
            self.add(result)

    def remove(self, result: Any) -> None:
        """Take a result, or the one of this id, away. Raises KeyError if it is not there."""
        try:
            self.results.remove(result)
        except ValueError:
            raise KeyError(result) from None

    def discard(self, result: Any) -> None:
        """Take a result, or the one of this id, away if it is there."""
        if result in self.results:
            self.results.remove(result)

    def clear(self) -> None:
        """Take all away."""
        self.results.clear()

    @property
    def children(self) -> list[Any]:
        """Its results."""
        return self.results

    async def achildren(self) -> list[Any]:
        """Async twin of `children`."""
        return self.results

    # How they stand

    def ready(self) -> bool:
        """True if all have ended."""
        return all(result.ready() for result in self.results)

    async def aready(self) -> bool:
        """Async twin of `ready`."""
        return all([await result.aready() for result in self.results])

    def waiting(self) -> bool:
        """True if one has not ended."""
        return not self.ready()

    async def awaiting(self) -> bool:
        """Async twin of `waiting`."""
        return not await self.aready()

    def successful(self) -> bool:
        """True if all have ended well."""
        return all(result.successful() for result in self.results)

    async def asuccessful(self) -> bool:
        """Async twin of `successful`."""
        return all([await result.asuccessful() for result in self.results])

    def failed(self) -> bool:
        """True if one has failed."""
        return any(result.failed() for result in self.results)

    async def afailed(self) -> bool:
        """Async twin of `failed`."""
        return any([await result.afailed() for result in self.results])

    def completed_count(self) -> int:
        """How many have ended well."""
        return sum(result.successful() for result in self.results)

    async def acompleted_count(self) -> int:
        """Async twin of `completed_count`."""
        return sum([await result.asuccessful() for result in self.results])

    # Their values

    def get(
        self,
        timeout: Seconds | None = None,
        propagate: bool = True,
        interval: Seconds | None = None,
        callback: Callback | None = None,
        disable_sync_subtasks: bool = True,
    ) -> list[Any]:
        """Wait for all, in order, and list their values.

        Raises the error of the first that failed, as soon as those before it have ended; with `propagate=False` errors
        stand in the list. `callback(task_id, value)` is called for each value instead, and the list is then empty.
        Raises TimeoutError after `timeout` seconds in all, and inside a task RuntimeError as `AsyncResult.get`.
        `interval` is taken for Celery's sake: nothing is polled.
        """
        values = []
        for result, value in self._values(timeout, propagate, disable_sync_subtasks):
            if callback is None:
                values.append(value)
            else:
                callback(result.id, value)
        return values

    async def aget(
        self,
        timeout: Seconds | None = None,
        propagate: bool = True,
        interval: Seconds | None = None,
        callback: Callback | None = None,
        disable_sync_subtasks: bool = True,
    ) -> list[Any]:
        """Async twin of `get`."""
        values = []
        async for result, value in self._avalues(timeout, propagate, disable_sync_subtasks):
            if callback is None:
                values.append(value)
            else:
                callback(result.id, value)
        return values

    join = join_native = get
    ajoin = ajoin_native = aget

    def iterate(self, timeout: Seconds | None = None, propagate: bool = True) -> Iterator[Any]:
        """Give the values in order, each as soon as it is there."""
        return (value for _result, value in self._values(timeout, propagate, True))

    async def aiterate(self, timeout: Seconds | None = None, propagate: bool = True) -> AsyncIterator[Any]:
        """Async twin of `iterate`."""
        async for _result, value in self._avalues(timeout, propagate, True):
            yield value

    def _values(
        self, timeout: Seconds | None, propagate: bool, disable_sync_subtasks: bool
    ) -> Iterator[tuple[Any, Any]]:
        until = _Deadline(timeout)
        pages = Pages(self)
        for place, result in enumerate(self.results):
            value = result.get(timeout=until.left(), propagate=propagate, disable_sync_subtasks=disable_sync_subtasks)
            if pages.is_due(place):
                walk(self.app, pages.take(place))
            yield result, value

    async def _avalues(
        self, timeout: Seconds | None, propagate: bool, disable_sync_subtasks: bool
    ) -> AsyncIterator[tuple[Any, Any]]:
        until = _Deadline(timeout)
        pages = Pages(self)
        for place, result in enumerate(self.results):
            value = await result.aget(
                timeout=until.left(), propagate=propagate, disable_sync_subtasks=disable_sync_subtasks
            )
            if pages.is_due(place):
                await awalk(self.app, pages.take(place))
            yield result, value

    def maybe_throw(self, propagate: bool = True, callback: Callback | None = None) -> None:
        """Raise the error of the first that has failed, if one has."""
        for result in self.results:
            if result.failed():
                result.get(propagate=propagate, callback=callback)

    maybe_reraise = maybe_throw

    # Ending them

    def revoke(self, terminate: bool = False, signal: str | None = None, reason: str | None = None) -> None:
        """Revoke all, as `AsyncResult.revoke`."""
        for result in self.results:
            result.revoke(terminate=terminate, signal=signal, reason=reason)

    async def arevoke(self, terminate: bool = False, signal: str | None = None, reason: str | None = None) -> None:
        """Async twin of `revoke`."""
        for result in self.results:
            await result.arevoke(terminate=terminate, signal=signal, reason=reason)

    def forget(self) -> None:
        """Delete all, as `AsyncResult.forget`."""
        for result in self.results:
            result.forget()

    async def aforget(self) -> None:
        """Async twin of `forget`."""
        for result in self.results:
            await result.aforget()


class GroupResult(ResultSet):
    """The results of a group, which the gateway keeps together under the group's id."""

    def __init__(
        self, id: str | None = None, results: Iterable[Any] = (), parent: Any = None, app: HasGateway | None = None
    ) -> None:
        """`id` is the group's, `parent` the result of what came before it."""
        super().__init__(results, app)
        self.id = id or uuid7()
        self.parent = parent

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"<{type(self).__name__}: {self.id} [{', '.join(str(result.id) for result in self.results)}]>"

    def __str__(self) -> str:
        """The id."""
        return self.id

    def __eq__(self, other: object) -> bool:
        """Equal to one of the same id with the same results, and to the id."""
        if isinstance(other, GroupResult):
            return self.id == other.id and self.results == other.results
        return self.id == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        """As the id's."""
        return hash(self.id)

    def members_as_tuples(self) -> list[Any]:
        """Give the form of its results."""
        return [result.as_tuple() for result in self.results]

    def completed_count(self) -> int:
        """How many have ended well; one call, however many they are."""
        counts = walk(self.app, collected(self)) if self.results else None
        return super().completed_count() if counts is None else counts.succeeded_count

    async def acompleted_count(self) -> int:
        """Async twin of `completed_count`."""
        counts = await awalk(self.app, collected(self)) if self.results else None
        return await super().acompleted_count() if counts is None else counts.succeeded_count

    def ready(self) -> bool:
        """True if all have ended; one call, however many they are."""
        counts = walk(self.app, collected(self)) if self.results else None
        return super().ready() if counts is None else counts.ended_count >= len(self.results)

    async def aready(self) -> bool:
        """Async twin of `ready`."""
        counts = await awalk(self.app, collected(self)) if self.results else None
        return await super().aready() if counts is None else counts.ended_count >= len(self.results)

    def save(self) -> "GroupResult":
        """Make sure that `restore` finds it: the gateway keeps every group that was sent, as long as its results.

        Returns itself. Raises ValueError for one that was put together here, which the gateway does not know.
        """
        if walk(self.app, collected(self)) is None:
            raise self._unknown()
        return self

    async def asave(self) -> "GroupResult":
        """Async twin of `save`."""
        if await awalk(self.app, collected(self)) is None:
            raise self._unknown()
        return self

    def _unknown(self) -> ValueError:
        return ValueError(f"the gateway knows no group {self.id}: keep the ids of its results, as by as_tuple()")

    @classmethod
    def restore(cls, id: str, app: HasGateway | None = None) -> "GroupResult | None":
        """Give the result of the group of this id; None if there is none."""
        app = app or current_app()
        return cast("GroupResult | None", walk(app, restored(id, app, cls)))

    @classmethod
    async def arestore(cls, id: str, app: HasGateway | None = None) -> "GroupResult | None":
        """Async twin of `restore`."""
        app = app or current_app()
        return cast("GroupResult | None", await awalk(app, restored(id, app, cls)))


class _Deadline:
    """What is left of a timeout that several waits share."""

    def __init__(self, timeout: Seconds | None) -> None:
        self._until = None if timeout is None else time.monotonic() + seconds("timeout", timeout)

    def left(self) -> float | None:
        """Seconds; None without a timeout."""
        return None if self._until is None else max(self._until - time.monotonic(), 0.0)
