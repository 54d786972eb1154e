"""What operators see and set: queues and workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from caraway_server.store import keys
from caraway_server.store.connection import translated
from caraway_server.store.runner import Run


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """A queue. `paused_at` is microseconds, `max_length` 0 where the gateway's own limit holds."""

    name: str
    paused: bool
    note: str
    paused_at: int
    max_length: int
    waiting: int
    queued: int


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """A worker. `info` and `told` are messages of the contract as they were noted; times are microseconds."""

    worker_id: str
    state: str
    info: bytes
    told: bytes
    joined: int
    seen: int
    held: int


class Operators:
    """Reads and sets what is known of queues and workers.

    Args:
        redis: the client; its owner closes it.
        run: runs a script of the store by its name, with its request.
    """

    def __init__(self, redis: Redis, run: Run) -> None:
        self._redis = redis
        self._run = run

    # -- queues ---------------------------------------------------------------------------------------------------

    async def queue_names(self) -> list[str]:
        """All queues that hold tasks or for which something is set, sorted."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hkeys(keys.DEPTH)
        pipeline.smembers(keys.QUEUES)
        with translated():
            holding, known = await pipeline.execute()
        return sorted({name.decode() for name in [*holding, *known]})

    async def queues(self, names: Sequence[str]) -> list[QueueFacts]:
        """What is known of these queues."""
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.hgetall(keys.queue(name))
            pipeline.hget(keys.DEPTH, name)
            pipeline.smembers(keys.lanes(name))
        with translated():
            rows = await pipeline.execute()
        facts = []
        for index, name in enumerate(names):
            fields, waiting, lanes = rows[index * 3 : index * 3 + 3]
            queued = await self._queued(name, lanes)
            facts.append(
                QueueFacts(
                    name, b"paused" in fields, fields.get(b"note", b"").decode(), int(fields.get(b"at", 0)),
                    int(fields.get(b"max_length", 0)), int(waiting or 0), queued,
                )
            )  # fmt: skip
        return facts

    async def _queued(self, queue: str, lanes: Sequence[bytes]) -> int:
        if not lanes:
            return 0
        pipeline = self._redis.pipeline(transaction=False)
        for lane in lanes:
            pipeline.zcard(keys.lane(queue, lane.decode()))
        with translated():
            return sum(await pipeline.execute())

    async def set_queue(
        self, name: str, values: dict[str, str], *, clear: Sequence[str] = (), stamp: bool = False
    ) -> None:
        """Sets and clears fields of a queue; `stamp` notes the time of a pause."""
        flat = [part for item in values.items() for part in item]
        await self._run("queue", {"queue": name, "set": flat, "clear": list(clear), "stamp": stamp}, repeat=True)

    # -- workers --------------------------------------------------------------------------------------------------

    async def note_worker(self, worker_id: str, values: dict[str, bytes | str | int], *, joined: bool = False) -> None:
        """Notes what is known of a worker, and that it was heard of now."""
        flat = [part for item in values.items() for part in item]
        await self._run("worker", {"worker": worker_id, "set": flat, "joined": joined}, repeat=True)

    async def worker_ids(self, offset: int, count: int) -> list[str]:
        """Workers, those heard of last first."""
        with translated():
            found: Any = await self._redis.zrevrange(keys.WORKERS, offset, offset + count - 1)
        return [raw.decode() for raw in found]

    async def workers(self, worker_ids: Sequence[str]) -> list[WorkerFacts]:
        """What is known of these workers; unknown ones are left out."""
        pipeline = self._redis.pipeline(transaction=False)
        for worker_id in worker_ids:
            pipeline.hgetall(keys.worker(worker_id))
        with translated():
            rows = await pipeline.execute()
        return [
            WorkerFacts(
                worker_id, row.get(b"state", b"").decode(), row.get(b"info", b""), row.get(b"told", b""),
                int(row.get(b"joined", 0)), int(row[b"seen"]), int(row.get(b"held", 0)),
            )
            for worker_id, row in zip(worker_ids, rows, strict=True)
            if row
        ]  # fmt: skip
