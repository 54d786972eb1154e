"""Manager: waits for and asserts what tasks and workers are to do, in tests that run against real ones."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from caraway.app import Caraway
from caraway.exceptions import CarawayError, TimeoutError

__all__ = ["Manager", "ManagerMixin", "Sentinel"]

_FIRST_WAIT: Final = 0.01
_LONGEST_WAIT: Final = 0.5


class Sentinel(Exception):
    """What was waited for is not yet so; see `ManagerMixin.true_or_raise`."""


class ManagerMixin:
    """All but the app. Times are in seconds; what does not come in time raises AssertionError."""

    app: Caraway
    timeout: float = 30.0

    def remark(self, text: str, sep: str = "-") -> None:
        """Print a line of progress."""
        print(f"{sep}{text}")  # noqa: T201 - it is asked for; pytest shows it with a failure

    def wait_for(
        self,
        fun: Callable[..., Any],
        catch: type[BaseException] | tuple[type[BaseException], ...] = Sentinel,
        desc: str = "thing",
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        errback: Callable[..., Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Call `fun` until it raises nothing of `catch`, and give what it returns.

        `errback(error)` is called after each that fails. `timeout` is by default that of the manager.
        """
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        wait = _FIRST_WAIT
        while True:
            try:
                return fun(*args, **(kwargs or {}))
            except catch as error:
                if errback is not None:
                    errback(error)
                if time.monotonic() + wait > deadline:
                    raise AssertionError(f"{desc}: it did not come in time") from error
            time.sleep(wait)
            wait = min(wait * 1.5, _LONGEST_WAIT)

    def ensure_not_for_a_while(
        self,
        fun: Callable[..., Any],
        catch: type[BaseException] | tuple[type[BaseException], ...] = Sentinel,
        desc: str = "thing",
        timeout: float = 2.0,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Call `fun` for `timeout` seconds; AssertionError if it once raises nothing of `catch`."""
        try:
            self.wait_for(fun, catch, desc, args, kwargs, timeout=timeout)
        except AssertionError:
            return
        raise AssertionError(f"{desc}: it was not to come")

    def true_or_raise(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Give what `fun` returns if that is true, else raise Sentinel."""
        answer = fun(*args, **kwargs)
        if not answer:
            raise Sentinel
        return answer

    def join(self, result: Any, propagate: bool = False, timeout: float | None = None) -> Any:
        """Wait for a result, or several; an error that the task raised is given, unless `propagate`."""
        limit = self.timeout if timeout is None else timeout
        try:
            return result.get(timeout=limit, propagate=propagate)
        except TimeoutError as error:
            missing = ", ".join(self.missing_results(getattr(result, "results", None) or [result]))
            raise AssertionError(f"these tasks did not end in time: {missing}") from error

    def missing_results(self, results: Iterable[Any]) -> list[str]:
        """Ids of those that have not ended."""
        return [result.id for result in results if not result.ready()]

    # What workers have.

    def inspect(self, timeout: float = 3.0) -> Any:
        """`app.control.inspect`, with more time."""
        return self.app.control.inspect(timeout=timeout)

    def query_tasks(self, ids: str | Iterable[str], timeout: float = 0.5) -> Iterable[tuple[str, Any]]:
        """What each worker has of these tasks."""
        return (self.inspect(timeout).query_task(*([ids] if isinstance(ids, str) else ids)) or {}).items()

    def query_task_states(self, ids: str | Iterable[str], timeout: float = 0.5) -> dict[str, set[str]]:
        """Ids of these tasks by what workers do with them: "active", "reserved"."""
        states: dict[str, set[str]] = {}
        for _worker, tasks in self.query_tasks(ids, timeout):
            for task_id, (state, _task) in tasks.items():
                states.setdefault(state, set()).add(task_id)
        return states

    def is_accepted(self, ids: Sequence[str]) -> bool:
        """Whether all of these run."""
        return set(ids) <= self.query_task_states(ids).get("active", set())

    def is_received(self, ids: Sequence[str]) -> bool:
        """Whether workers have all of these."""
        return set(ids) <= set().union(*self.query_task_states(ids).values())

    def assert_accepted(self, ids: Sequence[str], desc: str = "the tasks run", timeout: float | None = None) -> None:
        """Wait until all of these run."""
        self._assert(self.is_accepted, ids, desc, timeout)

    def assert_received(
        self, ids: Sequence[str], desc: str = "workers have the tasks", timeout: float | None = None
    ) -> None:
        """Wait until workers have all of these."""
        self._assert(self.is_received, ids, desc, timeout)

    def assert_result_tasks_in_progress_or_completed(
        self, results: Iterable[Any], desc: str = "the tasks have begun", timeout: float | None = None
    ) -> None:
        """Wait until all of these run or have ended."""
        left = list(results)

        def begun(results: list[Any]) -> bool:
            return all(result.ready() or self.is_accepted([result.id]) for result in results)

        self._assert(begun, left, desc, timeout)

    def _assert(self, holds: Callable[[Any], bool], what: Any, desc: str, timeout: float | None) -> None:
        self.wait_for(self.true_or_raise, (Sentinel, CarawayError), desc, (holds, what), timeout=timeout)

    def wait_until_idle(self, timeout: float | None = None) -> None:
        """Revoke what waits in the app's queue, then wait until no worker has anything."""
        self.app.control.purge()

        def idle(_nothing: object) -> bool:
            inspect = self.inspect()
            held = [*(inspect.active() or {}).values(), *(inspect.reserved() or {}).values()]
            return not any(held)

        self._assert(idle, None, "the workers are idle", timeout)


class Manager(ManagerMixin):
    """For an app."""

    def __init__(self, app: Caraway, timeout: float = 30.0) -> None:
        """`timeout` is how long it waits where a call names none."""
        self.app = app
        self.timeout = timeout
