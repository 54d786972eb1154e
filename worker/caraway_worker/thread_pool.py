"""A thread a slot: the pool `thread`."""

import queue
import threading

from caraway_worker.child_slot import ChildSlot
from caraway_worker.runner import RunnerHome


class SlotThread:
    """Runs the assignments of one slot; started with the first."""

    def __init__(self, slot: ChildSlot, number: int) -> None:
        self._slot = slot
        self._inbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._name = f"caraway-slot-{number}"

    def put(self, body: bytes) -> None:
        """Queue an assignment."""
        self._inbox.put(body)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name)
            self._thread.start()

    def end(self) -> None:
        """Let the thread end after what it has."""
        self._inbox.put(None)

    def join(self) -> None:
        """Wait for its end."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        inbox, slot = self._inbox, self._slot
        while (body := inbox.get()) is not None:
            slot.run(body, more=not inbox.empty())


class ThreadRunner:
    """Hands assignments to the slots' threads."""

    def __init__(self, child: RunnerHome) -> None:
        self._child = child
        self._threads = {slot: SlotThread(slot, number) for number, slot in enumerate(child.slots, 1)}

    def run(self) -> None:
        """Run what is assigned until no more will come and all has ended."""
        while (assignments := self._child.receive()) is not None:
            for slot, body in assignments:
                self._threads[slot].put(body)
        for thread in self._threads.values():
            thread.end()
        for thread in self._threads.values():
            thread.join()
