"""The app of the end-to-end tests: `-A e2e.sample` for the worker, `from e2e import sample` for the tests."""

import os
import time
from pathlib import Path
from typing import Any

from caraway import Caraway
from caraway.exceptions import Ignore, Reject

app = Caraway("e2e.sample", default_queue="e2e")

LOOK_SECONDS = 0.01
LONGEST_SECONDS = 60.0


class OutOfStockError(Exception):
    """An error of the app's own."""


@app.task
def add(x: Any, y: Any) -> Any:
    return x + y


@app.task
async def add_async(x: int, y: int) -> int:
    return x + y


@app.task
def now() -> float:
    return time.time()


@app.task
def fail(item: str, count: int) -> None:
    raise OutOfStockError(item, count)


@app.task(bind=True, autoretry_for=(OutOfStockError,), max_retries=3, default_retry_delay=0.05)
def third_time_lucky(self: Any) -> int:
    if self.request.attempt < 3:
        raise OutOfStockError(f"attempt {self.request.attempt}")
    return int(self.request.attempt)


@app.task(bind=True, max_retries=1)
def give_up(self: Any) -> None:
    try:
        raise OutOfStockError("screws", 0)
    except OutOfStockError as error:
        raise self.retry(exc=error, countdown=0.01) from error


@app.task(bind=True, track_started=True)
def hold(self: Any, started: str, release: str) -> int:
    """Say who runs it, then run until the file `release` is there."""
    Path(started).write_text(str(os.getpid()))
    wait_for(Path(release))
    return os.getpid()


@app.task(bind=True)
def report(self: Any, release: str) -> str:
    """Report progress, then run until the file `release` is there."""
    self.update_state(state="PACKING", meta={"done": 3, "of": 7})
    wait_for(Path(release))
    return "packed"


@app.task(time_limit=0.3)
def too_long() -> None:
    time.sleep(LONGEST_SECONDS)


@app.task(soft_time_limit=0.2)
def told_to_stop() -> None:
    time.sleep(LONGEST_SECONDS)


@app.task
def text(size: int) -> str:
    return "x" * size


@app.task
def unserializable() -> object:
    return object()


@app.task
def ignored() -> None:
    raise Ignore


@app.task
def rejected() -> None:
    raise Reject("not mine")


@app.task
def die_once(mark: str) -> str:
    """Kill the process that runs it, the first time."""
    path = Path(mark)
    if not path.exists():
        path.touch()
        os._exit(9)
    return "survived"


@app.task(bind=True)
def context(self: Any) -> dict[str, Any]:
    request = self.request
    return {"id": request.id, "headers": request.headers, "attempt": request.attempt, **request.delivery_info}


def wait_for(path: Path) -> None:
    """Return once the file is there."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} did not appear")
        time.sleep(LOOK_SECONDS)
