"""The app of the tests of signals: its receivers note what they are told."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from caraway import Caraway, Task, signals
from caraway.exceptions import Ignore, Reject
from caraway.request import Context

app = Caraway("signalled", unknown_task="fail")
seen: list[list[Any]] = []
FILE = os.environ.get("SIGNALS_FILE")


def note(signal: Any, sender: Any, **told: Any) -> None:
    shown = {name: repr(value) if isinstance(value, BaseException) else value for name, value in told.items()}
    if "args" in shown:
        shown["args"] = list(shown["args"])
    if "runtime" in shown:
        shown["runtime"] = 0 < shown["runtime"] < 60
    for name in ("task", "einfo", "traceback"):
        if name in shown:
            shown[name] = shown[name] is not None
    for name in ("request", "message"):
        if name in shown:
            about = shown[name]
            # Of a revoked task it is what the task itself sees.
            task = about.task if isinstance(about, Context) else getattr(about.task, "name", about.task)
            shown[name] = [about.id, task]
    entry = [signal.name, getattr(sender, "name", getattr(sender, "hostname", sender)), shown]
    seen.append(entry)
    if FILE:
        with Path(FILE).open("a") as file:
            file.write(json.dumps([*entry, os.getpid()]) + "\n")
    raise ValueError("what a receiver raises changes nothing")


for name in signals.__all__:
    if name.startswith("task_"):
        getattr(signals, name).connect(note)


class Hooked(Task[..., Any]):
    def on_success(self, retval: Any, *_rest: Any) -> None:
        seen.append(["on_success"])

    def after_return(self, *_rest: Any) -> None:
        seen.append(["after_return"])


def act(task: Any, how: str) -> Any:
    if how == "fail":
        raise KeyError("gone")
    if how == "retry":
        raise task.retry(exc=OSError("away"), countdown=5)
    if how in ("ignore", "reject"):
        raise Ignore() if how == "ignore" else Reject("no")
    return how


@app.task(name="plain", bind=True, base=Hooked)
def plain(self: Any, how: str, more: int = 0) -> Any:
    return act(self, how)


@app.task(name="awaited", bind=True)
async def awaited(self: Any, how: str, more: int = 0) -> Any:
    await asyncio.sleep(0.001)
    return act(self, how)


class Trap(list[int]):
    """Can't be written down, for a reason of its own."""

    def __iter__(self) -> Any:
        raise RuntimeError("trap")


@app.task(name="trap")
def trap() -> Any:
    return Trap()


@app.task(name="wait")
def wait(path: str) -> None:
    Path(path).touch()
    while True:
        __import__("time").sleep(0.01)


@app.task(name="seen")
def noted() -> list[Any]:
    """What was noted since this was last asked, but for this very task."""
    told = [entry for entry in seen if len(entry) == 1 or entry[1] != "seen"]
    seen.clear()
    return told
