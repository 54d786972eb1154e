"""Accepting tasks: many callers' in one call of the store, and a lone one straight to a worker that waits for it."""

import asyncio
from collections.abc import Sequence

from caraway_server.api.hub import Hub, Taker
from caraway_server.store.coalesce import Coalescer
from caraway_server.store.requests import MOST_IN_ONE_SCRIPT
from caraway_server.store.store import Store
from caraway_server.store.values import Lease, LeaseWish, NewTask, Submitted

FEW = 8  # more tasks than these are a crowd: throughput counts, not the way of each


class Submitter:
    """Hands tasks to the store.

    Args:
        store: where tasks are.
        hub: knows which workers wait.
    """

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._submits: Coalescer[NewTask, Submitted] = Coalescer(self._call, MOST_IN_ONE_SCRIPT)

    async def submit(self, tasks: Sequence[NewTask], *, all_or_nothing: bool = False) -> Sequence[Submitted]:
        """Accepts tasks, and answers for each."""
        if all_or_nothing:
            return await self._store.submit(tasks, all_or_nothing=True)
        return await self._submits.submit(tasks) if tasks else []

    async def _call(self, tasks: list[NewTask]) -> list[Submitted]:
        if len(tasks) <= FEW:
            taker = self._hub.idle_taker(tasks[0].queue, tasks[0].name)
            wish = taker.wish(len(tasks)) if taker is not None else None
            if taker is not None and wish is not None:
                return await self._submit_to(taker, wish, tasks)
        return await self._store.submit(tasks)

    async def _submit_to(self, taker: Taker, wish: LeaseWish, tasks: list[NewTask]) -> list[Submitted]:
        call = asyncio.create_task(self._store.submit_and_lease(tasks, wish))

        async def leases() -> tuple[list[Lease], bool]:
            _, found, more = await call
            return found, more

        taker.expect(asyncio.create_task(leases()))
        return (await asyncio.shield(call))[0]
