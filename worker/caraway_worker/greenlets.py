"""A greenlet a task; imported by children of the pool `gevent`, after gevent has patched the standard library."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import gevent
import gevent.event
import gevent.monkey
from gevent._waiter import Waiter
from greenlet import getcurrent

from caraway.exceptions import SoftTimeLimitExceeded
from caraway_worker.child_slot import ChildSlot
from caraway_worker.coroutines import Strikable
from caraway_worker.runner import RunnerHome
from caraway_worker.shared import ChildSlotCells
from caraway_worker.soft_limit import MESSAGE, SoftLimit


class GreenletSoftLimit(SoftLimit):
    """For a task in a greenlet: the hub has the exception raised there, where the greenlet waits for something."""

    def __init__(self, cells: ChildSlotCells) -> None:
        super().__init__(cells)
        self._greenlet: Any = None

    def arm(self, sequence: int) -> None:
        """From here on assignment `sequence` may be struck, in the calling greenlet."""
        self._greenlet = getcurrent()
        super().arm(sequence)

    def _is_own_thread(self) -> bool:
        return getcurrent() is self._greenlet

    def _strike(self) -> None:
        # Only the hub may throw into a greenlet. Until it does, the task may end, or write a frame.
        gevent.get_hub().loop.run_callback(self._throw, self._armed)

    def _throw(self, sequence: int) -> None:
        if self._armed != sequence:
            return
        if self._holding:
            self._due = True
            return
        self._armed = 0
        if self._divert is not None:
            self._divert()
        else:
            self._greenlet.throw(SoftTimeLimitExceeded(MESSAGE))


class LoopThread:
    """One event loop in a thread of its own, for the async tasks of all greenlets: a loop would hold up the hub."""

    def __init__(self) -> None:
        started = gevent.get_hub().loop.async_()
        waiter = Waiter()
        started.start(waiter.switch, None)
        start_thread = gevent.monkey.get_original("_thread", "start_new_thread")
        start_thread(self._run, (started.send,))
        waiter.get()
        started.close()

    def _run(self, tell: Callable[[], None]) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.call_soon(tell)
        self.loop.run_forever()

    def wait_for(self, body: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop, and let other greenlets run until it has ended."""
        ended = gevent.get_hub().loop.async_()
        waiter = Waiter()
        tasks: list[asyncio.Task[Any]] = []

        def start() -> None:
            tasks.append(self.loop.create_task(body))
            tasks[0].add_done_callback(lambda _task: ended.send())

        ended.start(waiter.switch, None)
        try:
            self.loop.call_soon_threadsafe(start)
            waiter.get()
        finally:
            ended.close()
        return tasks[0].result()


class GeventRunner:
    """Runs each assignment in a greenlet of its own; those of one slot one after the other."""

    def __init__(self, child: RunnerHome) -> None:
        self._child = child
        self._queues: dict[ChildSlot, deque[bytes]] = {slot: deque() for slot in child.slots}
        self._busy: set[ChildSlot] = set()
        self._idle = gevent.event.Event()
        self._loop_thread: LoopThread | None = None
        for slot in child.slots:
            slot.run_coroutine = self._coroutine_runner(slot)

    def run(self) -> None:
        """Run what is assigned until no more will come and all has ended."""
        while (assignments := self._child.receive()) is not None:
            for slot, body in assignments:
                self._queues[slot].append(body)
                if slot not in self._busy:
                    self._advance(slot)
        while self._busy:
            self._idle.clear()
            self._idle.wait()

    def _advance(self, slot: ChildSlot) -> None:
        queue = self._queues[slot]
        if queue:
            self._busy.add(slot)
            gevent.spawn(self._run, slot, queue.popleft(), bool(queue))
        else:
            self._busy.discard(slot)
            self._idle.set()

    def _run(self, slot: ChildSlot, body: bytes, more: bool) -> None:
        try:
            slot.run(body, more)
        finally:
            self._advance(slot)

    def _coroutine_runner(self, slot: ChildSlot) -> Callable[[Coroutine[Any, Any, Any]], Any]:
        def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
            if self._loop_thread is None:
                self._loop_thread = LoopThread()
            body = Strikable(coroutine, self._loop_thread.loop)
            with slot.soft_limit.diverted(body.strike):
                return self._loop_thread.wait_for(body.run())

        return run
