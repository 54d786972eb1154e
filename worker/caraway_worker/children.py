"""The pool's processes: started, replaced when they die, more or fewer of them as is asked."""

import asyncio
import logging
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace

from caraway_worker.catalog import Catalog
from caraway_worker.frames import Kind, pack
from caraway_worker.options import ChildOptions, Limits
from caraway_worker.process import ChildOwner, ChildProcess, Link, exit_in_words, start_child

logger = logging.getLogger("caraway.worker")

_FIRST_RESTART_DELAY = 0.5
_LONGEST_RESTART_DELAY = 30.0
_DISMISS_SECONDS = 5.0
_MARGIN_SECONDS = 2.0  # its interpreter starts before its own clock does, and it is to say first where it hangs


class BrokenApp(Exception):
    """No child could load the app; the message is the child's own account."""


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """How many children, what each is told, and how one is come by."""

    size: int
    child: ChildOptions
    link: Callable[[ChildOptions], Link] = start_child


class Children:
    """Keeps as many children as `size` says, until `stop_replacing`. `owner` hears what they say."""

    def __init__(self, options: PoolOptions, owner: ChildOwner) -> None:
        self.by_number: dict[int, ChildProcess] = {}
        self.size = options.size
        self._options = options
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._limits = Limits()
        self._replacing = True
        self._last_number = 0
        self.died = 0  # children that ended though nobody had asked them to
        self._failed_starts = 0
        self._delayed = 0  # starts that a timer will make
        self._catalog: asyncio.Future[Catalog] = self._loop.create_future()
        self._all_up = asyncio.Event()
        self._all_gone = asyncio.Event()

    async def start(self) -> Catalog:
        """Start all children and wait until the first has loaded the app.

        Raises BrokenApp if the first answer is that it can't be loaded, or none comes in time.
        """
        self._top_up()
        return await asyncio.shield(self._catalog)

    @property
    def started(self) -> int:
        """How many children were started in all."""
        return self._last_number

    async def wait_all_up(self) -> None:
        """Wait until every child is ready."""
        await self._all_up.wait()

    def set_limits(self, limits: Limits) -> None:
        """Tell the children what the gateway allows."""
        self._limits = limits
        for child in self.by_number.values():
            child.send(pack(Kind.LIMITS, limits.to_bytes()))

    def resize(self, size: int) -> None:
        """Keep so many children from here on; of those that are too many, idle ones leave."""
        self.size = size
        self._top_up()
        staying = [child for child in self.by_number.values() if not child.leaving]
        idle = [child for child in staying if child.ready and child.is_idle]
        for child in sorted(idle, key=lambda one: one.index, reverse=True)[: max(0, len(staying) - size)]:
            self.dismiss(child)

    def stop_replacing(self) -> None:
        """Start no child any more."""
        self._replacing = False

    def _top_up(self) -> None:
        staying = sum(not child.leaving for child in self.by_number.values())
        for _ in range(self.size - staying - self._delayed):
            self._spawn()

    def _spawn(self) -> None:
        if not self._replacing:
            return
        self._last_number += 1
        taken = {child.index for child in self.by_number.values()}
        index = next(number for number in range(1, len(taken) + 2) if number not in taken)
        options = replace(self._options.child, index=index)
        try:
            child = ChildProcess(self._last_number, index, self._options.link(options), self._owner, self._loop)
        except OSError as error:
            logger.error("a child process can't be started: %s", error)
            self._spawn_later()
            return
        self.by_number[child.number] = child
        child.send(pack(Kind.LIMITS, self._limits.to_bytes()))
        if options.start_timeout > 0 and child.killable:
            self._loop.call_later(options.start_timeout + _MARGIN_SECONDS, self._check_started, child)

    def _spawn_later(self) -> None:
        delay = min(_LONGEST_RESTART_DELAY, _FIRST_RESTART_DELAY * 2**self._failed_starts)
        self._failed_starts = min(self._failed_starts + 1, 10)
        self._delayed += 1
        self._loop.call_later(delay * random.uniform(0.8, 1.2), self._spawn_delayed)

    def _spawn_delayed(self) -> None:
        self._delayed -= 1
        self._top_up()

    def _check_started(self, child: ChildProcess) -> None:
        """A module that waits for something at its import would else be waited for without end."""
        if child.ready or child.number not in self.by_number:
            return
        how = f"it was not loaded within {self._options.child.start_timeout:g} s; where it hangs is in the log"
        logger.error("child process %d is killed, the app is not there: %s", child.pid, how)
        if not self._catalog.done():
            self._catalog.set_exception(BrokenApp(how))
        child.signal(signal.SIGKILL)

    # What children say of themselves, passed on by their owner.

    def on_ready(self, child: ChildProcess, catalog: Catalog) -> None:
        """It has loaded the app."""
        child.ready = True
        self._failed_starts = 0
        if not self._catalog.done():
            self._catalog.set_result(catalog)
        if sum(other.ready for other in self.by_number.values()) >= self.size:
            self._all_up.set()

    def on_broken(self, account: str) -> None:
        """It can't load the app."""
        if not self._catalog.done():
            self._catalog.set_exception(BrokenApp(account))
        elif self._catalog.exception() is None:
            logger.error("a child process can't load the app any more:\n%s", account)

    def on_bye(self, child: ChildProcess) -> None:
        """It starts nothing any more: have another one in its place."""
        child.leaving = True
        self._top_up()

    def dismiss(self, child: ChildProcess) -> None:
        """Let an idle child exit; kill it if a thread that the app's code started keeps it from that."""
        child.dismiss()
        if child.killable:
            self._loop.call_later(_DISMISS_SECONDS, child.signal, signal.SIGKILL)

    def on_exit(self, child: ChildProcess, code: int) -> None:
        """It is gone; its deliveries are the owner's business."""
        self.died += not child.leaving and self._replacing
        if not child.ready:
            if not self._catalog.done():
                how = f"a child process died at its start: {exit_in_words(code)}"
                self._catalog.set_exception(BrokenApp(how))
            if self._replacing:
                logger.error("child process %d died at its start: %s", child.pid, exit_in_words(code))
            if child.killable:
                self._spawn_later()
        elif not child.leaving and child.killable:
            logger.error("child process %d exited: %s; replaced", child.pid, exit_in_words(code))
        if child.killable:
            self._top_up()
        if not self.by_number:
            self._all_gone.set()

    async def close(self) -> None:
        """Let idle children exit, kill those that do not, and wait until all are gone."""
        self._replacing = False
        if not self.by_number:
            return
        self._all_gone.clear()
        for child in self.by_number.values():
            child.dismiss()
        if not all(child.killable or child.is_thread for child in self.by_number.values()):
            return  # it ends when it sees that it is let go
        try:
            await asyncio.wait_for(self._all_gone.wait(), _DISMISS_SECONDS)
        except TimeoutError:
            if any(child.is_thread for child in self.by_number.values()):
                logger.error("a task runs on in a thread: nothing can kill it")
                return
            for child in self.by_number.values():
                child.signal(signal.SIGKILL)
            await self._all_gone.wait()
