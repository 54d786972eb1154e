"""How names are made is the app's: a subclass may make them otherwise.

You should see:
    shop.bills.send
"""

from collections.abc import Callable
from typing import Any

from caraway import Caraway


class Shop(Caraway):
    """Leaves a part out of the names of its tasks' modules."""

    def gen_task_name(self, name: str, module: str) -> str:
        """Make a name, without `.tasks`."""
        return super().gen_task_name(name, module.removesuffix(".tasks"))


def send() -> None:
    """Send a bill."""


body: Callable[[], Any] = send
body.__module__ = "shop.bills.tasks"
print(Shop("shop").task(body).name)
