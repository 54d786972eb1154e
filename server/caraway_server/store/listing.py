"""Lists and counts from the indexes that the transitions keep anyway: they cost no task anything."""

import base64
import binascii
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack
from redis.asyncio import Redis

from caraway_server.core.errors import Refused
from caraway_server.core.task import HELD, TERMINAL, Record, State
from caraway_server.store import keys
from caraway_server.store.codec import record_from
from caraway_server.store.connection import translated
from caraway_server.store.culprits import Culprits

READ_AT_ONCE = 50
MOST_READ_FOR_A_PAGE = 1000
MOST_BYTES_FOR_A_PAGE = 3 << 20

Wanted = Callable[[Record], bool]
Position = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Index:
    """A sorted set that lists tasks; `position` is its place among all of them."""

    position: Position
    key: str
    newest_first: bool = False


@dataclass(slots=True)
class Cursor:
    """The last entry read: its index's position, its score, and how many entries of that score were read."""

    position: Position
    score: str
    skip: int

    def advance(self, score: float) -> None:
        """One more entry was read."""
        text = f"{score:.0f}"
        self.skip = self.skip + 1 if text == self.score else 1
        self.score = text

    def to_token(self) -> str:
        """As a page token; opaque to callers."""
        packed: bytes = msgpack.packb((self.position, self.score, self.skip))
        return base64.urlsafe_b64encode(packed).decode()

    @classmethod
    def from_token(cls, token: str) -> "Cursor":
        """Raises Refused for what is not a token."""
        try:
            (stage, queue, name), score, skip = msgpack.unpackb(base64.urlsafe_b64decode(token.encode()))
            if not (math.isfinite(float(score)) or score in ("-inf", "+inf")) or not 0 <= int(skip) < 2**53:
                raise ValueError(token)
            return cls((int(stage), str(queue), str(name)), f"{float(score):.0f}", int(skip))
        except (ValueError, TypeError, OverflowError, binascii.Error, msgpack.UnpackException) as error:
            raise Refused("INVALID_FIELD", "page_token is not one that this server gave", field="page_token") from error


class Listing:
    """Reads pages of tasks, and counts.

    Args:
        redis: the client; its owner closes it.
        culprits: adds the tasks because of which others failed.
    """

    def __init__(self, redis: Redis, culprits: Culprits) -> None:
        self._redis = redis
        self._culprits = culprits

    async def page(
        self, states: frozenset[State], queues: Sequence[str], wanted: Wanted, size: int, token: str, parent: str = ""
    ) -> tuple[list[Record], str]:
        """One page of tasks, and the next page's token ("": there is none).

        Args:
            states: which indexes to read.
            queues: read the lanes of these only; empty: of all.
            wanted: tested on each task, its state among `states` already.
            size: tasks in the page.
            token: of the last page, or "".
            parent: read what this task submitted, and nothing else.
        """
        start = Cursor.from_token(token) if token else None
        found: list[Record] = []
        budget = _Budget()
        for index in [_children(parent)] if parent else await self._indexes(states, queues):
            if start is not None and index.position < start.position:
                continue
            resumed = start is not None and index.position == start.position
            cursor = start if resumed and start is not None else _beginning(index)
            if await self._read_index(index, cursor, states, wanted, size, found, budget):
                return found, cursor.to_token()
        return found, ""

    async def _read_index(
        self, index: Index, cursor: Cursor, states: frozenset[State], wanted: Wanted, size: int,
        found: list[Record], budget: "_Budget",
    ) -> bool:  # fmt: skip
        """Reads on until the page is full (True) or the index is at its end (False)."""
        while True:
            entries = await self._entries(index, cursor)
            for (_, score), record in zip(entries, await self._records(entries), strict=True):
                cursor.advance(score)
                budget.count(record)
                if record is not None and record.state in states and wanted(record):
                    found.append(record)
                if len(found) == size or budget.is_spent():
                    return True
            if len(entries) < READ_AT_ONCE:
                return False

    async def _entries(self, index: Index, cursor: Cursor) -> list[tuple[bytes, float]]:
        ends = (cursor.score, "-inf") if index.newest_first else (cursor.score, "+inf")
        with translated():
            read = self._redis.zrevrangebyscore if index.newest_first else self._redis.zrangebyscore
            raw: Any = await read(index.key, *ends, start=cursor.skip, num=READ_AT_ONCE, withscores=True)
        return [(task_id, float(score)) for task_id, score in raw]

    async def _records(self, entries: Sequence[tuple[bytes, float]]) -> list[Record | None]:
        pipeline = self._redis.pipeline(transaction=False)
        ids = [task_id.decode() for task_id, _ in entries]
        for task_id in ids:
            pipeline.hgetall(keys.task(task_id))
        with translated():
            rows = await pipeline.execute()
        return await self._culprits.added_to([record_from(*pair) for pair in zip(ids, rows, strict=True)])

    async def _indexes(self, states: frozenset[State], queues: Sequence[str]) -> list[Index]:
        indexes = []
        if states & {State.SCHEDULED, State.RETRYING}:
            indexes.append(Index((1, "", ""), keys.SCHEDULED))
        if State.QUEUED in states:
            indexes.extend(await self._lanes(queues))
        if states & HELD:
            indexes.append(Index((3, "", ""), keys.LEASES))
        indexes.extend(
            Index((10 + state, "", ""), keys.ended(state), newest_first=True) for state in sorted(TERMINAL & states)
        )
        return indexes

    async def _lanes(self, queues: Sequence[str]) -> list[Index]:
        with translated():
            holding: Any = [] if queues else await self._redis.hkeys(keys.DEPTH)
            names = sorted(set(queues)) or sorted(queue.decode() for queue in holding)
            pipeline = self._redis.pipeline(transaction=False)
            for queue in names:
                pipeline.smembers(keys.lanes(queue))
            lanes = await pipeline.execute()
        return [
            Index((2, queue, lane.decode()), keys.lane(queue, lane.decode()))
            for queue, members in zip(names, lanes, strict=True)
            for lane in sorted(members)
        ]

    async def count_by_queue(self) -> dict[str, int]:
        """Tasks that wait, by queue."""
        with translated():
            depths: Any = await self._redis.hgetall(keys.DEPTH)
        return {queue.decode(): int(count) for queue, count in depths.items()}

    async def count_by_state(self) -> dict[str, int]:
        """Tasks by state; SCHEDULED stands for RETRYING too, LEASED for RUNNING too."""
        terminal = sorted(TERMINAL)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zcard(keys.SCHEDULED)
        pipeline.zcard(keys.LEASES)
        pipeline.hvals(keys.DEPTH)
        for state in terminal:
            pipeline.zcard(keys.ended(state))
        with translated():
            scheduled, leased, depths, *ended = await pipeline.execute()
        counts = {"SCHEDULED": scheduled, "QUEUED": sum(map(int, depths)) - scheduled, "LEASED": leased}
        counts.update((state.name, count) for state, count in zip(terminal, ended, strict=True))
        return {name: count for name, count in counts.items() if count > 0}


class _Budget:
    """What one page may read: it is bounded by that too, not only by what it finds."""

    def __init__(self) -> None:
        self._read = self._bytes = 0

    def count(self, record: Record | None) -> None:
        self._read += 1
        if record is not None:
            self._bytes += sum(len(part or b"") for part in (record.spec, record.result, record.error, record.progress))

    def is_spent(self) -> bool:
        return self._read >= MOST_READ_FOR_A_PAGE or self._bytes >= MOST_BYTES_FOR_A_PAGE


def _children(parent: str) -> Index:
    return Index((0, "", ""), keys.children(parent))


def _beginning(index: Index) -> Cursor:
    return Cursor(index.position, "+inf" if index.newest_first else "-inf", 0)
