"""All async tasks on one loop, the others in a thread a slot: the pool `asyncio`."""

import asyncio
import queue
import socket
import threading
from collections import deque

from caraway_worker.child_slot import Assignment, ChildSlot
from caraway_worker.runner import RunnerHome


class _Lane:
    """What is queued for one slot; one of it runs at a time."""

    def __init__(self, slot: ChildSlot) -> None:
        self.slot = slot
        self.queue: deque[bytes] = deque()
        self.running: asyncio.Task[None] | None = None
        self.busy = False
        self.thread: threading.Thread | None = None
        self.inbox: queue.SimpleQueue[tuple[Assignment, bool] | None] = queue.SimpleQueue()


class AsyncioRunner:
    """Runs async tasks as tasks of one event loop. A plain function would block them all, so it gets a thread."""

    def __init__(self, child: RunnerHome) -> None:
        self._child = child
        self._lanes = {slot: _Lane(slot) for slot in child.slots}

    def run(self) -> None:
        """Run what is assigned until no more will come and all has ended."""
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._ended = False
        fd = self._child.fileno()
        self._loop.add_reader(fd, self._on_readable, fd)
        while not (self._ended and not any(lane.busy for lane in self._lanes.values())):
            await self._changed.wait()
            self._changed.clear()
        for lane in self._lanes.values():
            lane.inbox.put(None)

    def _on_readable(self, fd: int) -> None:
        try:
            assignments = self._child.receive(socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            assignments = None  # the supervisor is gone
        if assignments is None:
            self._loop.remove_reader(fd)
            self._ended = True
            self._changed.set()
            return
        for slot, body in assignments:
            lane = self._lanes[slot]
            lane.queue.append(body)
            if not lane.busy:
                self._advance(lane)

    def _advance(self, lane: _Lane) -> None:
        """Start the lane's next assignment."""
        lane.busy, lane.running = False, None
        while lane.queue and not lane.busy:
            assignment = lane.slot.begin(lane.queue.popleft())
            if assignment is not None:
                lane.busy = True
                self._start(lane, assignment)
        if not lane.busy:
            self._changed.set()

    def _start(self, lane: _Lane, assignment: Assignment) -> None:
        more = bool(lane.queue)
        if self._child.executor.is_async(assignment[1].task.name):
            lane.running = self._loop.create_task(self._arun(lane, assignment, more))
            return
        if lane.thread is None:
            lane.thread = threading.Thread(target=self._run_in_thread, args=(lane,))
            lane.thread.start()
        lane.inbox.put((assignment, more))

    async def _arun(self, lane: _Lane, assignment: Assignment, more: bool) -> None:
        try:
            await lane.slot.arun(assignment, more)
        finally:
            # Not from here: a chain of tiny tasks would never let the loop do anything else.
            self._loop.call_soon(self._advance, lane)

    def _run_in_thread(self, lane: _Lane) -> None:
        while (item := lane.inbox.get()) is not None:
            try:
                lane.slot.run_begun(*item)
            finally:
                self._loop.call_soon_threadsafe(self._advance, lane)
