"""Tasks that every app has: what `map`, `starmap` and a group that replaces a task run as."""

from typing import Any

from caraway.canvas.signature import Signature
from caraway.coroutines import run_to_end

__all__ = ["ACCUMULATE", "add_to"]

ACCUMULATE = "caraway.accumulate"
"""Gives the list that it is given: a group's outcome, as that of one task."""


def add_to(app: Any) -> None:
    """Register them with an app."""

    def called(task: Any) -> Any:
        return Signature.from_dict(task, app).type

    def xmap(task: Any, it: Any) -> list[Any]:
        return _all(called(task), [(item,) for item in it])

    def xstarmap(task: Any, it: Any) -> list[Any]:
        return _all(called(task), it)

    def accumulate(values: list[Any]) -> list[Any]:
        return values

    for name, body in (("caraway.map", xmap), ("caraway.starmap", xstarmap), (ACCUMULATE, accumulate)):
        app.task(name=name, typing=False)(body)


def _all(task: Any, calls: Any) -> list[Any]:
    if not task.is_async:
        return [task(*args) for args in calls]

    async def awaited() -> list[Any]:
        return [await task(*args) for args in calls]

    return run_to_end(awaited())
