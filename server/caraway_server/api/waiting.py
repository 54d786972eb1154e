"""Waiting for a task: by notes where they come, by looking again where they may have been lost."""

import asyncio
import random
from typing import Literal, Protocol

from google.protobuf import duration_pb2

from caraway_server.api.durations import micros
from caraway_server.api.grpc_types import Context
from caraway_server.api.hub import Hub, Watcher
from caraway_server.api.validate import invalid
from caraway_server.core.task import Record
from caraway_server.store.coalesce import Coalescer
from caraway_server.store.store import Store

LOOK_AGAIN_SECONDS = 10.0
LONGEST_WAIT = 60.0
ANSWER_MARGIN = 0.5  # seconds before the caller's deadline at which an unfinished wait answers
READS_IN_ONE_CALL = 64  # each may carry a large result


class TaskReader:
    """Reads tasks and waits for them.

    Args:
        store: where tasks are.
        hub: brings the notes.
    """

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._reads: Coalescer[str, Record | None] = Coalescer(store.get, READS_IN_ONE_CALL)

    async def read(self, task_id: str) -> Record | None:
        """One task, or None."""
        return (await self._reads.submit([task_id]))[0]

    async def wait(self, task_id: str, after_revision: int, seconds: float) -> Record | None:
        """The task as it stands once it is terminal (or, with `after_revision`, has changed), or the time is over."""
        deadline = asyncio.get_running_loop().time() + seconds
        with self._hub.watching(task_id) as watcher:
            record = await self._store.watch(task_id, after_revision)
            return await self.follow(watcher, record, task_id, after_revision, deadline)

    async def follow(
        self, watcher: Watcher, record: Record | None, task_id: str, after_revision: int, deadline: float
    ) -> Record | None:
        """Waits on a watcher that the store already knows of; `record` is what was last read, if it was.

        Args:
            watcher: of this task.
            record: the task as last read, or None where it is known to exist but was not read.
            task_id: which task.
            after_revision: 0 to wait for the end.
            deadline: of the event loop's clock.
        """
        loop = asyncio.get_running_loop()
        while record is None or not _is_there(record, after_revision):
            if record is None and not watcher.revision and await self.read(task_id) is None:
                return None
            left = deadline - loop.time()
            if left <= 0:
                return record or await self.read(task_id)
            noted = await watcher.next(min(left, LOOK_AGAIN_SECONDS * random.uniform(0.8, 1.2)))
            if watcher.missed or not noted:
                watcher.missed = False
                record = await self._store.watch(task_id, after_revision)
                if record is None:
                    return None
            elif watcher.record is not None:
                record = await self._store.explained(watcher.record)
            elif watcher.is_terminal or (after_revision and watcher.revision > after_revision):
                record = await self.read(task_id)
                if record is None:
                    return None
        return record


def _is_there(record: Record, after_revision: int) -> bool:
    return record.is_terminal or 0 < after_revision < record.revision


class Waits(Protocol):
    """A request that says how long to wait."""

    @property
    def max_wait(self) -> duration_pb2.Duration:
        """At most; may be unset."""

    def HasField(self, field_name: Literal["max_wait"], /) -> bool:
        """Whether it is set."""


def patience(request: Waits, context: Context) -> float:
    """Seconds to wait: what the request says, within the server's bound and the call's deadline.

    Raises:
        Refused: it is negative.
    """
    seconds = micros(request.max_wait) / 1e6 if request.HasField("max_wait") else LONGEST_WAIT
    if seconds < 0:
        raise invalid("max_wait", "is negative")
    left: float | None = context.time_remaining()
    # Answer before the caller's deadline does: "not yet" is worth more than an error.
    return min(seconds, LONGEST_WAIT, LONGEST_WAIT if left is None else max(0.0, left - min(ANSWER_MARGIN, left / 10)))
