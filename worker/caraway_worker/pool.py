"""The pool: child processes with one slot each, and what is queued for them."""

import asyncio
import logging
import random
import signal
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from caraway_worker import outcomes
from caraway_worker.catalog import Catalog
from caraway_worker.delivery import Delivery, Ending, Stop
from caraway_worker.frames import DONE_HEAD, SEQUENCE, Kind, pack
from caraway_worker.options import ChildOptions, Limits
from caraway_worker.pace import Pace
from caraway_worker.process import ChildProcess, exit_in_words

logger = logging.getLogger("caraway.worker")

_FIRST_RESTART_DELAY = 0.5
_LONGEST_RESTART_DELAY = 30.0
_DISMISS_SECONDS = 5.0
EXPIRED = "it expired before it started"
STALE = "no slot was free in time"


class PoolOwner(Protocol):
    """Who is told what becomes of deliveries."""

    def on_outcome(self, delivery: Delivery, outcome: int, report: bytes, run_ns: int) -> None:
        """It ended: `outcome` is the number of the TaskReport field that is set in `report`."""

    def on_report(self, delivery: Delivery, report: bytes) -> None:
        """It started, or tells how far it is."""

    def on_drop(self, delivery: Delivery) -> None:
        """It ended and nothing is to be reported."""

    def on_room(self) -> None:
        """More may be leased now."""


class BrokenApp(Exception):
    """No child could load the app; the message is the child's own account."""


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """How many children, and what each is told."""

    size: int
    child: ChildOptions


class Pool:
    """Queues deliveries with children, least loaded first, and tells what becomes of each."""

    def __init__(self, options: PoolOptions, owner: PoolOwner) -> None:
        self.pace = Pace()
        self.open_count = 0  # deliveries taken and not ended
        self.open_bytes = 0
        self.children: dict[int, ChildProcess] = {}
        self.waiting: deque[Delivery] = deque()
        self._options = options
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._limits = Limits()
        self._handing_back = ""  # why everything that is not started goes back; empty: it does not
        self._last_number = 0
        self._failed_starts = 0
        self._catalog: asyncio.Future[Catalog] = self._loop.create_future()
        self._all_up = asyncio.Event()
        self._all_gone = asyncio.Event()

    # Children.

    async def start(self) -> Catalog:
        """Start all children and wait until the first has loaded the app.

        Raises BrokenApp if the first answer is that it can't be loaded.
        """
        for _ in range(self._options.size):
            self._spawn()
        return await asyncio.shield(self._catalog)

    async def wait_all_up(self) -> None:
        """Wait until every child is ready."""
        await self._all_up.wait()

    def set_limits(self, limits: Limits) -> None:
        """Tell the children what the gateway allows."""
        self._limits = limits
        for child in self.children.values():
            child.send(pack(Kind.LIMITS, limits.to_bytes()))

    def _spawn(self) -> None:
        if self._handing_back:
            return
        self._last_number += 1
        try:
            child = ChildProcess(self._last_number, self._options.child, self, self._loop)
        except OSError as error:
            logger.error("a child process can't be started: %s", error)
            self._spawn_later()
            return
        self.children[child.number] = child
        child.send(pack(Kind.LIMITS, self._limits.to_bytes()))

    def _spawn_later(self) -> None:
        delay = min(_LONGEST_RESTART_DELAY, _FIRST_RESTART_DELAY * 2**self._failed_starts)
        self._failed_starts = min(self._failed_starts + 1, 10)
        self._loop.call_later(delay * random.uniform(0.8, 1.2), self._spawn)

    def on_exit(self, child: ChildProcess, code: int) -> None:
        """A child is gone: say what became of its task, take back the others, start another child."""
        del self.children[child.number]
        held = list(child.assigned.values())
        running = [delivery for delivery in held if delivery.sequence <= child.last_started]
        for delivery in held:
            child.forget(delivery)
        for delivery in running:
            self._died_with(delivery, child, code)
        self._requeue([delivery for delivery in held if delivery.sequence > child.last_started])
        if not child.ready:
            if not self._catalog.done():
                how = f"a child process died at its start: {exit_in_words(code)}"
                self._catalog.set_exception(BrokenApp(how))
            if not self._handing_back:
                logger.error("child process %d died at its start: %s", child.pid, exit_in_words(code))
            self._spawn_later()
        elif not child.leaving:
            logger.error("child process %d exited: %s; replaced", child.pid, exit_in_words(code))
            self._spawn()
        if not self.children:
            self._all_gone.set()
        self._dispatch()
        self._owner.on_room()

    def _died_with(self, delivery: Delivery, child: ChildProcess, code: int) -> None:
        if delivery.stop is not None and delivery.stop.kill:
            self._end_by(delivery, delivery.stop)
            return
        how = f"the process {child.pid} that ran the task died: {exit_in_words(code)}"
        self._end(delivery, outcomes.LOST, outcomes.lost(delivery, how))

    # What children say.

    def on_frame(self, child: ChildProcess, kind: int, body: bytes) -> None:
        """A child said something."""
        if kind == Kind.DONE:
            self._on_done(child, body)
        elif kind == Kind.SKIPPED:
            self._on_skipped(child, SEQUENCE.unpack(body)[0])
        elif kind in (Kind.BEGUN, Kind.PROGRESS):
            delivery = child.assigned.get(SEQUENCE.unpack_from(body)[0])
            if delivery is not None:
                self.report_start(delivery)
                if kind == Kind.PROGRESS:
                    self._owner.on_report(delivery, body[SEQUENCE.size :])
        elif kind == Kind.READY:
            self._on_ready(child, Catalog.from_bytes(body))
        elif kind == Kind.BROKEN:
            self._on_broken(body.decode())
        elif kind == Kind.BYE:
            self._on_bye(child)

    def _on_done(self, child: ChildProcess, body: bytes) -> None:
        sequence, run_ns, outcome = DONE_HEAD.unpack_from(body)
        delivery = child.assigned.pop(sequence, None)
        if delivery is None:
            return
        delivery.child = 0
        child.slow = False
        if child.held_for is delivery:
            child.held_for = None
        self.pace.add(run_ns * 1e-9)
        if delivery.stop is not None and delivery.stop.ending is Ending.SILENT:
            self._end_by(delivery, delivery.stop)
            return
        delivery.ended = True
        self.open_count -= 1
        self.open_bytes -= len(delivery.lease)
        self._owner.on_outcome(delivery, outcome, body[DONE_HEAD.size :], run_ns)

    def _on_skipped(self, child: ChildProcess, sequence: int) -> None:
        delivery = child.assigned.get(sequence)
        if delivery is None:
            return  # taken back before
        child.forget(delivery)
        self._requeue([delivery])

    def _on_ready(self, child: ChildProcess, catalog: Catalog) -> None:
        child.ready = True
        self._failed_starts = 0
        if not self._catalog.done():
            self._catalog.set_result(catalog)
        if sum(other.ready for other in self.children.values()) >= self._options.size:
            self._all_up.set()

    def _on_broken(self, account: str) -> None:
        if not self._catalog.done():
            self._catalog.set_exception(BrokenApp(account))
        elif self._catalog.exception() is None:
            logger.error("a child process can't load the app any more:\n%s", account)

    def _on_bye(self, child: ChildProcess) -> None:
        child.leaving = True
        held = list(child.assigned.values())
        for delivery in held:
            child.forget(delivery)
        self._requeue(held)
        # A thread that the app's code started may keep it from exiting.
        self._loop.call_later(_DISMISS_SECONDS, child.signal, signal.SIGKILL)
        self._spawn()

    def on_idle(self, _child: ChildProcess) -> None:
        """All that a child has said so far has been taken in."""
        self._dispatch()
        self._owner.on_room()

    def report_start(self, delivery: Delivery) -> None:
        """Report that it runs, once."""
        if not delivery.start_reported:
            delivery.start_reported = True
            self._owner.on_report(delivery, outcomes.started(delivery))

    # Deliveries.

    @property
    def wanted(self) -> int:
        """How many deliveries the pool would like to hold in all, those that it holds included."""
        per_child = self.pace.per_child
        wanted = 0
        for child in self.children.values():
            if not child.takes:
                wanted += len(child.assigned)
            else:
                wanted += 1 if child.slow else per_child
        return wanted

    def take(self, deliveries: Iterable[Delivery]) -> None:
        """Run these."""
        for delivery in deliveries:
            self.open_count += 1
            self.open_bytes += len(delivery.lease)
            self.waiting.append(delivery)
        if self._handing_back:
            self._hand_back_waiting()
        else:
            self._dispatch()

    def _dispatch(self) -> None:
        if self.waiting:
            self._fill([child for child in self.children.values() if child.takes and not child.slow])

    def _fill(self, rooms: list[ChildProcess]) -> None:
        """Spread what waits evenly over these children, as far as it fits."""
        waiting = self.waiting
        if not rooms or not waiting:
            return
        queued = sum(len(child.assigned) for child in rooms)
        level = min(self.pace.per_child, -(-(queued + len(waiting)) // len(rooms)))
        rooms.sort(key=_load)
        for child in rooms:
            room = level - len(child.assigned)
            if room > 0 and waiting:
                child.assign([waiting.popleft() for _ in range(min(room, len(waiting)))])

    def has_free_slot(self) -> bool:
        """Whether a child has nothing to do."""
        return any(child.takes and not child.assigned for child in self.children.values())

    def rebalance(self, crowded: list[ChildProcess], stale_before: float) -> None:
        """Take back what these children have not started: for free slots first, then for whoever has room.

        What was received before `stale_before` (by the loop's clock) and finds no free slot is handed back.
        """
        for child in crowded:
            self._requeue(child.take_back())
        self._fill([child for child in self.children.values() if child.takes and not child.assigned])
        for delivery in list(self.waiting):
            if delivery.received < stale_before:
                self._release(delivery, STALE)
            elif delivery.is_expired():
                self._release(delivery, EXPIRED)
        self._dispatch()

    def _release(self, delivery: Delivery, reason: str) -> None:
        self.waiting.remove(delivery)
        self._end(delivery, outcomes.RELEASED, outcomes.released(delivery, reason))

    def _requeue(self, deliveries: list[Delivery]) -> None:
        """Put deliveries that no child has started back to the head of the queue, or end those that are to end."""
        for delivery in reversed(deliveries):
            if delivery.stop is not None:
                self._end_by(delivery, delivery.stop)
            elif self._handing_back:
                self._end(delivery, outcomes.RELEASED, outcomes.released(delivery, self._handing_back))
            elif delivery.is_expired():
                self._end(delivery, outcomes.RELEASED, outcomes.released(delivery, EXPIRED))
            else:
                self.waiting.appendleft(delivery)

    def stop(self, delivery: Delivery, stop: Stop) -> None:
        """End a delivery: at once if it is not started, else as the order says."""
        if delivery.ended:
            return
        delivery.stop = stop
        child = self.children.get(delivery.child)
        if child is None:
            self.waiting.remove(delivery)
            self._end_by(delivery, stop)
        else:
            # The child can start nothing after this, so no signal meant for this task can hit the next one.
            self._requeue(child.take_back())
            if delivery.child == child.number:
                self._stop_running(child, delivery, stop)
            self._dispatch()
        self._owner.on_room()

    def _stop_running(self, child: ChildProcess, delivery: Delivery, stop: Stop) -> None:
        child.tell_cancelled(delivery)
        if not stop.kill:
            return
        child.held_for = delivery
        if stop.sign is not None:
            child.signal(stop.sign)
        if stop.sign is not signal.SIGKILL:
            self._loop.call_later(stop.grace, self._kill, child, delivery)

    def _kill(self, child: ChildProcess, delivery: Delivery) -> None:
        if child.held_for is delivery:
            child.signal(signal.SIGKILL)

    def _end_by(self, delivery: Delivery, stop: Stop) -> None:
        if stop.ending is Ending.CANCELLED:
            self._end(delivery, outcomes.CANCELLED, outcomes.cancelled(delivery))
        elif stop.ending is Ending.TIME_LIMIT:
            self._end(delivery, outcomes.FAILED, outcomes.time_limit(delivery))
        elif stop.ending is Ending.HANDED_BACK:
            self._end(delivery, outcomes.RELEASED, outcomes.released(delivery, stop.reason))
        else:
            self._close(delivery)
            self._owner.on_drop(delivery)

    def _end(self, delivery: Delivery, outcome: int, report: bytes) -> None:
        self._close(delivery)
        self._owner.on_outcome(delivery, outcome, report, 0)

    def _close(self, delivery: Delivery) -> None:
        delivery.ended = True
        self.open_count -= 1
        self.open_bytes -= len(delivery.lease)

    # The end.

    def hand_back_unstarted(self, reason: str) -> None:
        """Hand back all that is not started, now and from now on; children that die are not replaced."""
        self._handing_back = reason
        for child in self.children.values():
            self._requeue(child.take_back())
        self._hand_back_waiting()

    def _hand_back_waiting(self) -> None:
        while self.waiting:
            delivery = self.waiting.popleft()
            self._end(delivery, outcomes.RELEASED, outcomes.released(delivery, self._handing_back))

    def kill_running(self, reason: str) -> None:
        """Kill the children and hand back what they ran."""
        self.hand_back_unstarted(reason)
        for child in self.children.values():
            child.look()
            for delivery in child.assigned.values():
                delivery.stop = Stop(Ending.HANDED_BACK, kill=True, sign=signal.SIGKILL, reason=reason)
            child.signal(signal.SIGKILL)

    async def close(self) -> None:
        """Let idle children exit, kill those that do not, and wait until all are gone."""
        self._handing_back = self._handing_back or "the worker stops"
        if not self.children:
            return
        self._all_gone.clear()
        for child in self.children.values():
            child.dismiss()
        try:
            await asyncio.wait_for(self._all_gone.wait(), _DISMISS_SECONDS)
        except TimeoutError:
            for child in self.children.values():
                child.signal(signal.SIGKILL)
            await self._all_gone.wait()


def _load(child: ChildProcess) -> int:
    return len(child.assigned)
