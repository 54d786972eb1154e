"""How late the event loop is."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

__all__ = ["watch_lag"]

_PAUSE_SECONDS: Final = 0.5


async def watch_lag(observe: Callable[[float], None]) -> None:
    """Tell, about twice a second, how many seconds later than asked for this was woken. Never returns; cancel it."""
    loop = asyncio.get_running_loop()
    while True:
        pause = _PAUSE_SECONDS * random.uniform(0.8, 1.2)
        due = loop.time() + pause
        await asyncio.sleep(pause)
        observe(max(0.0, loop.time() - due))
