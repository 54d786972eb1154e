"""How full the queues are, for metrics: read when asked for, at a bounded cost."""

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from caraway_server.store import keys
from caraway_server.store.connection import translated
from caraway_server.store.runner import Run

QUEUES_AT_ONCE = 20  # bounds how long one script holds the store (law 3)
MOST_QUEUES = 500


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """A queue: how many tasks wait in all, how many of them for a worker only, and for how many seconds the oldest."""

    name: str
    waiting: int
    ready: int
    oldest: float


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found.

    Attributes:
        queues: those that hold tasks; at most MOST_QUEUES, in the order of their names.
        left_out: how many more there are.
        leases: deliveries that are held.
    """

    queues: list[QueueDepth]
    left_out: int
    leases: int


class Surveyor:
    """Reads surveys.

    Args:
        redis: the client; its owner closes it.
        run: runs a script of the store by its name, with its request.
    """

    def __init__(self, redis: Redis, run: Run) -> None:
        self._redis = redis
        self._run = run

    async def survey(self) -> Survey:
        """One look at everything."""
        with translated():
            raw: Any = await self._redis.hkeys(keys.DEPTH)
        names = sorted(name.decode() for name in raw)
        queues: list[QueueDepth] = []
        leases = 0
        for start in range(0, max(1, min(len(names), MOST_QUEUES)), QUEUES_AT_ONCE):
            part = names[start : min(start + QUEUES_AT_ONCE, MOST_QUEUES)]
            rows, leases, now = await self._run("survey", {"queues": part}, repeat=True)
            queues += [
                QueueDepth(name.decode(), waiting, ready, max(0.0, (now - since) / 1e6) if since else 0.0)
                for name, waiting, ready, since in rows
            ]
        return Survey(queues, max(0, len(names) - MOST_QUEUES), leases)
