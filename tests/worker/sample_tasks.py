"""The app that the workers of these tests run."""

import asyncio
import ctypes
import itertools
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from caraway import Caraway
from caraway.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded
from caraway.utils.log import get_task_logger

app = Caraway("sample", target=os.environ.get("CARAWAY_TARGET"))


@app.task(name="add")
def add(x: int, y: int) -> int:
    return x + y


@app.task(name="pid")
def pid() -> int:
    return os.getpid()


@app.task(name="note")
def note(path: str, text: str) -> str:
    """Append a line to a file: what ran is seen there."""
    with Path(path).open("a") as file:
        file.write(f"{text}\n")
    return text


@app.task(name="note_once", acks_late=False)
def note_once(path: str, text: str) -> str:
    return note(path, text)


@app.task(name="put_back_once", acks_late=False)
def put_back_once() -> None:
    raise Reject("later", requeue=True)


@app.task(name="note_then_sleep")
def note_then_sleep(path: str, seconds: float) -> str:
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    return "slept"


@app.task(name="sleep")
def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@app.task(name="nap")
def nap(seconds: float) -> float:
    """Sleep in small pieces, so that an exception can be raised in a thread."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.005)
    return seconds


@app.task(name="nap_pid")
def nap_pid(seconds: float) -> int:
    nap(seconds)
    return os.getpid()


@app.task(name="nap_catch_soft")
def nap_catch_soft(seconds: float) -> str:
    try:
        nap(seconds)
    except SoftTimeLimitExceeded:
        return "cleaned up"
    return "not struck"


@app.task(name="await_add")
async def await_add(x: int, y: int) -> int:
    return x + y


@app.task(name="own_id", bind=True)
def own_id(self: Any, count: int) -> list[str]:
    """Tell again and again who is asked."""
    ids = []
    for number in range(count):
        time.sleep(0.01)
        ids.append(self.request.id)
        self.update_state(state="PROGRESS", meta=number)
    return ids


@app.task(name="socket_module")
def socket_module() -> str:
    return socket.socket.__module__


@app.task(name="tracked", track_started=True)
def tracked() -> None:
    """Do nothing, but be seen to start."""


@app.task(name="busy")
def busy(seconds: float) -> int:
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        count += 1
    return count


@app.task(name="block_in_c")
def block_in_c() -> int:
    """Hold the GIL in C for hours: no signal handler of Python runs."""
    return sum(itertools.repeat(1, 10**13))


@app.task(name="catch_soft")
def catch_soft(seconds: float) -> str:
    try:
        time.sleep(seconds)
    except SoftTimeLimitExceeded:
        return "cleaned up"
    return "not struck"


@app.task(name="limited", soft_time_limit=0.2, time_limit=30)
def limited(seconds: float) -> None:
    time.sleep(seconds)


@app.task(name="await_sleep")
async def await_sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "awaited"


@app.task(name="await_catch_soft")
async def await_catch_soft(seconds: float) -> str:
    try:
        await asyncio.sleep(seconds)
    except SoftTimeLimitExceeded:
        await asyncio.sleep(0)
        return "cleaned up"
    return "not struck"


class Broken(Exception):
    """An error of the app's own."""


@app.task(name="fail")
def fail(text: str) -> None:
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise Broken(text) from error


@app.task(name="raise_one")
def raise_one(name: str) -> None:
    raise {
        "SystemExit": SystemExit(3),
        "KeyboardInterrupt": KeyboardInterrupt(),
        "Ignore": Ignore(),
        "Reject": Reject("not me"),
        "Requeue": Reject("later", requeue=True),
        "Retry": Retry("again", exc=OSError("no route"), when=2.5),
    }[name]


@app.task(name="retry_with", bind=True)
def retry_with(self: Any, size: int) -> None:
    raise self.retry(("x" * size,), countdown=0)


@app.task(name="retry_soon")
def retry_soon() -> None:
    raise Retry(when="soon")  # type: ignore[arg-type]


@app.task(name="no_json")
def no_json() -> Any:
    return object()


@app.task(name="big")
def big(size: int) -> str:
    return "x" * size


@app.task(name="die")
def die(how: str) -> None:
    if how == "exit":
        os._exit(7)
    if how == "segfault":
        ctypes.string_at(0)
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="grow")
def grow(mebibytes: int) -> int:
    """Keep memory: what was returned before is still there."""
    kept.append(bytearray(os.urandom(1024)) * 1024 * mebibytes)
    return os.getpid()


kept: list[bytearray] = []


@app.task(name="report", bind=True)
def report(self: Any, count: int) -> str:
    for number in range(count):
        self.update_state(state="PROGRESS", meta={"number": number})
    return "done"


@app.task(name="big_report", bind=True)
def big_report(self: Any, size: int) -> None:
    self.update_state(state="PROGRESS", meta="x" * size)


@app.task(name="until_cancelled", bind=True)
def until_cancelled(self: Any, path: str) -> str:
    Path(path).touch()
    wait = threading.Event()
    while not self.request.cancel_requested:
        wait.wait(0.01)
    return "gave way"


@app.task(name="ignore_sigterm")
def ignore_sigterm(path: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(path).touch()
    time.sleep(60)


@app.task(name="context", bind=True)
def context(self: Any) -> dict[str, Any]:
    request = self.request
    return {
        "id": request.id,
        "task": request.task,
        "attempt": request.attempt,
        "retries": request.retries,
        "fence": request.fence,
        "hostname": request.hostname,
        "headers": request.headers,
        "queue": request.delivery_info["queue"],
        "timelimit": list(request.timelimit),
    }


@app.task(name="context_after", bind=True)
def context_after(self: Any, path: str) -> list[int]:
    """Run for ever the first time; the second time return what is counted."""
    if Path(path).exists():
        return [self.request.attempt, self.request.delivery_count]
    Path(path).touch()
    time.sleep(600)
    return []


@app.task(name="hold_gil", bind=True)
def hold_gil(self: Any, seconds: float) -> list[int]:
    """Let no other thread of this process run for so long."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))
    return [self.request.attempt, self.request.delivery_count]


@app.task(name="say")
def say(text: str) -> None:
    """Say something in every way there is."""
    print("printed", text)
    print("unfinished", text, end="")
    sys.stderr.write(f"to stderr {text}\n")
    get_task_logger("mine").warning("logged %s", text)


@app.task(name="submit_another")
def submit_another(queue: str) -> str:
    return app.send_task("add", (1, 2), queue=queue).id


@app.task(name="modules")
def modules() -> list[str]:
    return [name for name in ("gevent", "grpc", "uvloop", "asyncio") if name in sys.modules]
