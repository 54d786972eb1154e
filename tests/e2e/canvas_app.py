"""The app of the tests of canvases: `-A e2e.canvas_app` for the worker, `from e2e import canvas_app` for the tests."""

import json
import time
from pathlib import Path
from typing import Any

from caraway import Caraway, Signature, group
from support.canvas_tasks import register

app = Caraway("canvas", default_queue="canvas")
tasks = register(app)


def _write(path: str, *words: Any) -> None:
    with Path(path).open("a") as file:
        file.write(" ".join(str(word) for word in words) + "\n")


@app.task
def note(*args: Any) -> None:
    """Write what it was called with into the file that it is given last."""
    *values, path = args
    _write(path, "note", *values)


@app.task
def old(task_id: str, *, path: str) -> None:
    _write(path, "old", task_id)


@app.task
def new(request: Any, exc: BaseException, traceback: str, path: str) -> None:
    _write(path, "new", request.id, repr(exc), "Traceback" in traceback)


@app.task
def told(request: Any, exc: BaseException, traceback: str, path: str) -> None:
    shown = {
        name: getattr(request, name)
        for name in ("id", "task", "args", "kwargs", "retries", "root_id", "parent_id", "stamps", "headers")
    }
    _write(path, json.dumps(shown))


@app.task(bind=True)
def bound(self: Any, task_id: str, path: str) -> None:
    _write(path, "bound", task_id)


@app.task(bind=True)
def become(self: Any, *args: Any) -> Any:
    """Be replaced by the canvas that it is given last, called with what is given before."""
    return self.replace(Signature.from_dict(args[-1]).clone(args[:-1]))


@app.task(bind=True)
def count_down(self: Any, n: int) -> Any:
    return n if n == 0 else self.replace(self.s(n - 1))


@app.task(bind=True)
def grow(self: Any, n: int) -> int:
    """Add `n` members to the group that it is in."""
    for more in range(n):
        self.add_to_chord(tasks.same.s(-more))
    return n


@app.task(bind=True)
def context(self: Any, *args: Any) -> dict[str, Any]:
    request = self.request
    return {
        "id": request.id,
        "root": request.root_id,
        "parent": request.parent_id,
        "group": request.group,
        "stamps": request.stamps,
    }


@app.task
def send(form: dict[str, Any]) -> Any:
    """Send the canvas that it is given, and give its result's form."""
    return Signature.from_dict(form).apply_async().as_tuple()


@app.task
def wide(n: int) -> Any:
    """Submit a group, as a task may; its result can be read by its id."""
    return group(tasks.same.s(number) for number in range(n)).apply_async().id


@app.task(bind=True)
def spawn(self: Any, parts: int) -> list[str]:
    """Submit tasks, a canvas, and one that is not to be known as a child; give the ids of those that are."""
    sent = [tasks.same.delay(n).id for n in range(parts)]
    chained = (tasks.same.s("first") | tasks.same.s()).apply_async()
    tasks.same.apply_async(("hidden",), add_to_parent=False)
    return [*sent, chained.parent.id]


@app.task(trail=False)
def leave_no_trail() -> None:
    tasks.same.delay(1)


@app.task(track_started=True)
def linger(seconds: float) -> None:
    time.sleep(seconds)


@app.task
def needs(path: str, *args: Any) -> str:
    """Fail unless there is a file."""
    return Path(path).read_text()
