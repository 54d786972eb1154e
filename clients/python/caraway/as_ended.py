"""Results given as their tasks end, whatever the order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

from caraway import background
from caraway.deadline import Deadline
from caraway.durations import Seconds
from caraway.exceptions import TimeoutError

__all__ = ["as_ended", "one_by_one"]

_AT_ONCE: Final = 100
"""Waits that are open at a time: each is a call of the gateway."""
_END: Final = object()


async def as_ended(
    results: Iterable[Any], timeout: Seconds | None, on_message: Callable[[dict[str, Any]], Any] | None
) -> AsyncIterator[tuple[str, Any]]:
    """Give each result's id and message as it ends; of a group, its id and its results.

    `on_message` is called with each message. Raises TimeoutError after `timeout` seconds in all.
    """
    until = Deadline(timeout)
    left = iter(results)
    waits: dict[asyncio.Task[Any], str] = {}
    try:
        while True:
            for result in islice(left, _AT_ONCE - len(waits)):
                waits[asyncio.ensure_future(_end_of(result))] = result.id
            if not waits:
                return
            ended, _ = await asyncio.wait(waits, timeout=until.left(), return_when=asyncio.FIRST_COMPLETED)
            if not ended:
                raise TimeoutError(f"{len(waits)} of the tasks did not end in time")
            for wait in ended:
                message = wait.result()
                if on_message is not None and isinstance(message, dict):
                    on_message(message)
                yield waits.pop(wait), message
    finally:
        for wait in waits:
            wait.cancel()


async def _end_of(result: Any) -> Any:
    """Give what Celery tells of a task that has ended; of a group, its results."""
    value = await result.aget(propagate=False, disable_sync_subtasks=False)
    if result.is_group:
        return result.results
    return {
        "task_id": result.id,
        "status": await result.astate(),
        "result": value,
        "traceback": await result.atraceback(),
        "date_done": result.date_done,
    }


def one_by_one(steps: AsyncIterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Give what an async iterator does, without an event loop of the caller's."""
    try:
        while (step := background.run(_next(steps)).result()) is not _END:
            yield step
    finally:
        background.run(_close(steps)).result()


async def _next(steps: AsyncIterator[Any]) -> Any:
    return await anext(steps, _END)


async def _close(steps: Any) -> None:
    await steps.aclose()
