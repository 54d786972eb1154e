"""ResultSet: results of many tasks, asked together."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, ClassVar, TypedDict, Unpack

from caraway.as_ended import as_ended, one_by_one
from caraway.current import current_app
from caraway.deadline import Deadline
from caraway.durations import Seconds
from caraway.ending import CeleryOptions
from caraway.gateway import HasGateway
from caraway.members import Pages
from caraway.result_base import ResultBase
from caraway.steps import awalk, walk

__all__ = ["ResultSet"]

Callback = Callable[[str, Any], Any]


class Watching(TypedDict, total=False):
    """What is called while each is waited for, as `AsyncResult.get` has it."""

    no_ack: bool
    on_message: Callable[[dict[str, Any]], Any] | None
    on_interval: Callable[[], Any] | None


class ResultSet(ResultBase):
    """Results in an order. Every call that blocks has an async twin: `aget`, `aready`, `arevoke` ..."""

    is_group: ClassVar[bool] = True

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

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by its results, without the app."""
        return type(self), (self.results,)

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
        **watching: Unpack[Watching],
    ) -> list[Any]:
        """Wait for all, in order, and list their values.

        Raises the error of the first that failed, as soon as those before it have ended; with `propagate=False` errors
        stand in the list. `callback(task_id, value)` is called for each value instead, and the list is then empty.
        Raises TimeoutError after `timeout` seconds in all, and inside a task RuntimeError as `AsyncResult.get`.
        `interval`, `on_message` and `on_interval` are as there, and nothing is polled.
        """
        values = []
        for result, value in self._values(timeout, propagate, disable_sync_subtasks, interval=interval, **watching):
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
        **watching: Unpack[Watching],
    ) -> list[Any]:
        """Async twin of `get`."""
        values = []
        async for result, value in self._avalues(
            timeout, propagate, disable_sync_subtasks, interval=interval, **watching
        ):
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
        self, timeout: Seconds | None, propagate: bool, disable_sync_subtasks: bool, **watching: Any
    ) -> Iterator[tuple[Any, Any]]:
        until = Deadline(timeout)
        pages = Pages(self)
        for place, result in enumerate(self.results):
            value = result.get(
                timeout=until.left(), propagate=propagate, disable_sync_subtasks=disable_sync_subtasks, **watching
            )
            if pages.is_due(place):
                walk(self.app, pages.take(place))
            yield result, value

    async def _avalues(
        self, timeout: Seconds | None, propagate: bool, disable_sync_subtasks: bool, **watching: Any
    ) -> AsyncIterator[tuple[Any, Any]]:
        until = Deadline(timeout)
        pages = Pages(self)
        for place, result in enumerate(self.results):
            value = await result.aget(
                timeout=until.left(), propagate=propagate, disable_sync_subtasks=disable_sync_subtasks, **watching
            )
            if pages.is_due(place):
                await awalk(self.app, pages.take(place))
            yield result, value

    def iter_native(
        self,
        timeout: Seconds | None = None,
        interval: Seconds | None = None,
        no_ack: bool = True,
        on_message: Callable[[dict[str, Any]], Any] | None = None,
        on_interval: Any = None,
    ) -> Iterator[tuple[str, Any]]:
        """Give pairs of an id and a message as tasks end, whatever the order; errors are not raised.

        A message is a dict of "task_id", "status", "result", "traceback" and "date_done"; of a group in the set, its
        results. 100 are waited for at a time. Raises TimeoutError after `timeout` seconds in all. `interval`, `no_ack`
        and `on_interval` are taken for Celery's sake: nothing is polled.
        """
        return one_by_one(as_ended(self.results, timeout, on_message))

    def aiter_native(
        self, timeout: Seconds | None = None, on_message: Callable[[dict[str, Any]], Any] | None = None
    ) -> AsyncIterator[tuple[str, Any]]:
        """Async twin of `iter_native`."""
        return as_ended(self.results, timeout, on_message)

    def maybe_throw(self, propagate: bool = True, callback: Callback | None = None) -> None:
        """Raise the error of the first that has failed, if one has; does not wait. As `AsyncResult.maybe_throw`."""
        for result in self.results:
            result.maybe_throw(propagate=propagate, callback=callback)

    maybe_reraise = maybe_throw

    async def amaybe_throw(self, propagate: bool = True, callback: Callback | None = None) -> None:
        """Async twin of `maybe_throw`."""
        for result in self.results:
            await result.amaybe_throw(propagate=propagate, callback=callback)

    # Ending them

    def revoke(
        self,
        terminate: bool = False,
        signal: str | None = None,
        reason: str | None = None,
        **_celery: Unpack[CeleryOptions],
    ) -> None:
        """Revoke all, as `AsyncResult.revoke`."""
        for result in self.results:
            result.revoke(terminate=terminate, signal=signal, reason=reason)

    async def arevoke(
        self,
        terminate: bool = False,
        signal: str | None = None,
        reason: str | None = None,
        **_celery: Unpack[CeleryOptions],
    ) -> None:
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
