"""The handlers that every language registers. A worker's children import this module, each for itself."""

import signal
import sys
import time
from typing import Any

from caraway import Caraway
from caraway.exceptions import Ignore, Reject, SoftTimeLimitExceeded
from conformance.program.notes import note, released

LOOK_SECONDS = 0.005

HANDLERS: dict[str, tuple[Any, dict[str, Any]]] = {}


class PlayedError(Exception):
    """What a handler fails by."""


class FinalError(Exception):
    """One that no caller's policy tries again."""

    non_retryable = True


def handler(**options: Any) -> Any:
    """Have a function registered, under its name, with options of a task."""

    def register(function: Any) -> Any:
        HANDLERS[function.__name__] = (function, options)
        return function

    return register


def make_app(names: list[str] | None = None, **settings: Any) -> Caraway:
    """An app with these handlers; all by default."""
    app = Caraway("conformance", **settings)
    for name, (function, options) in HANDLERS.items():
        if names is None or name in names:
            app.task(name=name, **options)(function)
    return app


def __getattr__(name: str) -> Caraway:
    """The app with some handlers only, "only_add_echo": so a worker's children find it by its name."""
    if name.startswith("only_"):
        return make_app(name.removeprefix("only_").split("_and_"))
    raise AttributeError(name)


@handler()
def echo(value: Any = None) -> Any:
    return value


@handler()
def arguments(*args: Any, **kwargs: Any) -> dict[str, Any]:
    return {"args": list(args), "kwargs": kwargs}


@handler()
def add(x: Any, y: Any) -> Any:
    return x + y


@handler()
def total(numbers: list[int]) -> int:
    return sum(numbers)


@handler(bind=True)
def mark(self: Any, *_anything: Any, **_named: Any) -> None:
    note(self.request, "called")


@handler(bind=True)
def describe(self: Any) -> dict[str, Any]:
    request = self.request
    return {
        "task_id": request.id,
        "attempt": request.attempt,
        "delivery_count": request.delivery_count,
        "headers": {key: value for key, value in request.headers.items() if key.startswith("x-")},
        "fence": request.fence,
    }


@handler()
def fail(message: str) -> None:
    raise PlayedError(message)


@handler()
def fail_for_good(message: str) -> None:
    raise FinalError(message)


@handler()
def crash(message: str) -> None:
    raise RuntimeError(message)


@handler(bind=True)
def fail_until(self: Any, attempt: int) -> int:
    if self.request.attempt < attempt:
        raise PlayedError(f"attempt {self.request.attempt}")
    return int(self.request.attempt)


@handler(bind=True, max_retries=None)
def retry_until(self: Any, attempt: int, delay: float) -> int:
    if self.request.attempt < attempt:
        raise self.retry(countdown=delay)
    return int(self.request.attempt)


@handler()
def reject(reason: str) -> None:
    raise Reject(reason)


@handler()
def ignore() -> None:
    raise Ignore


@handler()
def text(size: int) -> str:
    return "x" * size


@handler()
def unwritable() -> object:
    return object()


def _hold(request: Any, value: Any, *, gives_way: bool) -> Any:
    note(request, "started")
    told = False
    try:
        while not released(request):
            if request.cancel_requested and not told:
                note(request, "cancelled")
                told = True
                if gives_way:
                    raise Reject("cancelled", requeue=True)  # what is cancelled and handed back ends REVOKED
            time.sleep(LOOK_SECONDS)
    except SoftTimeLimitExceeded:
        note(request, "soft_limit")
        raise
    return value


@handler(bind=True)
def hold(self: Any, value: Any = None) -> Any:
    return _hold(self.request, value, gives_way=True)


@handler(bind=True)
def stubborn(self: Any, value: Any = None) -> Any:
    return _hold(self.request, value, gives_way=False)


@handler(bind=True, acks_late=False)
def once(self: Any, value: Any = None) -> Any:
    return _hold(self.request, value, gives_way=True)


@handler(bind=True)
def progress(self: Any, detail: Any, custom_state: str = "") -> Any:
    self.update_state(state=custom_state, meta=detail)
    return _hold(self.request, None, gives_way=True)


app = make_app()

if sys.argv[0].endswith("child.py"):
    # A worker's child is sent SIGTERM before it is killed; the handlers here look at request.cancel_requested instead.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
