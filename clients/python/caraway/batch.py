"""`with app.batch():` sends what is submitted inside it in batches, and confirms all at its end."""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final, Protocol

from caraway import publishing
from caraway.collector import Collector
from caraway.exceptions import CarawayError, OperationalError, SubmitError
from caraway.gateway import HasGateway
from caraway.refusal import from_status
from caraway.send_policy import SendPolicy
from caraway.signals import after_task_publish
from caraway.spec import CallOptions, fill
from caraway.v1 import task_service_pb2

__all__ = ["Batch", "aflush", "current", "flush"]

_MAX_PENDING: Final = 2
"""Requests that may wait to be sent while the next is filled: enough to keep the wire busy, few enough to keep memory
bounded."""

Request = task_service_pb2.BatchSubmitTasksRequest
Response = task_service_pb2.BatchSubmitTasksResponse

_current: contextvars.ContextVar["Batch | None"] = contextvars.ContextVar("caraway_batch", default=None)


def current(app: HasGateway) -> "Batch | None":
    """Give the open batch of this app in this context, if there is one."""
    batch = _current.get()
    return batch if batch is not None and batch.app is app and batch.is_open else None


def flush(app: HasGateway) -> None:
    """Send what this context's batch holds, so that it can be asked for."""
    batch = current(app)
    if batch is not None:
        batch.flush()


async def aflush(app: HasGateway) -> None:
    """Async twin of `flush`."""
    batch = current(app)
    if batch is not None:
        await batch.aflush()


class Follower(Protocol):
    """A result that asks by its id."""

    id: str


class Batch:
    """Sends in order, one request at a time, while the next one is filled.

    As `with`, a thread of its own sends; as `async with`, the event loop does. What was submitted before an exception
    left the block is sent all the same, as it would be without a batch.
    """

    def __init__(self, app: HasGateway, policy: SendPolicy | None = None) -> None:
        """Opened by `with` or `async with`, once. `policy` is RetryClock's."""
        self.app = app
        self.policy = policy
        self.is_open = False
        self.accepted = 0
        self.errors: dict[str, CarawayError] = {}
        self._collector = Collector()
        # Results of tasks that may turn out to be another one, by the ids that they were submitted under.
        self._followers: dict[str, Follower] = {}
        # A context may be copied into other threads (asyncio.to_thread), which then share this batch.
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._pending: deque[Future[None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tail: asyncio.Task[None] | None = None
        self._backlog = 0
        self._lost: OperationalError | None = None
        self._token: contextvars.Token[Batch | None] | None = None

    def add(
        self,
        task_id: str,
        name: str,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        options: CallOptions,
        named: dict[str, Any] | None = None,
        follower: Follower | None = None,
    ) -> None:
        """Submit one task with the batch; `follower` is given the id under which the gateway has it.

        Raises as `spec.fill`, and OperationalError once the gateway stayed away.
        """
        with self._lock:
            if self._lost is not None:
                raise self._lost
            spec = self._collector.begin()
            try:
                fill(spec, task_id, name, args, kwargs, options, named)
            except BaseException:
                self._collector.drop()
                raise
            if follower is not None:
                self._followers[task_id] = follower
            full = self._collector.end()
            if full is not None:
                self._dispatch(full)

    async def aroom(self) -> None:
        """Wait while too many requests wait to be sent, so that a fast producer does not fill the memory."""
        if self._backlog >= _MAX_PENDING and self._tail is not None:
            await self._tail

    def flush(self) -> None:
        """Send what was collected and wait until all is answered."""
        if self._loop is not None:
            raise RuntimeError("inside `async with app.batch()` use the async twins: aget, astate ...")
        with self._lock:
            rest = self._collector.take()
            if rest is not None:
                self._dispatch(rest)
            while self._pending:
                self._pending.popleft().result()

    async def aflush(self) -> None:
        """Async twin of `flush`."""
        if self._loop is None:
            self.flush()
            return
        with self._lock:
            rest = self._collector.take()
            if rest is not None:
                self._dispatch(rest)
            tail = self._tail
        if tail is not None:
            await tail

    def _dispatch(self, request: Request) -> None:
        if self._loop is not None:
            self._backlog += 1
            self._tail = self._loop.create_task(self._asend(request, self._tail))
            return
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="caraway-batch")
        while len(self._pending) >= _MAX_PENDING:
            self._pending.popleft().result()
        # In this context: the call belongs to the caller's trace.
        self._pending.append(self._executor.submit(contextvars.copy_context().run, self._send, request))

    def _send(self, request: Request) -> None:
        try:
            if self._lost is not None:
                raise self._lost
            self._note(request, self.app.gateway.submit_batch(request, self.policy))
        except CarawayError as error:
            self._fail(request, error)

    async def _asend(self, request: Request, previous: "asyncio.Task[None] | None") -> None:
        if previous is not None:
            await previous
        try:
            if self._lost is not None:
                raise self._lost
            self._note(request, await self.app.gateway.asubmit_batch(request, self.policy))
        except CarawayError as error:
            self._fail(request, error)
        finally:
            self._backlog -= 1

    def _note(self, request: Request, response: Response) -> None:
        for item, result in zip(request.requests, response.results, strict=True):
            if result.HasField("error"):
                self.errors[item.task.task_id] = from_status(result.error)
                continue
            self.accepted += 1
            if after_task_publish.receivers:
                publishing.after(item.task, self.app)
            follower = self._followers.pop(item.task.task_id, None) if self._followers else None
            if follower is not None:
                follower.id = result.response.task.task_id

    def _fail(self, request: Request, error: CarawayError) -> None:
        if isinstance(error, OperationalError):
            # Every later request would wait as long for the same gateway.
            self._lost = error
        for item in request.requests:
            self.errors[item.task.task_id] = error

    def _open(self) -> None:
        if self._token is not None:
            raise RuntimeError("a batch is used once; make a new one by app.batch()")
        self._token = _current.set(self)
        self.is_open = True

    def _close(self, exc: BaseException | None) -> None:
        """Say what was refused: by SubmitError, or by a note where another error is on its way."""
        if self._executor is not None:
            self._executor.shutdown()
        if not self.errors:
            return
        error = SubmitError([], self.errors, accepted=self.accepted)
        if exc is None:
            raise error
        exc.add_note(f"caraway: {error}")

    def _leave(self) -> None:
        self.is_open = False
        assert self._token is not None
        _current.reset(self._token)

    def __enter__(self) -> "Batch":
        """Open the batch in this context."""
        self._open()
        return self

    def __exit__(self, _kind: type[BaseException] | None, exc: BaseException | None, _tb: TracebackType | None) -> None:
        """Confirm all. Raises SubmitError with the errors of those that were refused."""
        self._leave()
        self.flush()
        self._close(exc)

    async def __aenter__(self) -> "Batch":
        """Open the batch in this context, to be sent by this event loop."""
        self._open()
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, exc: BaseException | None, _tb: TracebackType | None
    ) -> None:
        """Confirm all. Raises SubmitError with the errors of those that were refused."""
        self._leave()
        await self.aflush()
        self._close(exc)
