"""ResultBase: what results of tasks and of groups have in common, which is how they hang together."""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from typing import Any, ClassVar

from caraway import background
from caraway.dependency_graph import DependencyGraph
from caraway.exceptions import IncompleteStream

__all__ = ["ResultBase"]

logger = logging.getLogger(__name__)


class ResultBase:
    """A result, of a task or of a group. `parent` is the result of what came before it, where this is known here."""

    __slots__ = ()

    is_group: ClassVar[bool] = False
    """Whether it has members: results of other tasks."""

    @property
    def children(self) -> list[Any]:
        """The results of what comes after it; of a group, those of its tasks."""
        raise NotImplementedError

    async def achildren(self) -> list[Any]:
        """Async twin of `children`."""
        raise NotImplementedError

    def ready(self) -> bool:
        """True once it has ended."""
        raise NotImplementedError

    async def aready(self) -> bool:
        """Async twin of `ready`."""
        raise NotImplementedError

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """Wait for its end and give its value."""
        raise NotImplementedError

    async def aget(self, *args: Any, **kwargs: Any) -> Any:
        """Async twin of `get`."""
        raise NotImplementedError

    def then(
        self, callback: Callable[[Any], Any], on_error: Callable[[Exception], Any] | None = None, weak: bool = False
    ) -> Future[Any]:
        """Call `callback(result)` once it has ended, however it did; does not wait for that.

        The callback runs in a thread of this process (or, if it is a coroutine function, in an event loop there). What
        it raises goes to `on_error(error)`, or to the log. Gives a Future of what it returns. `weak` is taken for
        Celery's sake.
        """
        return background.run(self._then(callback, on_error))

    async def _then(self, callback: Callable[[Any], Any], on_error: Callable[[Exception], Any] | None) -> Any:
        try:
            await self.aget(propagate=False, disable_sync_subtasks=False)
            return await _called(callback, self)
        except Exception as error:
            if on_error is None:
                logger.exception("what was to be done after %s failed", self)
            else:
                await _called(on_error, error)
            raise

    @property
    def root(self) -> Any:
        """The first of its parents, or itself."""
        root: Any = self
        while root.parent is not None:
            root = root.parent
        return root

    def lineage(self) -> list[Any]:
        """List it, its parent, and so on."""
        found: list[Any] = [self]
        while found[-1].parent is not None:
            found.append(found[-1].parent)
        return found

    def as_tuple(self) -> Any:
        """Give its id and those of its parents and members as tuples, which `result_from_tuple` reads."""
        form: Any = None
        for result in reversed(self.lineage()):
            form = ((result.id, form), result.members_as_tuples())
        return form

    def members_as_tuples(self) -> list[Any] | None:
        """What stands for its members in `as_tuple`: None, as it is no group."""
        return None

    def as_list(self) -> list[str]:
        """List its id, its parent's, and so on."""
        return [result.id for result in self.lineage()]

    def iterdeps(self, intermediate: bool = False) -> Iterator[tuple[Any, Any]]:
        """Give pairs of a result and one of its children, beginning with None and itself.

        Raises IncompleteStream for one that has not ended, as what comes after it is not known; `intermediate` leaves
        its children out instead.
        """
        waiting: deque[tuple[Any, Any]] = deque([(None, self)])
        while waiting:
            parent, result = waiting.popleft()
            yield parent, result
            if result.ready():
                waiting.extend((result, child) for child in result.children or ())
            elif not intermediate:
                raise IncompleteStream(f"{result.id} has not ended")

    async def aiterdeps(self, intermediate: bool = False) -> AsyncIterator[tuple[Any, Any]]:
        """Async twin of `iterdeps`."""
        waiting: deque[tuple[Any, Any]] = deque([(None, self)])
        while waiting:
            parent, result = waiting.popleft()
            yield parent, result
            if await result.aready():
                waiting.extend((result, child) for child in await result.achildren() or ())
            elif not intermediate:
                raise IncompleteStream(f"{result.id} has not ended")

    def collect(self, intermediate: bool = False, **options: Any) -> Iterator[tuple[Any, Any]]:
        """Give it and its value, then its children and theirs, and so on; `options` are those of `get`."""
        for _parent, result in self.iterdeps(intermediate):
            yield result, result.get(**options)

    async def acollect(self, intermediate: bool = False, **options: Any) -> AsyncIterator[tuple[Any, Any]]:
        """Async twin of `collect`."""
        async for _parent, result in self.aiterdeps(intermediate):
            yield result, await result.aget(**options)

    def get_leaf(self) -> Any:
        """Give the value of the last of its children's children."""
        value = None
        for _parent, result in self.iterdeps():
            value = result.get()
        return value

    async def aget_leaf(self) -> Any:
        """Async twin of `get_leaf`."""
        value = None
        async for _parent, result in self.aiterdeps():
            value = await result.aget()
        return value

    @property
    def graph(self) -> DependencyGraph:
        """What comes after what, from itself on."""
        return self.build_graph(intermediate=True)

    async def agraph(self) -> DependencyGraph:
        """Async twin of `graph`."""
        return await self.abuild_graph(intermediate=True)

    def build_graph(self, intermediate: bool = False, formatter: Any = None) -> DependencyGraph:
        """As `graph`, but raises IncompleteStream where something has not ended, unless `intermediate`.

        `formatter` is taken for Celery's sake: `to_dot` has one form.
        """
        return DependencyGraph.of(self.iterdeps(intermediate))

    async def abuild_graph(self, intermediate: bool = False, formatter: Any = None) -> DependencyGraph:
        """Async twin of `build_graph`."""
        return DependencyGraph.of([pair async for pair in self.aiterdeps(intermediate)])


async def _called(function: Callable[[Any], Any], argument: Any) -> Any:
    """Call a function in a thread, as it may block, or a coroutine function here."""
    if inspect.iscoroutinefunction(function):
        return await function(argument)
    return await asyncio.to_thread(function, argument)
