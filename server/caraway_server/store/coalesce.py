"""Coalescing: concurrent requests share one call of the store."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Group = tuple[Sequence[Item], asyncio.Future[Sequence[Answer]]]

# With 64 callers in flight a call had 2 requests without waiting for any, 9 with four turns, 20 with eight or sixteen.
QUIET_TURNS = 8


class Coalescer(Generic[Item, Answer]):
    """Sends a group of items at once while no call is under way, and all that gathered meanwhile in the next one.

    So a lone request waits for nothing, and a crowd costs one call. A group is never split over two calls.

    Args:
        call: handles many items, and answers as many, in order.
        most: items in one call, which bounds how long a script holds the store; a larger group goes alone.
    """

    def __init__(self, call: Callable[[list[Item]], Awaitable[Sequence[Answer]]], most: int) -> None:
        self._call = call
        self._most = most
        self._waiting: deque[Group[Item, Answer]] = deque()
        self._size = 0  # items that wait
        self._sender: asyncio.Task[None] | None = None

    async def submit(self, items: Sequence[Item]) -> Sequence[Answer]:
        """Hands a group in and waits for its answers, which come in the order of the items.

        Raises:
            Exception: what the call raised; then it is raised for every group of that call.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[Answer]] = loop.create_future()
        self._waiting.append((items, future))
        self._size += len(items)
        if self._sender is None:
            self._sender = loop.create_task(self._send_all())
        return await future

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) > 1:
                    await self._gather()
                await self._send(self._next_call())
        finally:
            self._sender = None

    async def _gather(self) -> None:
        """Lets those in that are on their way, until some turns of the event loop bring none.

        Where several wait more are about to, but they come one by one, and the store is quicker than that.
        """
        quiet = 0
        while quiet < QUIET_TURNS and self._size < self._most:
            before = self._size
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._size == before else 0

    def _next_call(self) -> list[Group[Item, Answer]]:
        groups = [self._waiting.popleft()]
        size = len(groups[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= self._most:
            groups.append(self._waiting.popleft())
            size += len(groups[-1][0])
        self._size -= size
        return groups

    async def _send(self, groups: list[Group[Item, Answer]]) -> None:
        try:
            answers = await self._call([item for items, _ in groups for item in items])
        except Exception as error:  # whatever it is, those who wait must hear of it
            for _, future in groups:
                if not future.done():
                    future.set_exception(error)
            return
        start = 0
        for items, future in groups:
            if not future.done():
                future.set_result(answers[start : start + len(items)])
            start += len(items)
