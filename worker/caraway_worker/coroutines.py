"""Runs `async def` tasks: one event loop a child, for as long as the child lives."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any

from caraway.exceptions import SoftTimeLimitExceeded
from caraway_worker.soft_limit import MESSAGE, SoftLimit


class CoroutineRunner:
    """Runs one coroutine after the other on its loop; what a task leaves running goes on when the next one runs."""

    def __init__(self, soft_limit: SoftLimit) -> None:
        self._soft_limit = soft_limit
        self._runner = asyncio.Runner()
        self._struck = False

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run it to its end; the soft limit strikes it at its next await."""
        loop = self._runner.get_loop()
        asyncio.set_event_loop(loop)
        self._struck = False
        task = loop.create_task(self._guard(coroutine))

        def strike() -> None:
            self._struck = True
            loop.call_soon_threadsafe(task.cancel)

        with self._soft_limit.diverted(strike):
            return loop.run_until_complete(task)

    async def _guard(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return await self._drive(coroutine)

    @types.coroutine
    def _drive(self, coroutine: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Pass everything through, but turn the cancellation that the soft limit caused into its exception."""
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
