"""Many calls at once on one event loop, for systems that have no call for many tasks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

AT_ONCE = 50
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)


def call_all(call: Callable[[Any], Awaitable[Any]], values: Sequence[object]) -> list[Any]:
    """Call with each value, 50 at once; gives what the calls gave, in order."""

    async def all_of_them() -> list[Any]:
        given: list[Any] = []
        for start in range(0, len(values), AT_ONCE):
            given += await asyncio.gather(*map(call, values[start : start + AT_ONCE]))
        return given

    return loop.run_until_complete(all_of_them())


def call_each(call: Callable[[Any], Awaitable[Any]], count: int) -> None:
    """Call with each number below `count`, one after the other."""

    async def all_of_them() -> None:
        for number in range(count):
            await call(number)

    loop.run_until_complete(all_of_them())
