"""One slot of a child process, as the supervisor holds it: what it runs, and what is queued behind that."""

import time
from typing import Protocol

from caraway_worker.delivery import Delivery
from caraway_worker.frames import ASSIGN_HEAD, HEAD, Kind
from caraway_worker.shared import SupervisorSlotCells


class SlotHome(Protocol):
    """The child process that the slot belongs to."""

    number: int

    @property
    def takes(self) -> bool:
        """Whether tasks may be assigned to it."""

    def send(self, data: bytes) -> None:
        """Send whole frames."""

    def strike(self) -> None:
        """Have the child look at its soft limit cells."""


class Slot:
    """Numbers its assignments upwards; divided by the count of slots, each leaves the slot's own number."""

    __slots__ = ("_cells", "_next", "_step", "assigned", "child", "last_started", "reserved", "slow")

    def __init__(self, child: SlotHome, cells: SupervisorSlotCells, number: int, count: int) -> None:
        self.child = child
        self.assigned: dict[int, Delivery] = {}  # by sequence number, in order, the running one first
        self.slow = False  # its running task is a long one: nothing is queued behind it
        self.reserved: Delivery | None = None  # it waits for the confirmation of its start, then runs here
        self.last_started = 0  # sequence number; valid once the child is gone
        self._cells = cells
        self._step = count
        self._next = count + number

    @property
    def takes(self) -> bool:
        """Whether tasks may be assigned to it."""
        return self.reserved is None and self.child.takes

    @property
    def is_free(self) -> bool:
        """Whether a task assigned to it would start at once."""
        return not self.assigned and self.takes

    def assign(self, deliveries: list[Delivery]) -> None:
        """Queue deliveries behind what it has."""
        parts = []
        sequence = self._next
        for delivery in deliveries:
            delivery.child, delivery.sequence = self.child.number, sequence
            self.assigned[sequence] = delivery
            body = ASSIGN_HEAD.pack(sequence, delivery.not_after_ns) + delivery.lease
            parts.append(HEAD.pack(Kind.ASSIGN, len(body)) + body)
            sequence += self._step
        self._next = sequence
        self.child.send(b"".join(parts))

    def reserve(self, delivery: Delivery) -> None:
        """Keep it free for a delivery whose start is to be confirmed first."""
        self.reserved = delivery
        delivery.child, delivery.sequence = self.child.number, self._next

    def take_back(self) -> list[Delivery]:
        """Withdraw what is not started; it is surely not run there. See shared.py."""
        if not self.assigned:
            return []
        started = self._cells.withdraw_below(self._next)
        taken = [delivery for sequence, delivery in self.assigned.items() if sequence > started]
        for delivery in taken:
            self.forget(delivery)
        return taken

    def forget(self, delivery: Delivery) -> None:
        """It has nothing to do with this delivery any more."""
        if self.reserved is delivery:
            self.reserved = None
        else:
            del self.assigned[delivery.sequence]
        delivery.child = 0

    def running(self) -> tuple[Delivery | None, float]:
        """Return the delivery that runs here, and for how long, in seconds; None: nothing that is known."""
        sequence, started_ns = self._cells.running()
        delivery = self.assigned.get(sequence)
        if delivery is None or self._cells.running()[0] != sequence:
            return None, 0.0
        return delivery, (time.monotonic_ns() - started_ns) / 1e9

    def tell_cancelled(self, delivery: Delivery) -> None:
        """Let the running task know that its cancellation is asked for."""
        self._cells.cancel(delivery.sequence)

    def strike_soft_limit(self, delivery: Delivery) -> None:
        """Have SoftTimeLimitExceeded raised in the running task; if it has ended meanwhile, nothing happens."""
        self._cells.aim_soft_limit(delivery.sequence)
        self.child.strike()

    def note_last_started(self) -> None:
        """The child is gone: keep what it told last."""
        self.last_started = self._cells.running()[0]
