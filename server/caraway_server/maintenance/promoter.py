"""The promoter: makes due tasks ready."""

from caraway_server.store.store import Store

TASKS_IN_ONE_PASS = 200


class Promoter:
    """A duty of every gateway; passes of several do not disturb each other."""

    name = "promoter"
    longest_pause = 5.0

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run_once(self) -> float | None:
        """One bounded pass; returns the seconds until the next is due, or None."""
        return (await self._store.promote(TASKS_IN_ONE_PASS)).next_in
