"""The app of this page, and its tasks. The worker: caraway worker -A tasks"""

import os
import time
from typing import Any

from caraway import Caraway

app = Caraway("tasks", default_queue="calling")


@app.task
def add(x: int, y: int) -> int:
    """Add two numbers."""
    return x + y


@app.task
def fail(why: str) -> None:
    """Raise."""
    raise ValueError(why)


@app.task
def tell(request: Any, exc: BaseException, traceback: str) -> str:
    """Be told of a task that failed."""
    return f"{request.task} failed: {exc}"


@app.task(bind=True)
def count(self: Any, most: int) -> str:
    """Tell how far it is."""
    for number in range(1, most + 1):
        self.update_state(state="COUNTING", meta={"so far": number})
        time.sleep(0.2)
    return "counted"


@app.task
def where() -> str:
    """Say by whom it is run."""
    return f"worker {os.getppid()}"
