"""The app of the tests of hooks: its tasks note what is called around them."""

import asyncio
import os
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from caraway import Caraway, Task
from caraway.exceptions import Ignore, Reject, Retry

app = Caraway("hooks")

NAMES = {"before_start", "on_success", "on_retry", "on_failure", "after_return"}


class Noting(Task[..., Any]):
    """Notes each call of a hook, with what it was called with and who called; fails in the hooks named by `breaks`."""

    breaks: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.seen: list[list[Any]] = []
        self.connections = 0

    def note(self, hook: str, *arguments: Any) -> None:
        shown = [repr(one) if isinstance(one, BaseException) else one for one in arguments]
        self.seen.append([hook, *shown, self.request.id])
        if hook in self.breaks:
            raise SystemExit(f"{hook} is broken")

    def before_start(self, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        self.note("before_start", task_id, list(args), dict(kwargs))

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> Any:
        self.note("on_success", retval, task_id, list(args), dict(kwargs))

    def on_retry(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> Any:
        self.note("on_retry", exc, task_id, list(args), dict(kwargs), einfo.type.__name__)

    def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> Any:
        is_told = einfo.exception is exc and einfo.tb is exc.__traceback__ and f"raise {exc!r}"[:6] in str(einfo)
        self.note("on_failure", exc, task_id, list(args), dict(kwargs), is_told)

    def after_return(self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> Any:
        self.note("after_return", status, retval, task_id, list(args), dict(kwargs), einfo is not None)


class Awaiting(Noting):
    """The same, with coroutines."""

    async def before_start(self, *arguments: Any) -> Any:
        await asyncio.sleep(0.001)
        super().before_start(*arguments)

    async def on_success(self, *arguments: Any) -> Any:
        await asyncio.sleep(0.001)
        super().on_success(*arguments)

    async def on_retry(self, *arguments: Any) -> Any:
        await asyncio.sleep(0.001)
        super().on_retry(*arguments)

    async def on_failure(self, *arguments: Any) -> Any:
        await asyncio.sleep(0.001)
        super().on_failure(*arguments)

    async def after_return(self, *arguments: Any) -> Any:
        await asyncio.sleep(0.001)
        super().after_return(*arguments)


def act(how: str) -> Any:
    if how == "fail":
        raise KeyError("gone")
    if how == "unwritable":
        return object()
    raised = {"retry": Retry(exc=OSError("away"), when=5), "ignore": Ignore(), "reject": Reject("no")}.get(how)
    if raised is not None:
        raise raised
    return how


@app.task(name="plain", base=Noting)
def plain(how: str, **_more: Any) -> Any:
    return act(how)


@app.task(name="awaited", base=Awaiting)
async def awaited(how: str, **_more: Any) -> Any:
    await asyncio.sleep(0.001)
    return act(how)


@app.task(name="plain_awaited_hooks", base=Awaiting)
def plain_awaited_hooks(how: str, **_more: Any) -> Any:
    return act(how)


@app.task(name="awaited_plain_hooks", base=Noting)
async def awaited_plain_hooks(how: str, **_more: Any) -> Any:
    return act(how)


@app.task(name="broken_before", base=Noting, breaks=frozenset({"before_start"}))
def broken_before() -> str:
    return "ran"


@app.task(name="broken_after", base=Noting, breaks=NAMES - {"before_start"})
def broken_after(how: str) -> Any:
    return act(how)


@app.task(name="seen")
def seen(name: str) -> list[Any]:
    """What a task has noted since it was last asked."""
    task: Any = app.tasks[name]
    noted, task.seen = task.seen, []
    return list(noted)


@app.task(name="connected", bind=True, base=Noting)
def connected(self: Any) -> list[int]:
    """Count the connections that this task has made."""
    if not self.connections:
        self.connections += 1
    return [self.connections, threading.get_native_id()]


class SlowEnd(Task[..., Any]):
    """Takes its time after the task."""

    def on_success(self, retval: Any, *_rest: Any) -> None:
        end = time.monotonic() + retval
        while time.monotonic() < end:
            time.sleep(0.005)


@app.task(name="slow_end", base=SlowEnd)
def slow_end(seconds: float) -> float:
    return seconds


@app.task(name="expected", throws=LookupError)
def expected() -> None:
    raise KeyError("nobody home")


@app.task(name="die_for_good", reject_on_worker_lost=False)
def die_for_good() -> None:
    os._exit(7)
