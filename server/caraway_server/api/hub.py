"""Where the store's notes meet those who wait for them: callers that wait for a task, streams that wait for work."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from caraway_server.core.errors import ShuttingDown
from caraway_server.core.task import TERMINAL, Record
from caraway_server.store.values import (
    Cancel,
    CommandAnswered,
    CommandGiven,
    DueChanged,
    Lease,
    LeaseWish,
    Missed,
    Note,
    RelayDue,
    TaskChanged,
    WorkArrived,
    WorkflowChanged,
)

Answers = asyncio.Queue[CommandAnswered | None]


class Taker(Protocol):
    """A worker's stream, as the hub sees it."""

    worker_id: str
    queues: frozenset[str]
    serves: object
    """Equal for streams that can take the same tasks: one of them is woken for a task, not all."""

    def wants_work(self) -> bool:
        """Whether it has credit, and found nothing when it looked last, or is looking right now."""

    def takes(self, name: str) -> bool:
        """Whether it can take tasks of this name."""

    def wish(self, count: int) -> LeaseWish | None:
        """What it would take right now, if it waits for work and is to be offered at most `count` tasks."""

    def expect(self, looking: "asyncio.Task[tuple[list[Lease], bool]]") -> None:
        """Its wish is being fulfilled: what comes of it is its to take."""

    def wake(self) -> None:
        """Look again."""

    def cancel(self, cancel: Cancel) -> None:
        """Tell the worker."""

    def command(self, command: bytes) -> None:
        """Tell the worker; `command` is a message of the contract."""

    def close(self, reason: str) -> None:
        """End the stream."""


Change = TaskChanged | WorkflowChanged


def workflow_topic(workflow_id: str) -> str:
    """Under what a workflow is followed; ids hold no control characters, so no task has it."""
    return f"\n{workflow_id}"


class Follower(Protocol):
    """Who is told of the changes of a task, or of a workflow."""

    def tell(self, note: Change | None) -> None:
        """A change, or (None) that changes may have been missed."""

    def leave(self) -> None:
        """No more will come."""


class Watcher:
    """What a caller that waits for a task holds on to."""

    def __init__(self) -> None:
        self._noted = asyncio.Event()
        self.revision = 0
        self.is_terminal = False
        self.record: Record | None = None
        self.missed = False
        self._left = False

    def tell(self, note: Change | None) -> None:
        """A change, or (None) that changes may have been missed."""
        if note is None:
            self.missed = True
        elif isinstance(note, TaskChanged):
            self.revision = max(self.revision, note.revision)
            self.is_terminal = self.is_terminal or note.state in TERMINAL
            self.record = note.record or self.record
        self._noted.set()

    async def next(self, timeout: float) -> bool:
        """Waits for the next note; False after `timeout` seconds without one.

        Raises:
            ShuttingDown: the gateway leaves.
        """
        try:
            await asyncio.wait_for(self._noted.wait(), timeout)
        except TimeoutError:
            return False
        if self._left:
            raise ShuttingDown("this gateway is shutting down; ask again, and another one will answer")
        self._noted.clear()
        return True

    def leave(self) -> None:
        """No more notes will come: next() raises from now on."""
        self._left = True
        self._noted.set()


class Hub:
    """Hands notes on. One a gateway.

    Args:
        on_due: called when the duties should look at the clock again.
        on_relay: called when the relay has something to do.
    """

    def __init__(self, on_due: Callable[[], None], on_relay: Callable[[], None] = lambda: None) -> None:
        self._on_due = on_due
        self._on_relay = on_relay
        self._watchers: dict[str, set[Follower]] = {}
        self._takers: dict[str, Taker] = {}
        self._turns: dict[object, deque[Taker]] = {}
        self._asking: dict[str, Answers] = {}

    @contextmanager
    def watching(self, task_id: str) -> Iterator[Watcher]:
        """A watcher of a task, for as long as the block lasts."""
        watcher = Watcher()
        with self.following(task_id, watcher):
            yield watcher

    @contextmanager
    def following(self, task_id: str, follower: Follower) -> Iterator[None]:
        """Has a follower told of a task's changes, for as long as the block lasts."""
        followers = self._watchers.setdefault(task_id, set())
        followers.add(follower)
        try:
            yield
        finally:
            followers.discard(follower)
            if not followers and self._watchers.get(task_id) is followers:
                del self._watchers[task_id]

    @contextmanager
    def asking(self, command_id: str) -> Iterator[Answers]:
        """Collects replies to a command, for as long as the block lasts; None: the gateway leaves."""
        answers: Answers = asyncio.Queue()
        self._asking[command_id] = answers
        try:
            yield answers
        finally:
            del self._asking[command_id]

    @contextmanager
    def taking(self, taker: Taker) -> Iterator[None]:
        """Has a stream told of work, for as long as the block lasts. An older stream of the same worker is ended."""
        older = self._takers.get(taker.worker_id)
        if older is not None:
            older.close("the worker opened a new stream")
        self._takers[taker.worker_id] = taker
        turns = self._turns.setdefault(taker.serves, deque())
        turns.append(taker)
        try:
            yield
        finally:
            if self._takers.get(taker.worker_id) is taker:
                del self._takers[taker.worker_id]
            turns.remove(taker)
            if not turns and self._turns.get(taker.serves) is turns:
                del self._turns[taker.serves]

    def close_all(self, reason: str) -> None:
        """Asks every stream, and every caller that waits, to go elsewhere."""
        for taker in list(self._takers.values()):
            taker.close(reason)
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.leave()
        for answers in self._asking.values():
            answers.put_nowait(None)

    def take_notes(self, notes: list[Note]) -> None:
        """Gives each note to those it concerns."""
        for note in notes:
            if isinstance(note, TaskChanged):
                for watcher in self._watchers.get(note.task_id, ()):
                    watcher.tell(note)
            elif isinstance(note, WorkArrived):
                for turns in self._turns.values():
                    if note.queue in turns[0].queues:
                        self._wake_one(turns)
            elif isinstance(note, Cancel):
                taker = self._takers.get(note.worker_id)
                if taker is not None:
                    taker.cancel(note)
            elif isinstance(note, RelayDue):
                self._on_relay()
            elif isinstance(note, WorkflowChanged):
                for watcher in self._watchers.get(workflow_topic(note.workflow_id), ()):
                    watcher.tell(note)
            elif isinstance(note, CommandGiven):
                for worker_id in note.worker_ids & self._takers.keys():
                    self._takers[worker_id].command(note.command)
            elif isinstance(note, CommandAnswered):
                answers = self._asking.get(note.command_id)
                if answers is not None:
                    answers.put_nowait(note)
            elif isinstance(note, DueChanged):
                self._on_due()
            elif isinstance(note, Missed):
                self._look_at_everything()

    def pass_on(self, taker: Taker) -> None:
        """A stream left work behind because its credit is used up: the next of its kind may take it."""
        turns = self._turns.get(taker.serves)
        if turns:
            self._wake_one(turns)

    def idle_taker(self, queue: str, name: str) -> Taker | None:
        """A stream that waits for tasks of this queue and name."""
        for turns in self._turns.values():
            if queue in turns[0].queues and turns[0].takes(name):
                for _ in range(len(turns)):
                    turns.rotate(-1)
                    if turns[-1].wish(1) is not None:
                        return turns[-1]
        return None

    def _wake_one(self, turns: deque[Taker]) -> None:
        for _ in range(len(turns)):
            taker = turns[0]
            turns.rotate(-1)
            if taker.wants_work():
                taker.wake()
                return

    def _look_at_everything(self) -> None:
        self._on_due()
        for taker in self._takers.values():
            taker.wake()
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.tell(None)
