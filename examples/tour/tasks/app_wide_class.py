"""`task_cls` is the base of all tasks of an app that name none.

You should see:
    Polite Polite
"""

from typing import Any

from caraway import Caraway, Task


class Polite(Task[..., Any]):
    """The base of all."""


app = Caraway("shop", task_cls=Polite)
one = app.task(name="shop.one")(lambda: None)
other = app.task(name="shop.other")(lambda: None)
print(type(one).__name__, type(other).__name__)
