"""The relay: does what is next in workflows."""

from caraway_server.store.store import Store


class Relay:
    """A duty of every gateway, woken by notes; passes of several do not disturb each other. See store/lua/relay.lua."""

    name = "relay"
    longest_pause = 2.0  # also how long the work of a gateway that died waits for another

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run_once(self) -> float | None:
        """One bounded pass; returns the seconds until the next is due, or None."""
        return (await self._store.workflows.advance()).next_in
