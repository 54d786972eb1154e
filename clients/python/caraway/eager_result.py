"""EagerResult: what a task that ran here and now has left."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NoReturn

from caraway import states
from caraway.exceptions import TimeoutError
from caraway.result_base import ResultBase
from caraway.updates import Update, Updates

__all__ = ["EagerResult"]


class EagerResult(ResultBase):
    """As AsyncResult, of a task that has ended already: nothing here waits, or asks a gateway."""

    TimeoutError = TimeoutError
    ignored = False
    args = kwargs = queue = worker = date_done = retries = None
    parent_id: str | None = None

    def __init__(
        self,
        id: str,
        ret_value: Any,
        state: str,
        traceback: str | None = None,
        name: str | None = None,
        app: Any = None,
    ) -> None:
        """`ret_value` is what it returned, or the exception that it ended by."""
        self.id = id
        self.result = self.info = ret_value
        self.state = self.status = state
        self.traceback = traceback
        self.name = name
        self.app = app
        self.root_id = id
        self.parent: Any = None
        self._children: list[Any] = []

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"<EagerResult: {self.id}>"

    def __str__(self) -> str:
        """The id."""
        return self.id

    def __eq__(self, other: object) -> bool:
        """Equal to a result of the same id, and to the id."""
        return self.id == other if isinstance(other, str) else self.id == getattr(other, "id", None)

    def __hash__(self) -> int:
        """As the id's."""
        return hash(self.id)

    @property
    def task_id(self) -> str:
        """The id, by an old name."""
        return self.id

    def exists(self) -> bool:
        """True: it is here."""
        return True

    async def aexists(self) -> bool:
        """Async twin of `exists`."""
        return True

    def throw(self, exc: BaseException, *_celery: Any) -> NoReturn:
        """Raise `exc`."""
        raise exc

    def maybe_throw(self, propagate: bool = True, callback: Callable[[str, Any], Any] | None = None) -> Any:
        """As `get`."""
        return self.get(propagate=propagate, callback=callback)

    maybe_reraise = maybe_throw

    async def amaybe_throw(self, propagate: bool = True, callback: Callable[[str, Any], Any] | None = None) -> Any:
        """Async twin of `maybe_throw`."""
        return self.get(propagate=propagate, callback=callback)

    @property
    def children(self) -> list[Any]:
        """The results of what ran after it."""
        return self._children

    async def achildren(self) -> list[Any]:
        """Async twin of `children`."""
        return self._children

    def get(self, timeout: Any = None, propagate: bool = True, **options: Any) -> Any:
        """Give what it returned; raise what it ended by, or give that too, with `propagate=False`.

        `options` are those of `AsyncResult.get`. No task is waited for, so this is allowed inside one.
        """
        value = self.result
        if propagate and self.state in states.PROPAGATE_STATES and isinstance(value, BaseException):
            raise value
        callback = options.get("callback")
        if callback is not None:
            callback(self.id, value)
        return value

    wait = get

    async def aget(self, timeout: Any = None, propagate: bool = True, **options: Any) -> Any:
        """Async twin of `get`."""
        return self.get(timeout, propagate, **options)

    async def astate(self) -> str:
        """Async twin of `state`."""
        return self.state

    async def aresult(self) -> Any:
        """Async twin of `result`."""
        return self.result

    async def atraceback(self) -> str | None:
        """Async twin of `traceback`."""
        return self.traceback

    async def aworker(self) -> None:
        """Async twin of `worker`: no worker had it."""

    async def aroot_id(self) -> str:
        """Async twin of `root_id`."""
        return self.root_id

    async def aparent_id(self) -> str | None:
        """Async twin of `parent_id`."""
        return self.parent_id

    def updates(self, timeout: Any = None, disable_sync_subtasks: bool = True) -> Updates:
        """Give how it ended, the only Update that there is."""
        end = Update(self.id, self.state, self.result, self.traceback, self.date_done)

        async def aupdates() -> AsyncIterator[Update]:
            yield end

        return Updates(lambda: iter((end,)), aupdates)

    def ready(self) -> bool:
        """True: it has ended."""
        return True

    async def aready(self) -> bool:
        """Async twin of `ready`."""
        return True

    def successful(self) -> bool:
        """True if it ended well."""
        return self.state == states.SUCCESS

    async def asuccessful(self) -> bool:
        """Async twin of `successful`."""
        return self.successful()

    def failed(self) -> bool:
        """True if it ended by an error."""
        return self.state == states.FAILURE

    async def afailed(self) -> bool:
        """Async twin of `failed`."""
        return self.failed()

    def revoke(self, *args: Any, **options: Any) -> None:
        """Nothing: it has ended."""

    async def arevoke(self, *args: Any, **options: Any) -> None:
        """Async twin of `revoke`."""

    def revoke_by_stamped_headers(self, headers: Mapping[str, Any], **_how: Any) -> list[str]:
        """Nothing: an app that runs its tasks at once has none that wait."""
        return []

    async def arevoke_by_stamped_headers(self, headers: Mapping[str, Any], **_how: Any) -> list[str]:
        """Async twin of `revoke_by_stamped_headers`."""
        return []

    def forget(self) -> None:
        """Nothing: nothing is kept of it."""

    async def aforget(self) -> None:
        """Async twin of `forget`."""
