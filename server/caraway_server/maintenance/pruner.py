"""The pruner: deletes what was kept long enough."""

from caraway_server.store.store import Store

TASKS_IN_ONE_PASS = 200


class Pruner:
    """A duty of every gateway; passes of several do not disturb each other."""

    name = "pruner"
    longest_pause = 30.0

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run_once(self) -> float | None:
        """One bounded pass; returns the seconds until the next is due, or None."""
        pruned = await self._store.prune(TASKS_IN_ONE_PASS)
        workflows = await self._store.workflows.prune(TASKS_IN_ONE_PASS)
        await self._store.forget_workers(TASKS_IN_ONE_PASS)
        return min((due for due in (pruned.next_in, workflows.next_in) if due is not None), default=None)
