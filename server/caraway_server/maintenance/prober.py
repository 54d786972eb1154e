"""The prober: asks whether the store would take a task now, which is what the gateway's readiness says."""

from caraway_server.store.store import Store


class Prober:
    """A duty of every gateway."""

    name = "prober"

    def __init__(self, store: Store) -> None:
        self._store = store
        self.longest_pause = store.limits.reaper_gap / 2e6

    async def run_once(self) -> float | None:
        """Asks once; raises what a new task would meet."""
        await self._store.check_room()
        return None
