"""The one event loop on which a test's process runs gateways and workers."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

__all__ = ["Background", "background"]

T = TypeVar("T")

_END_SECONDS: Final = 30.0


class Background:
    """A thread with an event loop, there while anyone uses it.

    One for all: gRPC's asyncio API is at its best with one loop in a process.
    """

    def __init__(self) -> None:
        """Starts nothing."""
        self._lock = threading.Lock()
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def enter(self) -> None:
        """Have it there until `leave`."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                running = threading.Event()
                # A daemon: a test that hangs must not keep the process.
                self._thread = threading.Thread(
                    target=lambda: asyncio.run(self._serve(running)), name="caraway-background", daemon=True
                )
                self._thread.start()
                running.wait()

    def leave(self) -> None:
        """Use it no more; the last to leave waits for its end."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                assert self._loop is not None and self._end is not None and self._thread is not None
                self._loop.call_soon_threadsafe(self._end.set)
                self._thread.join(_END_SECONDS)
                self._loop = None

    async def _serve(self, running: threading.Event) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        running.set()
        await self._end.wait()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and give what it returns, or raise what it raises."""
        assert self._loop is not None, "enter() first"
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


background: Final = Background()
"""Of this process."""
