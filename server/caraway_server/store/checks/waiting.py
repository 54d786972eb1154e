"""The count of tasks that wait in each queue, against those that do."""

from collections import Counter
from typing import Any

from redis.asyncio import Redis

from caraway_server.store import keys
from caraway_server.store.checks.finding import Finding, Repair
from caraway_server.store.connection import translated
from caraway_server.store.runner import Run

MOST_AT_ONCE = 2000
ROUNDS = 3
PAGE = 500


class WaitingCheck:
    """Compares `depth` with the lanes and the schedule.

    Args:
        redis: the client; its owner closes it.
        run: runs a script of the store by its name, with its request.
    """

    def __init__(self, redis: Redis, run: Run) -> None:
        self._redis = redis
        self._run = run

    async def findings(self) -> list[Finding]:
        """What is wrong with the counts."""
        stable, exact = await self._errors()
        for _ in range(0 if exact or not stable else ROUNDS - 1):
            # The schedule was counted while it moved: an error is one if it stays.
            again, _ = await self._errors()
            stable = {queue: error for queue, error in stable.items() if again.get(queue) == error}
        return [
            Finding(
                f"depth says that {depth if depth >= 0 else 'none'} wait in {queue}; there wait {waiting}",
                repair=Repair("mend_depth", {"queue": queue, "by": waiting - max(depth, 0)}),
            )
            for queue, (depth, waiting) in stable.items()
        ]

    async def _errors(self) -> tuple[dict[str, tuple[int, int]], bool]:
        """Depth and number of tasks, of queues where they differ; and whether all was seen at one moment."""
        queues = await self._queues()
        request = {"queues": queues, "most": MOST_AT_ONCE}
        answer = await self._run("view_waiting", request, repeat=True)
        exact = all(scheduled >= 0 for *_, scheduled in answer)
        counted = Counter[str]() if exact else await self._count_schedule()
        errors = {}
        for raw, depth, queued, scheduled in answer:
            queue = raw.decode(errors="replace")
            waiting = queued + (scheduled if exact else counted[queue])
            # An empty queue has no count.
            if depth != (waiting or -1):
                errors[queue] = (depth, waiting)
        return errors, exact

    async def _queues(self) -> list[str]:
        with translated():
            known: Any = await self._redis.hkeys(keys.DEPTH)
            names = {raw.decode(errors="replace") for raw in known}
            async for key in self._redis.scan_iter(f"{keys.ROOT}lanes:*", count=PAGE):
                names.add(key.decode(errors="replace").removeprefix(f"{keys.ROOT}lanes:"))
        return sorted(names)

    async def _count_schedule(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        cursor = 0
        while True:
            entries: Any
            with translated():
                cursor, entries = await self._redis.zscan(keys.SCHEDULED, cursor, count=PAGE)
                pipeline = self._redis.pipeline(transaction=False)
                for task_id, _ in entries:
                    pipeline.hget(keys.task(task_id.decode(errors="replace")), "q")
                found = await pipeline.execute()
            counted.update(queue.decode(errors="replace") for queue in found if queue is not None)
            if cursor == 0:
                return counted
