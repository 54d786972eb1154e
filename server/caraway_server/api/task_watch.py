"""TaskService: changes of tasks as they happen."""

import asyncio
import base64
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack

import msgpack

from caraway.v1 import task_pb2, task_service_pb2
from caraway_server.api import validate
from caraway_server.api.convert import task_from
from caraway_server.api.grpc_types import Context
from caraway_server.api.hub import Change, Follower, Hub
from caraway_server.core.errors import ShuttingDown
from caraway_server.core.task import Record
from caraway_server.settings import Settings
from caraway_server.store.store import Store
from caraway_server.store.values import TaskChanged

BOOKMARK_SECONDS = 12.0
READ_AT_ONCE = 50
ANY_CHANGE = 2**52  # no revision is greater: the watch is always noted

Response = task_service_pb2.WatchTasksResponse
Bookmark = Response.Bookmark


class Feed(Follower):
    """Collects which of the watched tasks changed."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.missed = False
        self._left = False
        self._noted = asyncio.Event()

    def tell(self, note: Change | None) -> None:
        """A change, or (None) that changes may have been missed."""
        if note is None:
            self.missed = True
        elif isinstance(note, TaskChanged):
            self.changed.add(note.task_id)
        self._noted.set()

    def leave(self) -> None:
        """The gateway shuts down."""
        self._left = True
        self._noted.set()

    async def next(self, seconds: float) -> set[str]:
        """The tasks that changed; empty after `seconds` without a change.

        Raises:
            ShuttingDown: the gateway leaves.
        """
        try:
            await asyncio.wait_for(self._noted.wait(), seconds)
        except TimeoutError:
            return set()
        if self._left:
            raise ShuttingDown("this gateway is shutting down; resume the watch, and another one will answer")
        self._noted.clear()
        changed, self.changed = self.changed, set()
        return changed


class TaskWatch:
    """Serves WatchTasks. One a gateway."""

    def __init__(self, store: Store, hub: Hub, settings: Settings) -> None:
        self._store = store
        self._hub = hub
        self._settings = settings

    async def WatchTasks(
        self, request: task_service_pb2.WatchTasksRequest, context: Context
    ) -> AsyncIterator[Response]:
        validate.check_batch("selector.task_ids", request.selector.task_ids, self._settings.max_batch_size)
        ids = list(dict.fromkeys(request.selector.task_ids))
        view = request.view or task_pb2.TASK_VIEW_BASIC
        told = _Told(ids, request.resume_token)
        feed = Feed()
        with ExitStack() as stack:
            for task_id in ids:
                stack.enter_context(self._hub.following(task_id, feed))
            async for response in self._snapshot(ids, told, view):
                yield response
            while not (request.until_terminal and told.all_over()):
                async for response in self._changes(await feed.next(_spread()), feed, ids, told, view):
                    yield response
            yield told.bookmark()

    async def _snapshot(
        self, ids: list[str], told: "_Told", view: task_pb2.TaskView.ValueType
    ) -> AsyncIterator[Response]:
        for task_id in ids:
            record = await self._store.watch(task_id, ANY_CHANGE)
            if told.is_news(task_id, record) and record is not None:
                yield Response(task=task_from(record, view))
        yield told.bookmark(snapshot_complete=True)

    async def _changes(
        self, changed: set[str], feed: Feed, ids: list[str], told: "_Told", view: task_pb2.TaskView.ValueType
    ) -> AsyncIterator[Response]:
        looked_again = feed.missed or not changed
        feed.missed = False
        for part in _parts([task_id for task_id in ids if looked_again or task_id in changed]):
            for task_id, record in zip(part, await self._store.get(part), strict=True):
                if told.is_news(task_id, record) and record is not None:
                    told.gap = told.gap or looked_again  # no note told of it
                    yield Response(task=task_from(record, view))
        if looked_again:
            yield told.bookmark()


class _Told:
    """What has been told of each task: its revision, 0 for none yet, -1 for one that there is not."""

    def __init__(self, ids: list[str], token: str) -> None:
        self._ids = ids
        self._revisions = dict(zip(ids, _revisions_from(token, len(ids)), strict=True))
        self._over: set[str] = set()
        self._resumed = bool(token)
        self.gap = False

    def is_news(self, task_id: str, record: Record | None) -> bool:
        """Takes in what was read; True where it has not been told."""
        known = self._revisions[task_id]
        if record is None:
            self._revisions[task_id] = -1
            self._over.add(task_id)
            return False
        if record.is_terminal:
            self._over.add(task_id)
        if record.revision <= known:
            return False
        self.gap = self.gap or (self._resumed and known > 0 and record.revision > known + 1)
        self._revisions[task_id] = record.revision
        return True

    def all_over(self) -> bool:
        """Whether nothing more can happen to any of the tasks."""
        return len(self._over) == len(self._ids)

    def bookmark(self, *, snapshot_complete: bool = False) -> Response:
        """Where the stream stands; says once that there was a gap."""
        missing = [task_id for task_id, revision in self._revisions.items() if revision < 0]
        mark = Bookmark(snapshot_complete=snapshot_complete, gap=self.gap, missing_task_ids=missing)
        self.gap = self._resumed = False
        packed: bytes = msgpack.packb(list(self._revisions.values()))
        return Response(bookmark=mark, resume_token=base64.urlsafe_b64encode(packed).decode())


def _revisions_from(token: str, count: int) -> list[int]:
    if not token:
        return [0] * count
    try:
        revisions = [max(0, int(revision)) for revision in msgpack.unpackb(base64.urlsafe_b64decode(token.encode()))]
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise validate.invalid("resume_token", "is not one that this server gave") from error
    if len(revisions) != count:
        raise validate.invalid("resume_token", "belongs to another selector; name the same tasks in the same order")
    return revisions


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + READ_AT_ONCE] for start in range(0, len(ids), READ_AT_ONCE)]


def _spread() -> float:
    return BOOKMARK_SECONDS * random.uniform(0.8, 1.0)
