"""One task at a time, in the main thread: the pools `process` and `solo`."""

from collections import deque

from caraway_worker.runner import RunnerHome


class InlineRunner:
    """Runs the assignments of a child with one slot."""

    def __init__(self, child: RunnerHome) -> None:
        self._child = child

    def run(self) -> None:
        """Run what is assigned until no more will come."""
        slot = self._child.slots[0]
        while (assignments := self._child.receive()) is not None:
            queue = deque(body for _, body in assignments)
            while queue:
                body = queue.popleft()
                slot.run(body, more=bool(queue))
