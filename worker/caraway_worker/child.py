"""The child process: runs user code, one task at a time, and speaks with its supervisor only.

Started as `python -m caraway_worker.child OPTIONS`.
"""

import gc
import os
import resource
import signal
import socket
import sys
import time
import traceback
from collections import deque

from caraway.app import Caraway
from caraway.exceptions import AppNotFound
from caraway.loader import find_app
from caraway.v1 import worker_service_pb2
from caraway_worker import frames, log
from caraway_worker.catalog import Catalog, TaskEntry
from caraway_worker.execute import Executor
from caraway_worker.frames import ASSIGN_HEAD, DONE_HEAD, SEQUENCE, Kind
from caraway_worker.options import ChildOptions, Limits
from caraway_worker.outbox import Outbox
from caraway_worker.parent import die_with_parent
from caraway_worker.shared import ChildSide
from caraway_worker.soft_limit import SoftLimit

_READ_BYTES = 1 << 18
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


class Child:
    """Takes assignments from the socket, runs each, and answers through the outbox."""

    def __init__(self, options: ChildOptions) -> None:
        self._options = options
        self._socket = socket.socket(fileno=options.socket)
        self._socket.setblocking(True)
        self._shared = ChildSide(options.shared)
        os.close(options.shared)
        # What tasks start with exec must not hold the supervisor's sockets open.
        os.set_inheritable(options.socket, False)
        self._outbox = Outbox(self._socket, self._shared)
        self._soft_limit = SoftLimit(self._shared)
        self._reader = frames.FrameReader()
        self._queue: deque[bytes] = deque()
        self._run_count = 0

    def serve(self) -> int:
        """Load the app and run what is assigned, until the supervisor closes the socket or it is time to leave."""
        try:
            app = find_app(self._options.app)
            catalog = catalog_of(self._options.app, app)
        except BaseException as error:
            self._outbox.put(Kind.BROKEN, _account(error).encode("utf-8", "backslashreplace"))
            return 1
        self._executor = Executor(app, self._options, self, self._soft_limit)
        self._tracked = {name for name, task in app.tasks.items() if task.track_started}
        self._soft_limit.install()
        # What the app made at its import stays: the collector need not walk it again and again.
        gc.collect()
        gc.freeze()
        self._outbox.put(Kind.READY, catalog.to_bytes())
        while self._receive():
            while self._queue:
                self._run(self._queue.popleft())
                if self._must_leave():
                    self._outbox.put(Kind.BYE, b"")
                    return 0
        return 0

    def _receive(self) -> bool:
        chunk = self._socket.recv(_READ_BYTES)
        for kind, body in self._reader.feed(chunk):
            if kind == Kind.ASSIGN:
                self._queue.append(body)
            elif kind == Kind.LIMITS:
                self._executor.limits = Limits.from_bytes(body)
        return bool(chunk)

    def _run(self, body: bytes) -> None:
        sequence, not_after_ns = ASSIGN_HEAD.unpack_from(body)
        now = time.monotonic_ns()
        # Order matters: `start` says that it begins, then looks whether it was withdrawn. See shared.py.
        if not self._shared.start(sequence, now) or 0 < not_after_ns < now:
            self._outbox.put(Kind.SKIPPED, SEQUENCE.pack(sequence), more=bool(self._queue))
            return
        lease = worker_service_pb2.TaskLease.FromString(body[ASSIGN_HEAD.size :])
        if lease.task.name in self._tracked:
            self._outbox.put(Kind.BEGUN, SEQUENCE.pack(sequence))
        outcome, run_ns, report = self._executor.run(sequence, lease)
        self._run_count += 1
        self._outbox.put(Kind.DONE, DONE_HEAD.pack(sequence, run_ns, outcome) + report, more=bool(self._queue))

    def _must_leave(self) -> bool:
        most = self._options.max_tasks
        if most is not None and self._run_count >= most:
            return True
        memory = self._options.max_memory
        return memory is not None and resident_kib() > memory

    def progress(self, sequence: int, report: bytes) -> None:
        """Send a report of progress."""
        self._outbox.put(Kind.PROGRESS, SEQUENCE.pack(sequence) + report)

    def cancelled(self, sequence: int) -> bool:
        """Whether the cancellation of this assignment is asked for."""
        return self._shared.cancelled(sequence)


def resident_kib() -> int:
    """Return the resident memory of this process in KiB; where the system only tells its peak, that."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE_KIB
    except FileNotFoundError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak


def catalog_of(name: str, app: Caraway) -> Catalog:
    """Write down what the supervisor needs to know of an app."""
    return Catalog(
        app=app.main or name,
        target=app.target,
        default_queue=app.default_queue,
        unknown_task=app.unknown_task,
        tasks=tuple(
            TaskEntry(task.name, task.soft_time_limit, task.time_limit, bool(task.track_started))
            for task in app.tasks.values()
        ),
    )


def _account(error: BaseException) -> str:
    """Say why the app can't be loaded; the traceback without the frames that are not the user's."""
    text = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, AppNotFound):
        return str(error)  # it says all; where it was raised is of no use
    ours = (__file__, find_app.__code__.co_filename)
    frames_shown = [
        entry
        for entry in traceback.extract_tb(error.__traceback__)
        if entry.filename not in ours and "importlib" not in entry.filename
    ]
    return "".join(traceback.format_list(frames_shown)) + text


def main() -> int:
    """Run one child."""
    options = ChildOptions.from_text(sys.argv[1])
    die_with_parent(options.supervisor, options.socket)
    # Ctrl-C reaches the whole group; only the supervisor decides. A handler, not SIG_IGN, which exec would hand on.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    log.set_up(options.log_level)
    return _serve(options)


def _serve(options: ChildOptions) -> int:
    try:
        return Child(options).serve()
    except OSError as error:
        # The supervisor is gone, and with it whoever would want to hear of it.
        log.logger.debug("the supervisor is gone: %s", error)
        return 0


if __name__ == "__main__":
    sys.exit(main())
