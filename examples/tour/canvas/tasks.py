"""The app of this page, and its tasks. The worker: caraway worker -A tasks"""

from typing import Any

from caraway import Caraway

app = Caraway("tasks", default_queue="canvas")


@app.task
def add(x: int, y: int) -> int:
    """Add two numbers."""
    return x + y


@app.task
def mul(x: int, y: int) -> int:
    """Multiply two numbers."""
    return x * y


@app.task
def xsum(numbers: list[int]) -> int:
    """Add many numbers."""
    return sum(numbers)


@app.task
def fail(*args: Any) -> None:
    """Raise."""
    raise ValueError("it was to fail")


@app.task
def on_error(request: Any, exc: BaseException, traceback: str) -> str:
    """Be told of a task that failed."""
    return f"{request.task} failed: {exc}"


@app.task
def note(text: str) -> str:
    """Say something, whatever was before."""
    return text


@app.task(bind=True)
def stamps(self: Any, *args: Any) -> dict[str, Any]:
    """Tell what it is stamped with."""
    found: dict[str, Any] = self.request.stamps
    return dict(sorted(found.items()))
