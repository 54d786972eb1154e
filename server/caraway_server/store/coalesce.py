"""Coalescing: concurrent requests share one call of the store."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


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
        self._waiting: deque[tuple[Sequence[Item], asyncio.Future[Sequence[Answer]]]] = deque()
        self._sender: asyncio.Task[None] | None = None

    async def submit(self, items: Sequence[Item]) -> Sequence[Answer]:
        """Hands a group in and waits for its answers, which come in the order of the items.

        Raises:
            Exception: what the call raised; then it is raised for every group of that call.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[Answer]] = loop.create_future()
        self._waiting.append((items, future))
        if self._sender is None:
            self._sender = loop.create_task(self._send_all())
        return await future

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                await self._send(self._next_call())
        finally:
            self._sender = None

    def _next_call(self) -> list[tuple[Sequence[Item], asyncio.Future[Sequence[Answer]]]]:
        groups = [self._waiting.popleft()]
        size = len(groups[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= self._most:
            groups.append(self._waiting.popleft())
            size += len(groups[-1][0])
        return groups

    async def _send(self, groups: list[tuple[Sequence[Item], asyncio.Future[Sequence[Answer]]]]) -> None:
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
