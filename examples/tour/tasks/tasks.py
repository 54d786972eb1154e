"""The app of this page, and its tasks. The worker: caraway worker -A tasks"""

import sqlite3
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from caraway import Caraway, Task
from caraway.exceptions import Ignore, Reject
from caraway.utils.log import get_task_logger

app = Caraway("tasks", default_queue="tasks")
logger = get_task_logger(__name__)


@app.task
def add(x: int, y: int) -> int:
    """Add two numbers."""
    logger.info("adding %s and %s", x, y)
    return x + y


@app.task(bind=True)
def who_am_i(self: Any) -> dict[str, Any]:
    """Tell what a task knows of itself."""
    request = self.request
    return {"id": request.id, "name": self.name, "attempt": request.attempt, "queue": request.delivery_info["queue"]}


class Base(Task[..., Any]):
    """What several tasks have in common."""

    greeting = "hello"

    def greet(self, name: str) -> str:
        """Greet somebody."""
        return f"{self.greeting}, {name}"


@app.task(bind=True, base=Base)
def greet(self: Any, name: str) -> str:
    """Use what the base has."""
    text: str = self.greet(name)
    return text


@app.task(name="any.name.at.all")
def named() -> str:
    """Have a name of one's own."""
    return "found"


@app.task(hidden=("password",))
def log_in(user: str, password: str) -> str:
    """Take something that no list and no log is to show."""
    return f"welcome, {user}"


@app.task(bind=True, max_retries=5)
def patient(self: Any, wait: float) -> str:
    """Ask for a retry, twice."""
    if self.request.retries < 2:
        raise self.retry(countdown=wait, exc=OSError("the line is busy"))
    return f"done, after {self.request.retries} retries"


@app.task(bind=True, default_retry_delay=0.1, max_retries=1)
def impatient(self: Any) -> None:
    """Ask for more retries than there are."""
    raise self.retry(exc=OSError("the line is busy"))


@app.task(bind=True, autoretry_for=(OSError,), retry_backoff=0.1, retry_jitter=False, max_retries=3)
def persistent(self: Any) -> str:
    """Fail twice by an error that is tried again by itself."""
    if self.request.retries < 2:
        raise ConnectionError("no route")
    return f"done, after {self.request.retries} retries"


class Order(BaseModel):
    """What `ship` takes."""

    item: str
    count: int = 1


@app.task(pydantic=True)
def ship(order: Order) -> str:
    """Take a model, which is made of what was sent."""
    return f"{order.count} of {order.item}"


@app.task(time_limit=10, ignore_result=True, priority=6)
def with_options() -> str:
    """Have options."""
    return "which nobody reads"


@app.task(bind=True)
def upload(self: Any, files: list[str]) -> int:
    """Report a state of its own."""
    for done, name in enumerate(files, start=1):
        self.update_state(state="UPLOADING", meta={"file": name, "done": done})
        time.sleep(0.2)
    return len(files)


class OutOfStock(Exception):
    """An error with arguments of its own, which it hands to Exception: so it can be made again elsewhere."""

    def __init__(self, item: str, left: int) -> None:
        """Say which and how many."""
        super().__init__(item, left)
        self.item, self.left = item, left


@app.task
def sell(item: str) -> None:
    """Raise an error of one's own."""
    raise OutOfStock(item, 0)


@app.task
def ignored() -> None:
    """End without an outcome."""
    raise Ignore


@app.task
def rejected() -> None:
    """Refuse."""
    raise Reject("not mine to do")


class Counting(Task[..., Any]):
    """Is made once in each process, so what it keeps is there for the next task."""

    def __init__(self) -> None:
        """Called once a process."""
        self.made = 1
        self.calls = 0


@app.task(bind=True, base=Counting)
def count(self: Any) -> dict[str, int]:
    """Count the calls in this process."""
    self.calls += 1
    return {"made": self.made, "calls": self.calls}


class Noting(Task[..., Any]):
    """Has hooks, which run in the worker around each attempt."""

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Note that it begins."""
        self._note(args[0], "before_start")

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        """Note that it went well."""
        self._note(args[0], f"on_success {retval}")

    def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Note that it failed."""
        self._note(args[0], f"on_failure {exc}")

    def after_return(self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Note that it is over."""
        self._note(args[0], f"after_return {status}")

    def _note(self, path: str, text: str) -> None:
        with Path(path).open("a") as file:
            file.write(f"{text}\n")


@app.task(base=Noting)
def hooked(path: str, number: int) -> float:
    """Divide 1 by a number."""
    return 1 / number


@app.task(bind=True)
def parent(self: Any, n: int) -> Any:
    """Be replaced by a canvas, instead of waiting for other tasks."""
    return self.replace(add.s(n, 1) | add.s(1))


@app.task
def pay(database: str, order: int) -> str:
    """Look at what the transaction wrote that submitted it."""
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT state FROM orders WHERE id = ?", (order,)).fetchone()
    return str(found[0]) if found else "no such order"


@app.task(bind=True, autoretry_for=(OSError,), retry_backoff=0.1)
def is_spam(self: Any, text: str) -> bool:
    """Ask a service that is away at times; here it is so at first."""
    if self.request.retries == 0:
        raise ConnectionError("the spam filter is away")
    return "buy now" in text.lower()


@app.task
def publish(spam: bool, comment: int) -> str:
    """Show a comment, or not."""
    return f"comment {comment} is {'kept back' if spam else 'shown'}"
