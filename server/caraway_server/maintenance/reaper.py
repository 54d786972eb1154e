"""The reaper: takes back leases that ran out."""

import logging

from caraway_server.store.store import Store

_log = logging.getLogger(__name__)

TASKS_IN_ONE_PASS = 200


class Reaper:
    """A duty of every gateway. Its passes show that some gateway lives: after a gap it lets workers renew first."""

    name = "reaper"

    def __init__(self, store: Store) -> None:
        self._store = store
        self.longest_pause = store.limits.reaper_gap / 2e6

    async def run_once(self) -> float | None:
        """One bounded pass; returns the seconds until the next is due, or None."""
        reaped, taken = await self._store.reap(TASKS_IN_ONE_PASS)
        for task_id, worker_id in taken:
            _log.warning("the lease of task %s ran out: worker %s is lost or deaf", task_id, worker_id)
        return reaped.next_in
