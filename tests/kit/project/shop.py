"""The project: an app in its own module, whose settings name a gateway that tests must not use."""

import os
import time
from typing import Any

from caraway import Caraway, Task

app = Caraway("shop", target="production.example:50051", unknown_task="fail")
calls = 0


def price(item: str) -> int:
    return len(item)


@app.task
def total(items: list[str]) -> int:
    return sum(price(item) for item in items)


@app.task
def count() -> list[Any]:
    """How often this process was asked, and which it is."""
    global calls
    calls += 1
    return [calls, os.getpid()]


@app.task(bind=True)
def host(self: Any) -> str:
    return str(self.request.hostname)


@app.task
def endless() -> None:
    while True:
        time.sleep(0.01)


class Count(Task[..., Any]):
    """A task that is a class; the tests' configuration names it."""

    def run(self, items: list[Any]) -> int:
        return len(items)
