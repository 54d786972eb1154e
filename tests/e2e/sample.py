"""The app of the end-to-end tests: `-A e2e.sample` for the worker, `from e2e import sample` for the tests."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from caraway import Caraway, Task
from caraway.contrib.abortable import AbortableTask
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
async def submit_and_tell(number: int, queue: str) -> str:
    """Await something, then submit another task; returns its id."""
    await asyncio.sleep(0)
    result = await add.aapply_async((number, number), queue=queue)
    return result.id


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


@app.task(bind=True)
def halve(self: Any, number: float, *, steps: int = 0) -> list[Any]:
    """Halve a number by retries of the task with other arguments, priority, limit and header."""
    if number > 1:
        raise self.retry(
            (number / 2,), {"steps": steps + 1}, countdown=0, max_retries=9, priority=8, time_limit=50,
            headers={"halved": str(steps + 1)},
        )  # fmt: skip
    request = self.request
    return [number, steps, request.delivery_info["priority"], request.timelimit[0], request.headers["halved"]]


@app.task(bind=True)
def move_on(self: Any, queue: str) -> None:
    raise self.retry(countdown=0, queue=queue, expires=3600)


@app.task(bind=True, base=AbortableTask)
def until_aborted(self: Any, started: str) -> str:
    Path(started).touch()
    deadline = time.monotonic() + LONGEST_SECONDS
    while not self.is_aborted():
        if time.monotonic() > deadline:
            raise TimeoutError("nobody aborted it")
        time.sleep(LOOK_SECONDS)
    return "stopped early"


class Order(BaseModel):
    item: str
    count: int


@app.task(pydantic=True)
def order_more(order: Order) -> Order:
    return Order(item=order.item, count=order.count + 1)


class Remember(Task[..., int]):
    """A task as a class, which writes down what its hook is told."""

    name = "e2e.remember"
    autoretry_for = (OutOfStockError,)
    retry_kwargs = {"countdown": 0}

    def run(self, word: str, told: str) -> int:
        if self.request.retries == 0:
            raise OutOfStockError(word, 0)
        return int(self.request.attempt)

    def on_retry(self, exc: BaseException, task_id: str, args: Any, _kwargs: Any, _einfo: Any) -> None:
        Path(args[1]).write_text(f"{task_id}: {exc!r}")


remember = app.register_task(Remember())


@app.task(reject_on_worker_lost=False)
def die() -> None:
    os._exit(9)


@app.task(throws=OutOfStockError, ignore_result=True)
def fail_unkept() -> None:
    raise OutOfStockError("screws", 0)


@app.task(bind=True)
def requeue_once(self: Any) -> list[int]:
    if self.request.delivery_count == 1:
        raise Reject("not now", requeue=True)
    return [self.request.attempt, self.request.delivery_count]


def wait_for(path: Path) -> None:
    """Return once the file is there."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} did not appear")
        time.sleep(LOOK_SECONDS)
