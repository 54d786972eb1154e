"""start_worker: a worker whose main part runs in a thread of the test's process."""

import itertools
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from importlib.machinery import ModuleSpec
from typing import Any, Final

from caraway.app import Caraway
from caraway.contrib.testing.background import background
from caraway.contrib.testing.parts import part
from caraway.dispatch import Signal
from caraway.exceptions import ImproperlyConfigured

__all__ = ["TestWorkController", "start_worker", "test_worker_started", "test_worker_starting", "test_worker_stopped"]

test_worker_starting: Final = Signal("test_worker_starting")
test_worker_started: Final = Signal("test_worker_started", {"worker"})
test_worker_stopped: Final = Signal("test_worker_stopped", {"worker"})
for _signal in (test_worker_starting, test_worker_started, test_worker_stopped):
    _signal.__test__ = False  # type: ignore[attr-defined]

_NO_EFFECT: Final = frozenset(
    {"optimization", "prefetch_multiplier", "without_gossip", "without_heartbeat", "without_mingle"}
)
_DURATIONS: Final = frozenset({"soft_time_limit", "time_limit"})
_LISTS: Final = frozenset({"exclude_queues", "include", "queues"})
_IMPORTING: Final = frozenset({"asyncio", "gevent", "prefork", "process", "processes"})
_numbers: Final = itertools.count(1)


class TestWorkController:
    """A running worker. `hostname` is its node name, `pid` this process's."""

    __test__ = False

    def __init__(self, app: Caraway, shutdown_timeout: float, settings: dict[str, Any]) -> None:
        """Made by `start_worker`."""
        self.app = app
        self.hostname: str = settings["name"]
        self.pid = os.getpid()
        name = settings.pop("app_name", None)
        if name is None and settings["pool"] in _IMPORTING:
            name = _importable_name(app)
        self._make: Callable[[], Any] = lambda: part("worker")(app, name or "tests", shutdown_timeout, settings)
        self._running: Any = None

    def start(self) -> None:
        """Start it, and return once it takes tasks."""
        self._running = self._make()
        background.run(self._running.start())

    ensure_started = staticmethod(lambda: None)
    """Nothing to do: `start` has waited."""

    def reload(self) -> None:
        """Start anew, under the same name: it then knows tasks that were defined meanwhile."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """End it, when what runs has ended, or its time for that is over."""
        if self._running is not None:
            running, self._running = self._running, None
            background.run(running.stop())

    def stats(self) -> Any:
        """What `app.control.inspect().stats()` tells of it."""
        return (self.app.control.inspect(destination=self.hostname).stats() or {}).get(self.hostname)


@contextmanager
def start_worker(
    app: Caraway,
    concurrency: int = 1,
    pool: str = "solo",
    loglevel: str | int | None = None,
    logfile: str | None = None,
    perform_ping_check: bool = True,
    ping_task_timeout: float = 10.0,
    shutdown_timeout: float = 10.0,
    **settings: Any,
) -> Iterator[TestWorkController]:
    """Run a worker for a block.

    With the pools "solo" and "thread" tasks run in threads of this process: those defined in a test are known, and they
    see what a test has patched. With the others they run in children, which import the app; `app_name`,
    "module:attribute", says where it is, if that is not plain. `settings` are those of the worker by their names in
    docs/configuration.md, with `hostname` for its name; times in seconds. With `loglevel` or `logfile` the worker's log
    is set up meanwhile. Raises TypeError for settings that do not exist, ImproperlyConfigured where children could not
    find the app, RuntimeError where the worker does not answer within `ping_task_timeout` seconds.
    """
    test_worker_starting.send(sender=app)
    with ExitStack() as stack:
        stack.enter_context(_logging(loglevel, logfile))
        background.enter()
        stack.callback(background.leave)
        given = {"concurrency": concurrency, "pool": pool, **_settings(settings)}
        worker = TestWorkController(app, shutdown_timeout, given)
        stack.callback(test_worker_stopped.send, sender=app, worker=worker)
        stack.callback(worker.stop)
        worker.start()
        if perform_ping_check and not app.control.ping(destination=worker.hostname, timeout=ping_task_timeout):
            raise RuntimeError(f"the worker {worker.hostname} does not answer")
        test_worker_started.send(sender=app, worker=worker)
        yield worker


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {"name": given.pop("hostname", None) or _node_name()}
    for name, value in given.items():
        if name not in _NO_EFFECT and value is not None:
            settings[name] = _as_setting(name, value)
    return settings


def _as_setting(name: str, value: Any) -> Any:
    if name in _DURATIONS and not isinstance(value, timedelta):
        return timedelta(seconds=value)
    if name in _LISTS:
        return tuple(value.split(",")) if isinstance(value, str) else tuple(value)
    return value


def _node_name() -> str:
    return f"gen{os.getpid()}-{next(_numbers)}@{socket.gethostname()}"


def _importable_name(app: Caraway) -> str:
    for module in list(sys.modules.values()):
        if not isinstance(getattr(module, "__spec__", None), ModuleSpec):
            continue
        if module.__name__.partition(".")[0] == "caraway":
            continue  # it knows the current app, but makes none
        for name, value in list(vars(module).items()):
            if value is app:
                return f"{module.__name__}:{name}"
    raise ImproperlyConfigured(
        "the pool's children import the app, and no module holds it: name it by app_name='module:attribute', or use "
        "the pool solo or thread, whose tasks run in this process"
    )


@contextmanager
def _logging(level: str | int | None, file: str | None) -> Iterator[None]:
    """Have the worker's log written, and leave logging as it was."""
    logger = logging.getLogger("caraway")
    before = logger.level
    handler = logging.FileHandler(file) if file is not None else None
    if level is not None:
        logger.setLevel(level.upper() if isinstance(level, str) else level)
    if handler is not None:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(before)
        if handler is not None:
            logger.removeHandler(handler)
            handler.close()
