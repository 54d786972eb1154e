"""The app of the tests of a worker's life: writes down each signal, where, and what it was told; own commands."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

from caraway import Caraway, signals
from caraway.worker.control import control_command, inspect_command

app = Caraway("life")
FILE = Path(os.environ["LIFE_FILE"])
LIFE = (
    "celeryd_after_setup", "celeryd_init", "heartbeat_sent", "worker_init", "worker_process_init",
    "worker_process_shutdown", "worker_ready", "worker_shutdown", "worker_shutting_down",
)  # fmt: skip


def note(signal: Any, sender: Any, **told: Any) -> None:
    shown = {name: value for name, value in told.items() if name in ("pid", "exitcode", "sig", "how")}
    if "instance" in told:
        shown["instance"] = [told["instance"].hostname, told["instance"].app is app]
    entry = [signal.name, getattr(sender, "hostname", sender), shown, os.getpid()]
    with FILE.open("a") as file:
        file.write(json.dumps(entry) + "\n")


for name in LIFE:
    getattr(signals, name).connect(note)


@app.task(name="add")
def add(x: int, y: int) -> int:
    return x + y


@app.task(name="hold")
def hold(begun: str, release: str) -> None:
    Path(begun).touch()
    while not Path(release).exists():
        time.sleep(0.01)


made: list[int] = []


@control_command(args=[("n", int)], alias="made_up", help="Celery's way to declare it")
def make(state: Any, n: int = 1) -> dict[str, Any]:
    made.append(n)
    return {"worker": state.hostname, "app": state.app.main, "made": made, "pid": os.getpid()}


@inspect_command()
async def slowly(state: Any) -> str:
    await asyncio.sleep(0)
    return state.hostname


@inspect_command()
def refuse(state: Any, why: str) -> None:
    raise RuntimeError(why)


@control_command(args=[("n", int)], variadic="names", signature="N [NAME ...]")
def several(state: Any, n: int = 0, names: Any = ()) -> list[Any]:
    return [n, names]


@inspect_command()
def undeclared(state: Any, first: Any, second: Any = None) -> list[Any]:
    return [first, second]


@control_command()
def die(state: Any) -> None:
    os._exit(3)


@control_command()
def ping(state: Any) -> str:
    return "never: the worker's own command stays"
