"""Tasks and a calling program in words that release 0.1.0 has: run by its worker and SDK, and by the current ones."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from caraway import Caraway
from caraway.canvas import chain, chord, group
from caraway.exceptions import TaskRevokedError

app = Caraway("released", default_queue="released")

WAIT = 30.0


@app.task(name="released.add")
def add(x: int, y: int) -> int:
    return x + y


@app.task(name="released.total")
def total(numbers: list[int]) -> int:
    return sum(numbers)


@app.task(name="released.once", acks_late=False)
def once(x: int) -> int:
    return x


@app.task(bind=True, name="released.once_and_no_more", acks_late=False)
def once_and_no_more(self: Any, started: str) -> None:
    """Say that it runs, and run on."""
    Path(started).touch()
    time.sleep(WAIT)


@app.task(bind=True, name="released.hand_over")
def hand_over(self: Any, x: int) -> Any:
    """Let others take its place."""
    raise self.replace(chain(add.s(x, 1), add.s(1)))


@app.task(name="released.fail")
def fail() -> None:
    raise ValueError("as it should")


@app.task(bind=True, name="released.stumble", max_retries=3)
def stumble(self: Any, failures: int) -> int:
    if self.request.retries < failures:
        raise self.retry(countdown=0.05, exc=ValueError("not yet"))
    return int(self.request.retries)


@app.task(bind=True, name="released.hold")
def hold(self: Any, started: str, release: str) -> str:
    """Report progress, say that it runs, and wait for a file."""
    self.update_state(state="HALFWAY", meta={"part": 1})
    Path(started).touch()
    deadline = time.monotonic() + WAIT
    while not Path(release).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return "released"


def call_all(known: str = "known") -> None:
    """Use what a caller uses; an AssertionError where an answer is not what it was. `known` is a task's id."""
    assert add.delay(2, 2).get(timeout=WAIT) == 4
    assert stumble.delay(2).get(timeout=WAIT) == 2
    failed = fail.delay()
    assert isinstance(failed.get(timeout=WAIT, propagate=False), ValueError)
    assert failed.state == "FAILURE"
    with app.batch():
        results = [add.delay(number, number) for number in range(600)]
    assert sum(result.get(timeout=WAIT) for result in results) == 359_400
    assert chain(add.s(1, 2), add.s(10)).delay().get(timeout=WAIT) == 13
    assert group(add.s(n, 1) for n in range(5)).delay().get(timeout=WAIT) == [1, 2, 3, 4, 5]
    assert chord((add.s(n, n) for n in range(20)), total.s()).delay().get(timeout=WAIT) == 380
    assert once.delay(7).get(timeout=WAIT) == 7
    assert hand_over.delay(1).get(timeout=WAIT) == 3
    assert add.apply_async((2, 3), link=add.s(1), priority=9, countdown=0.1).get(timeout=WAIT) == 5
    try:
        chain(fail.si(), add.si(1, 1)).delay().get(timeout=WAIT)
    except ValueError:
        pass
    else:
        raise AssertionError("its first task failed")
    assert app.send_task("released.add", (1, 1), task_id=known).get(timeout=WAIT) == 2
    assert app.send_task("released.add", (1, 1), task_id=known).get(timeout=WAIT) == 2
    never = add.apply_async((1, 1), countdown=3600)
    never.revoke()
    try:
        never.get(timeout=WAIT)
    except TaskRevokedError:
        pass
    else:
        raise AssertionError("it was to be revoked")
    never.forget()


if __name__ == "__main__":
    call_all(f"known-to-{os.getpid()}")
    sys.stdout.write("all as it was\n")
