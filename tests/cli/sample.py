"""The app of these tests' worker: `-A cli.sample`."""

import time
from pathlib import Path

from caraway import Caraway

app = Caraway("cli.sample", default_queue="cli")


@app.task(name="cli.add")
def add(x: int, y: int) -> int:
    return x + y


@app.task(name="cli.fail")
def fail(what: str) -> None:
    raise ValueError(what)


@app.task(name="cli.wait_for")
def wait_for(path: str) -> None:
    deadline = time.monotonic() + 60
    while not Path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
