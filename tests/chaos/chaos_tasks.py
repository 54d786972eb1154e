"""Tasks that write down every run, so that a checker can read each task's history."""

import os
import time
from pathlib import Path

from caraway import Caraway
from caraway.task import Task

app = Caraway("chaos")

RUNS = Path(os.environ.get("CHAOS_RUNS", os.devnull))


def note(task: Task) -> None:  # type: ignore[type-arg]
    """One line a run, written at once: task id, fence, attempt, delivery."""
    request = task.request
    line = f"{request.id} {request.fence} {request.attempt} {request.delivery_count}\n"
    descriptor = os.open(RUNS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


@app.task(bind=True, name="chaos.square")
def square(self: Task, number: int, seconds: float) -> int:  # type: ignore[type-arg]
    """Works for a while."""
    note(self)
    time.sleep(seconds)
    return number * number


@app.task(bind=True, name="chaos.stumble", max_retries=5)
def stumble(self: Task, number: int, failures: int) -> int:  # type: ignore[type-arg]
    """Fails a few times first."""
    note(self)
    if self.request.retries < failures:
        raise self.retry(countdown=0.2, exc=ValueError("not yet"))
    return number * number
