"""The child process: runs user code and speaks with its supervisor only.

Started as `python -m caraway_worker.child OPTIONS`.
"""

import contextlib
import faulthandler
import functools
import gc
import os
import resource
import signal
import socket
import sys
import traceback

from caraway import tracing
from caraway.app import Caraway
from caraway.exceptions import AppNotFound, EncodeError
from caraway.loader import find_app
from caraway.payload import encode
from caraway.settings import environment_of
from caraway.v1 import worker_service_pb2
from caraway.worker import WorkerInstance
from caraway.worker.control import COMMANDS, call
from caraway_worker import frames, lifecycle, log, soft_limit
from caraway_worker.catalog import Catalog, TaskEntry
from caraway_worker.child_slot import ChildSlot
from caraway_worker.commands import Commands
from caraway_worker.execute import Executor
from caraway_worker.frames import SEQUENCE, Kind
from caraway_worker.notice import SIGNALS, Notice
from caraway_worker.options import ChildOptions, Limits
from caraway_worker.outbox import Outbox
from caraway_worker.parent import die_with_parent
from caraway_worker.pools import pool_named
from caraway_worker.shared import ChildSide

_READ_BYTES = 1 << 18
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


class Child:
    """Takes assignments from the socket, has them run by its pool's runner, and answers through the outbox."""

    executor: Executor
    _instance: WorkerInstance

    def __init__(self, options: ChildOptions) -> None:
        self.leaving = False
        self.tracked: set[str] = set()
        self._options = options
        self._pool = pool_named(options.pool)
        self._socket = socket.socket(fileno=options.socket)
        self._socket.setblocking(True)
        shared = self._shared = ChildSide(options.shared, options.slots)
        os.close(options.shared)
        # What tasks start with exec must not hold the supervisor's sockets open.
        os.set_inheritable(options.socket, False)
        self.outbox = Outbox(self._socket, shared)
        self.slots = [ChildSlot(self, cells, self._pool.soft_limit(cells)) for cells in shared.slots]
        self._reader = frames.FrameReader()

    def serve(self) -> int:
        """Load the app and run what is assigned, until the supervisor closes the socket."""
        try:
            app = self.load()
            _check_packages(app)
            catalog = catalog_of(self._options.app, app)
            self.executor = _executor(app, self._options)
        except BaseException as error:
            self.outbox.put(Kind.BROKEN, _account(error).encode("utf-8", "backslashreplace"))
            return 1
        self.tracked = {name for name, task in app.tasks.items() if task.track_started}
        runner = self._pool.runner(self)
        self.settle()
        self.outbox.put(Kind.READY, catalog.to_bytes())
        runner.run()
        lifecycle.ended(self._options)
        return 0

    def load(self) -> Caraway:
        """Import the app. Raises what its import raises."""
        options = self._options
        if options.start_timeout > 0:
            faulthandler.dump_traceback_later(options.start_timeout)
        sys.path[:0] = [folder for folder in options.path if folder not in sys.path]
        app = find_app(options.app)
        app.set_current()
        app.set_default()
        self._instance = lifecycle.found(app, options)
        app.import_default_modules(options.include)
        lifecycle.imported(app, options, self._instance)
        faulthandler.cancel_dump_traceback_later()
        return app

    def settle(self) -> None:
        """Set the process up, now that the app is there."""
        soft_limit.install([slot.soft_limit for slot in self.slots])
        if os.environ.get("CARAWAY_RDBSIG") == "1":
            # Here and not above: pdb is for those who ask for it.
            from caraway.contrib import rdb  # noqa: PLC0415

            rdb.break_on_signal()
        # What the app made at its import stays: the collector need not walk it again and again.
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        """Leave nothing behind in a process that lives on."""
        for slot in self.slots:
            slot.close()
        self._socket.close()
        self._shared.close()

    def fileno(self) -> int:
        """Return the descriptor of the socket to the supervisor."""
        return self._socket.fileno()

    def receive(self, flags: int = 0) -> list[tuple[ChildSlot, bytes]] | None:
        """Wait for something from the supervisor and return the assignments in it; None: no more will come.

        `flags` are those of recv; raises BlockingIOError if they say not to wait.
        """
        chunk = self._socket.recv(_READ_BYTES, flags)
        assignments = []
        slots = self.slots
        for kind, body in self._reader.feed(chunk):
            if kind == Kind.ASSIGN:
                assignments.append((slots[SEQUENCE.unpack_from(body)[0] % len(slots)], body))
            elif kind == Kind.NOTICE:
                Notice.from_bytes(body).send(self._instance)
            elif kind == Kind.COMMAND:
                self._answer(worker_service_pb2.WorkerCommand.FromString(body))
            elif kind == Kind.LIMITS:
                self.executor.limits = Limits.from_bytes(body)
        return assignments if chunk else None

    def _answer(self, asked: worker_service_pb2.WorkerCommand) -> None:
        known = {name: functools.partial(call, name, self._instance) for name in COMMANDS}
        self.outbox.put(Kind.ANSWER, Commands(known, by_place=True).answer(asked).SerializeToString())

    def on_task_ended(self) -> None:
        """Take no more if it is time for another child; what runs in other slots goes on."""
        if self._options.stdout_level is not None:
            sys.stdout.flush()
            sys.stderr.flush()
        if not self.leaving and self._must_leave():
            self.leaving = True
            self.outbox.put(Kind.BYE, b"")

    def _must_leave(self) -> bool:
        most = self._options.max_tasks
        if most is not None and sum(slot.run_count for slot in self.slots) >= most:
            return True
        memory = self._options.max_memory
        return memory is not None and resident_kib() > memory


def _check_packages(app: Caraway) -> None:
    """Raise PayloadError unless all is there that arguments and results are written with.

    Better known now than when the first task has failed for it.
    """
    app.check_serializer(app.result_serializer)
    forms = {(app.result_serializer, app.result_compression), (app.task_serializer, app.task_compression)}
    forms |= {
        (task.serializer or app.task_serializer, task.compression or app.task_compression)
        for task in app.tasks.values()
    }
    for serializer, compression in forms:
        with contextlib.suppress(EncodeError):
            encode(None, serializer, compression)


def _executor(app: Caraway, options: ChildOptions) -> Executor:
    # After the app's import: a provider that the app sets up itself is the one to be used.
    if not tracing.is_configured() and not tracing.is_loaded():
        return Executor(app, options)
    if not tracing.is_installed():
        if tracing.is_configured():
            log.logger.warning("no traces, which OTEL_ variables ask for: pip install 'caraway[otel]'")
        return Executor(app, options)
    # Who asks for no traces does not load the library; and it must be set up before what reads OTEL_PROPAGATORS.
    from caraway.monitor.otel import set_up  # noqa: PLC0415

    if not set_up("caraway-worker"):
        return Executor(app, options)
    from caraway_worker.traced import TracedExecutor  # noqa: PLC0415

    return TracedExecutor(app, options)


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
        client=environment_of(app.client_settings),
        queues=app.queue_names,
        any_queue=app.task_create_missing_queues,
        unknown_task=app.unknown_task,
        tasks=tuple(
            TaskEntry(
                task.name,
                task.soft_time_limit,
                task.time_limit,
                bool(task.track_started),
                task.reject_on_worker_lost is not False,
                task.acks_late is not False,
            )
            for task in app.tasks.values()
        ),
        listens=tuple(signal.name for signal in SIGNALS if signal.receivers),
        commands=tuple(COMMANDS),
        worker=app.conf.of_worker(),
        log_line=app.conf.worker_log_format or "",
        log_times=app.conf.worker_log_datefmt or "",
    )


def _account(error: BaseException) -> str:
    """Say why the app can't be loaded; the traceback without the frames that are not the user's."""
    text = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, AppNotFound | lifecycle.WrongOptions):
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
    # Keys pressed in a terminal reach the whole group; only the supervisor decides. Handlers, not SIG_IGN, which exec
    # would hand on.
    for sign in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(sign, lambda _number, _frame: None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pool_named(options.pool).prepare()
    log.set_up_child(options)
    return serve(options)


def serve(options: ChildOptions) -> int:
    """Be a child with these options, until the supervisor lets it go. Returns the exit code."""
    try:
        return Child(options).serve()
    except OSError as error:
        # The supervisor is gone, and with it whoever would want to hear of it.
        log.logger.debug("the supervisor is gone: %s", error)
        return 0


if __name__ == "__main__":
    sys.exit(main())
