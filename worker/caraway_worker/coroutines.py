"""Runs `async def` tasks."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any

from caraway.exceptions import SoftTimeLimitExceeded
from caraway_worker.soft_limit import MESSAGE, SoftLimit


class Strikable:
    """A coroutine that the soft limit can strike at its next await."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> None:
        self._coroutine = coroutine
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
        self._struck = False

    def strike(self) -> None:
        """Have SoftTimeLimitExceeded raised in it; any thread may call this."""
        self._struck = True
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> Any:
        """Run it to its end."""
        self._task = asyncio.current_task()
        try:
            return await self._drive()
        finally:
            self._task = None

    @types.coroutine
    def _drive(self) -> Generator[Any, Any, Any]:
        """Pass everything through, but turn the cancellation that the soft limit caused into its exception."""
        coroutine = self._coroutine
        send, value = coroutine.send, None
        try:
            waits_for = send(None)
            while True:
                try:
                    value = yield waits_for
                except GeneratorExit:
                    coroutine.close()
                    raise
                except BaseException as error:
                    waits_for = coroutine.throw(self._as_meant(error))
                else:
                    waits_for = send(value)
        except StopIteration as stop:
            return stop.value

    def _as_meant(self, error: BaseException) -> BaseException:
        if self._struck and isinstance(error, asyncio.CancelledError):
            self._struck = False
            return SoftTimeLimitExceeded(MESSAGE)
        return error


class CoroutineRunner:
    """Runs one coroutine after the other on its loop; what a task leaves running goes on when the next one runs."""

    def __init__(self, soft_limit: SoftLimit) -> None:
        self._soft_limit = soft_limit
        self._runner = asyncio.Runner()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run it to its end."""
        loop = self._runner.get_loop()
        asyncio.set_event_loop(loop)
        body = Strikable(coroutine, loop)
        with self._soft_limit.diverted(body.strike):
            return loop.run_until_complete(body.run())

    def close(self) -> None:
        """Close the loop; no coroutine runs on it any more."""
        self._runner.close()
