"""A worker whose main part runs inside of another program: for tests."""

import asyncio
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

from caraway.app import Caraway
from caraway.worker import WorkerInstance
from caraway_worker.notice import Notice
from caraway_worker.options import ChildOptions
from caraway_worker.pools import pool_named
from caraway_worker.process import Link, start_child
from caraway_worker.settings import Settings
from caraway_worker.thread_child import link_to
from caraway_worker.worker import Worker

_START_SECONDS = 60.0

logger = logging.getLogger("caraway.worker")

IN_THIS_PROCESS = frozenset({"solo", "thread", "threads"})


def _start_child(options: ChildOptions) -> Link:
    """A child finds what this process finds: test programs extend the path where no child would look."""
    return start_child(replace(options, path=tuple(sys.path)))


class InProcessWorker:
    """Runs in the event loop that starts it.

    With the pools `solo` and `thread` tasks run in threads of this process, so tasks that are defined anywhere are
    known, and see what a test has patched. With the others they run in children, which import the app by `name`.
    Receivers of signals of the main part are called in a thread of this process.
    """

    def __init__(self, app: Caraway, name: str, shutdown_timeout: float, settings: dict[str, Any]) -> None:
        """`name` is where children find the app, "module:attribute"; `settings` are those of the worker, as in
        `caraway_worker.settings.Settings`. `shutdown_timeout` is how long a stop waits for what runs, in seconds.

        Raises InvalidSettings, and TypeError for settings that do not exist.
        """
        self._app = app
        limit = timedelta(seconds=shutdown_timeout)
        self.settings = Settings(app=name, target=app.target, drain_timeout=limit, **settings)
        self._worker: Worker | None = None
        self._running: asyncio.Task[int] | None = None
        self._receivers = ThreadPoolExecutor(1, thread_name_prefix="caraway-signals")

    async def start(self) -> None:
        """Start it, and return once it takes tasks. Raises BrokenApp if a child can't load the app."""
        link = link_to(self._app) if self.settings.pool in IN_THIS_PROCESS else _start_child
        self._worker = worker = Worker(self.settings, logger.debug, link=link, tell=self._tell)
        self._running = asyncio.create_task(worker.run())
        ready = asyncio.create_task(worker.ready.wait())
        await asyncio.wait({ready, self._running}, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await self.stop()  # raises what it failed by
            raise RuntimeError(f"the worker was not ready within {_START_SECONDS:g} s; its log says why")

    def _tell(self, notice: Notice) -> None:
        # Not in the loop: a receiver may call the gateway, which may be served by this very loop.
        settings = self.settings
        kind = pool_named(settings.pool).name
        instance = WorkerInstance(self._app, settings.name, os.getpid(), kind, settings.most_slots)
        self._receivers.submit(notice.send, instance)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._running is not None and not self._running.done()

    async def stop(self, *, at_once: bool = False) -> int:
        """End it warmly, then coldly, or coldly at once; returns its exit code, which is 0 if nothing was left."""
        assert self._worker is not None and self._running is not None
        if at_once:
            self._worker.on_signal(signal.SIGQUIT)
        else:
            self._worker.stop()
        try:
            return await self._running
        finally:
            await asyncio.get_running_loop().run_in_executor(None, self._receivers.shutdown)
