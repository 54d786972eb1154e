"""The pool: slots in child processes, what is queued for them, and what becomes of each delivery."""

import asyncio
import signal
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from caraway_worker import outcomes
from caraway_worker.catalog import Catalog
from caraway_worker.children import Children, PoolOptions
from caraway_worker.delivery import Delivery, Ending, Stop
from caraway_worker.frames import DONE_HEAD, SEQUENCE, Kind
from caraway_worker.pace import MOST_PER_CHILD, Pace
from caraway_worker.process import ChildProcess, exit_in_words
from caraway_worker.slot import Slot

EXPIRED = "it expired before it started"
STALE = "no slot was free in time"
KILLED = "the process that ran it was killed because of another task"


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


class Pool:
    """Queues deliveries with slots, least loaded first, and tells what becomes of each.

    A delivery that runs at most once gets a slot of its own first; there it waits until its start is confirmed.
    """

    def __init__(self, options: PoolOptions, owner: PoolOwner) -> None:
        self.pace = Pace()
        self.open_count = 0  # deliveries taken and not ended
        self.open_bytes = 0
        self.waiting: deque[Delivery] = deque()
        self.careful: deque[Delivery] = deque()  # those that run at most once and have no slot yet
        self.crew = Children(options, self)
        self.children = self.crew.by_number
        self._slots_per_child = options.child.slots
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._handing_back = ""  # why everything that is not started goes back; empty: it does not
        self._killing = False

    async def start(self) -> Catalog:
        """Start all children and wait until the first has loaded the app. Raises BrokenApp."""
        return await self.crew.start()

    # What children say.

    def on_frame(self, child: ChildProcess, kind: int, body: bytes) -> None:
        """A child said something."""
        if kind == Kind.DONE:
            self._on_done(child, body)
        elif kind == Kind.SKIPPED:
            self._on_skipped(child, SEQUENCE.unpack(body)[0])
        elif kind in (Kind.BEGUN, Kind.PROGRESS):
            sequence = SEQUENCE.unpack_from(body)[0]
            delivery = child.slot_of(sequence).assigned.get(sequence)
            if delivery is not None:
                self.report_start(delivery)
                if kind == Kind.PROGRESS:
                    self._owner.on_report(delivery, body[SEQUENCE.size :])
        elif kind == Kind.READY:
            self.crew.on_ready(child, Catalog.from_bytes(body))
        elif kind == Kind.BROKEN:
            self.crew.on_broken(body.decode())
        elif kind == Kind.BYE:
            self._on_bye(child)

    def _on_done(self, child: ChildProcess, body: bytes) -> None:
        sequence, run_ns, outcome = DONE_HEAD.unpack_from(body)
        slot = child.slot_of(sequence)
        delivery = slot.assigned.pop(sequence, None)
        if delivery is None:
            return
        delivery.child = 0
        slot.slow = False
        if child.doomed:
            child.doomed.discard(delivery.token)
        self.pace.add(run_ns * 1e-9)
        if delivery.stop is not None and delivery.stop.ending is Ending.SILENT:
            self._end_by(delivery, delivery.stop)
            return
        delivery.ended = True
        self.open_count -= 1
        self.open_bytes -= len(delivery.lease)
        self._owner.on_outcome(delivery, outcome, body[DONE_HEAD.size :], run_ns)

    def _on_skipped(self, child: ChildProcess, sequence: int) -> None:
        slot = child.slot_of(sequence)
        delivery = slot.assigned.get(sequence)
        if delivery is None:
            return  # taken back before
        slot.forget(delivery)
        self._requeue([delivery])

    def _on_bye(self, child: ChildProcess) -> None:
        """It starts nothing any more, but ends what it runs."""
        for slot in child.slots:
            self._requeue(self._clear(slot))
        self.crew.on_bye(child)

    def on_idle(self, child: ChildProcess) -> None:
        """All that a child has said so far has been taken in."""
        if child.leaving and child.is_idle:
            self.crew.dismiss(child)
        self._dispatch()
        self._owner.on_room()

    def on_exit(self, child: ChildProcess, code: int) -> None:
        """A child is gone: say what became of its tasks, take back the others, have another child started."""
        del self.children[child.number]
        running: list[Delivery] = []
        not_started: list[Delivery] = []
        for slot in child.slots:
            for delivery in [*slot.assigned.values(), *filter(None, [slot.reserved])]:
                began = slot.reserved is not delivery and delivery.sequence <= slot.last_started
                (running if began else not_started).append(delivery)
                slot.forget(delivery)
        for delivery in running:
            self._died_with(delivery, child, code)
        self._requeue(not_started)
        self.crew.on_exit(child, code)
        if self._handing_back and not self.children:
            self._hand_back_waiting(all_of_them=True)
        self._dispatch()
        self._owner.on_room()

    def _died_with(self, delivery: Delivery, child: ChildProcess, code: int) -> None:
        if delivery.stop is not None and delivery.stop.kill:
            self._end_by(delivery, delivery.stop)
        elif child.signalled:
            self._hand_back(delivery, KILLED)
        else:
            how = f"the process {child.pid} that ran the task died: {exit_in_words(code)}"
            self._end(delivery, *outcomes.died(delivery, how))

    def report_start(self, delivery: Delivery) -> None:
        """Report that it runs, once."""
        if not delivery.start_reported:
            delivery.start_reported = True
            self._owner.on_report(delivery, outcomes.started(delivery))

    def confirm_start(self, delivery: Delivery) -> None:
        """Run a delivery that runs at most once: the gateway knows of its start now."""
        if delivery.ended or delivery.start_confirmed:
            return
        delivery.start_confirmed = True
        delivery.not_after_ns = 0
        slot = self._slot_of(delivery)
        if slot is None:
            self.careful.remove(delivery)
            self.waiting.appendleft(delivery)  # the child that it waited for is gone
            self._dispatch()
        else:
            slot.forget(delivery)
            slot.assign([delivery])

    # Deliveries.

    def _slot_of(self, delivery: Delivery) -> Slot | None:
        child = self.children.get(delivery.child)
        return None if child is None else child.slot_of(delivery.sequence)

    @property
    def slots(self) -> list[Slot]:
        """All slots that tasks may be assigned to."""
        return [
            slot for child in self.children.values() if child.takes for slot in child.slots if slot.reserved is None
        ]

    @property
    def _per_slot(self) -> int:
        """Slots of one child share its processor, so they share what keeps it busy, too."""
        return min(self.pace.per_child, max(1, MOST_PER_CHILD // self._slots_per_child))

    @property
    def wanted(self) -> int:
        """How many deliveries the pool would like to hold in all, those that it holds included."""
        per_slot = self._per_slot
        wanted = len(self.careful)
        for child in self.children.values():
            takes = child.takes
            for slot in child.slots:
                if not takes or slot.reserved is not None:
                    wanted += len(slot.assigned) + (slot.reserved is not None)
                else:
                    wanted += 1 if slot.slow else per_slot
        return wanted

    def take(self, deliveries: Iterable[Delivery]) -> None:
        """Run these."""
        for delivery in deliveries:
            self.open_count += 1
            self.open_bytes += len(delivery.lease)
            (self.careful if delivery.at_most_once else self.waiting).append(delivery)
        if self._handing_back:
            self._hand_back_waiting()
        else:
            self._dispatch()

    def _dispatch(self) -> None:
        if self.careful:
            self._reserve()
        if self.waiting:
            self._fill([slot for slot in self.slots if not slot.slow])

    def _reserve(self) -> None:
        """Keep free slots for deliveries that run at most once, and ask for the confirmation of their start."""
        untold = [delivery for delivery in self.careful if not delivery.start_reported]
        free = [slot for slot in self.slots if slot.is_free]
        for delivery, slot in zip(untold, free, strict=False):
            self.careful.remove(delivery)
            if delivery.is_expired():
                self._hand_back(delivery, EXPIRED)
                continue
            slot.reserve(delivery)
            self.report_start(delivery)

    def _fill(self, rooms: list[Slot]) -> None:
        """Spread what waits evenly over these slots, as far as it fits."""
        waiting = self.waiting
        if not rooms or not waiting:
            return
        queued = sum(len(slot.assigned) for slot in rooms)
        level = min(self._per_slot, -(-(queued + len(waiting)) // len(rooms)))
        if self.careful:
            level = 1  # slots that run empty are waited for
        rooms.sort(key=_load)
        for slot in rooms:
            room = level - len(slot.assigned)
            if room > 0 and waiting:
                slot.assign([waiting.popleft() for _ in range(min(room, len(waiting)))])

    def has_free_slot(self) -> bool:
        """Whether a slot has nothing to do."""
        return any(slot.is_free for slot in self.slots)

    def rebalance(self, crowded: list[Slot], stale_before: float) -> None:
        """Take back what these slots have not started: for free slots first, then for whoever has room.

        What was received before `stale_before` (by the loop's clock) and finds no free slot is handed back.
        """
        for slot in crowded:
            self._requeue(slot.take_back())
        self._fill([slot for slot in self.slots if not slot.assigned])
        for queue in (self.waiting, self.careful):
            for delivery in [one for one in queue if not one.is_spent]:
                if delivery.received < stale_before or delivery.is_expired():
                    queue.remove(delivery)
                    self._hand_back(delivery, EXPIRED if delivery.is_expired() else STALE)
        self._dispatch()

    def _hand_back(self, delivery: Delivery, reason: str) -> None:
        """End it so that it may run elsewhere; one that runs at most once, and may have begun, is lost."""
        if delivery.is_spent:
            self._end(delivery, outcomes.LOST, outcomes.lost(delivery, reason))
        else:
            self._end(delivery, outcomes.RELEASED, outcomes.released(delivery, reason))

    def _clear(self, slot: Slot) -> list[Delivery]:
        """Take all from a slot that it has not started."""
        taken = slot.take_back()
        if slot.reserved is not None:
            taken.append(slot.reserved)
            slot.forget(slot.reserved)
        return taken

    def _requeue(self, deliveries: list[Delivery]) -> None:
        """Put deliveries that no child has started back to the head of the queue, or end those that are to end."""
        for delivery in reversed(deliveries):
            if delivery.stop is not None:
                self._end_by(delivery, delivery.stop)
            elif self._killing or (self._handing_back and not delivery.is_spent):
                self._hand_back(delivery, self._handing_back)
            elif delivery.is_expired() and not delivery.is_spent:
                self._hand_back(delivery, EXPIRED)
            elif delivery.at_most_once and not delivery.start_confirmed:
                self.careful.appendleft(delivery)
            else:
                self.waiting.appendleft(delivery)

    def stop(self, delivery: Delivery, stop: Stop) -> None:
        """End a delivery: at once if it is not started, else as the order says."""
        if delivery.ended or (stop.pending_only and delivery.stop is not None):
            return
        delivery.stop = stop
        slot = self._slot_of(delivery)
        if slot is None:
            (self.waiting if delivery in self.waiting else self.careful).remove(delivery)
            self._end_by(delivery, stop)
        elif slot.reserved is delivery:
            slot.forget(delivery)
            self._end_by(delivery, stop)
        else:
            # The slot can start nothing after this, so no signal meant for this task can hit the next one.
            self._requeue(slot.take_back())
            if self._slot_of(delivery) is slot and stop.pending_only:
                delivery.stop = None
            elif self._slot_of(delivery) is slot:
                self._stop_running(self.children[delivery.child], slot, delivery, stop)
        self._dispatch()
        self._owner.on_room()

    def _stop_running(self, child: ChildProcess, slot: Slot, delivery: Delivery, stop: Stop) -> None:
        slot.tell_cancelled(delivery)
        if not stop.kill or not child.killable:
            return
        for other in child.slots:
            self._requeue(self._clear(other))
        child.doomed.add(delivery.token)
        if stop.sign is not None:
            child.signal(stop.sign)
        if stop.sign is not signal.SIGKILL:
            self._loop.call_later(stop.grace, self._kill, child, delivery)

    def _kill(self, child: ChildProcess, delivery: Delivery) -> None:
        if delivery.token in child.doomed:
            child.signal(signal.SIGKILL)

    def _end_by(self, delivery: Delivery, stop: Stop) -> None:
        if stop.ending is Ending.CANCELLED:
            self._end(delivery, outcomes.CANCELLED, outcomes.cancelled(delivery))
        elif stop.ending is Ending.TIME_LIMIT:
            self._end(delivery, outcomes.FAILED, outcomes.time_limit(delivery))
        elif stop.ending is Ending.HANDED_BACK:
            self._hand_back(delivery, stop.reason)
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
        self.crew.stop_replacing()
        for child in self.children.values():
            for slot in child.slots:
                self._requeue(slot.take_back())
        self._hand_back_waiting(all_of_them=self._killing)
        self._dispatch()

    def _hand_back_waiting(self, all_of_them: bool = False) -> None:
        """Those whose start is told and that run at most once can't go back: they are run still, while that can be."""
        for queue in (self.waiting, self.careful):
            for delivery in [one for one in queue if all_of_them or not one.is_spent]:
                queue.remove(delivery)
                self._hand_back(delivery, self._handing_back)

    def kill_running(self, reason: str) -> None:
        """Kill the children and hand back what they ran."""
        self._killing = True
        self.hand_back_unstarted(reason)
        stop = Stop(Ending.HANDED_BACK, kill=True, sign=signal.SIGKILL, reason=reason)
        for child in self.children.values():
            child.look()
            for slot in child.slots:
                self._requeue(self._clear(slot))
                for delivery in list(slot.assigned.values()):
                    delivery.stop = stop
                    if not child.killable:
                        slot.forget(delivery)
                        self._end_by(delivery, stop)
            if child.killable:
                child.signal(signal.SIGKILL)

    async def close(self) -> None:
        """Let idle children exit, kill those that do not, and wait until all are gone."""
        self._handing_back = self._handing_back or "the worker stops"
        await self.crew.close()


def _load(slot: Slot) -> int:
    return len(slot.assigned)
