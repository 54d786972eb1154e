"""The eye on the pool: time limits, starts worth reporting, and tasks that wait behind a long one."""

import asyncio
import itertools
import signal

from caraway_worker.delivery import Ending, Stop
from caraway_worker.pool import Pool
from caraway_worker.process import ChildProcess
from caraway_worker.slot import Slot

TICK = 0.02
START_REPORTED_AFTER = 0.1
SLOW_AFTER = 0.05
STUCK_AFTER = 0.2


class Watch:
    """Looks at each busy slot every 20 ms, through the memory that it shares; asleep while nothing is open."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """Something has been given to the pool."""
        if self._timer is None:
            self._timer = self._loop.call_later(TICK, self._tick)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        stale_before = self._loop.time() - STUCK_AFTER
        busy = []
        for child in list(self._pool.children.values()):
            # A child rings at most once a millisecond, so results of short tasks may lie behind a long one.
            child.look()
            busy += [(child, slot) for slot in child.slots if slot.assigned]
        for child, slot in busy:
            self._look_at_running(child, slot)
        crowded = [slot for _, slot in busy if self._is_crowded(slot, stale_before)]
        if crowded or self._pool.waiting or self._pool.careful:
            self._pool.rebalance(crowded, stale_before)
        if self._pool.open_count:
            self.wake()

    def _look_at_running(self, child: ChildProcess, slot: Slot) -> None:
        delivery, run_time = slot.running()
        if delivery is None:
            return
        if run_time > SLOW_AFTER:
            slot.slow = True
        if run_time > START_REPORTED_AFTER:
            self._pool.report_start(delivery)
        if delivery.hard is not None and run_time >= delivery.hard and child.killable:
            if delivery.stop is None or not delivery.stop.kill:
                self._pool.stop(delivery, Stop(Ending.TIME_LIMIT, kill=True, sign=signal.SIGKILL))
        elif delivery.soft is not None and run_time >= delivery.soft and not delivery.soft_struck:
            delivery.soft_struck = True
            slot.strike_soft_limit(delivery)

    def _is_crowded(self, slot: Slot, stale_before: float) -> bool:
        """Whether tasks wait in a slot for too long, or behind a long one while another slot is free."""
        if len(slot.assigned) < 2:
            return False
        first_behind = next(itertools.islice(slot.assigned.values(), 1, None))
        if first_behind.received < stale_before:
            return True
        return slot.slow and (bool(self._pool.careful) or self._pool.has_free_slot())
