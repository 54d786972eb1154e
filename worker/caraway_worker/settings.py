"""The worker's settings, validated at once."""

import logging
import os
import signal
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from caraway.settings import ADDRESS, Credentials, InvalidSettings, Kind, Problem, Unreadable, setting
from caraway_worker.pools import POOL_NAMES, pool_named

QUEUE_NAME_LIMIT = 255
NO_EVENTLET = "eventlet is no longer maintained and not supported; -P gevent runs the same programs (docs/worker.md)"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

Wrong = tuple[bool, str, str]


def node_name(pattern: str) -> str:
    """Return the worker's name: %h is the host's full name, %n its first part, %d the rest, %% a per cent sign."""
    host = socket.gethostname()
    first, _, domain = host.partition(".")
    known = {"h": host, "n": first, "d": domain, "%": "%"}
    parts, rest = [], pattern
    while True:
        before, sign, after = rest.partition("%")
        parts.append(before)
        if not sign:
            return "".join(parts)
        if after[:1] not in known:
            raise Unreadable(f"%{after[:1]} is unknown; %h, %n, %d and %% are known")
        parts.append(known[after[0]])
        rest = after[1:]


def _scale(value: Any) -> tuple[int, int]:
    """Celery's 0 as the fewest is 1: one child is always there."""
    most, _, fewest = str(value).partition(",")
    try:
        return int(most), max(1, int(fewest or 1))
    except ValueError:
        raise Unreadable("write MAX,MIN, in TOML in quotes") from None


_NODE_NAME = Kind("NAME", lambda value: node_name(str(value)))
_SCALE = Kind("MAX,MIN", _scale, lambda scale: f"{scale[0]},{scale[1]}")
_REMAP = Kind("SIGQUIT", lambda text: str(text).upper() == "SIGQUIT", lambda remaps: "SIGQUIT" if remaps else "")


@dataclass(frozen=True, slots=True)
class Settings(Credentials):
    """What a worker is started with: the section `worker`.

    `adopt` is how a solo worker's process hands itself to its supervisor; `arguments` are what the command line says
    beside them: options of the app's own.
    """

    section: ClassVar[str] = "worker"

    app: str = setting(
        "", "Where the app is: proj, proj.module or proj:attribute.", flags=("-A", "--app"), required=True
    )
    name: str = setting(
        lambda: node_name("worker@%h"),
        "Name of this worker; %h: host, %n: its first part, %d: the rest.",
        flags=("-n", "--hostname"),
        kind=_NODE_NAME,
        shown="worker@%h",
    )
    target: str | None = setting(None, "The gateway, HOST:PORT; grpcs://HOST:PORT by TLS.", shown="the app's own")
    include: tuple[str, ...] = setting((), "Modules to import after the app.", flags=("-I", "--include"))
    queues: tuple[str, ...] = setting((), "Queues.", flags=("-Q", "--queues"), shown="the app's own")
    exclude_queues: tuple[str, ...] = setting((), "Queues to leave out.", flags=("-X", "--exclude-queues"))
    pool: str = setting(
        "process",
        "How tasks run: a process each, or threads, coroutines, greenlets; solo: one by one in this process.",
        flags=("-P", "--pool"),
        choices=POOL_NAMES,
    )
    concurrency: int = setting(
        lambda: os.cpu_count() or 1, "Tasks that run at once.", flags=("-c", "--concurrency"), shown="one a CPU"
    )
    processes: int = setting(1, "Over which threads and the like are spread.")
    autoscale: tuple[int, int] | None = setting(None, "As many processes as are needed.", kind=_SCALE)
    loglevel: str = setting("WARNING", "What is logged.", flags=("-l", "--loglevel"), choices=LEVELS)
    log_file: str = setting(
        "", "Log file; %p, %n, %h, %i and %I as in docs/worker.md.", flags=("-f", "--logfile"), shown="stderr"
    )
    log_format: str = setting("text", "How it is logged; json: an object a line.", choices=("text", "json"))
    metrics_bind: str = setting(
        "", "Where /metrics, /healthz and /readyz are, without TLS or tokens.", kind=ADDRESS, shown="off"
    )
    redirect_stdouts: bool = setting(True, "Log what tasks print.")
    redirect_stdouts_level: str = setting("WARNING", "Its level.", choices=LEVELS)
    time_limit: timedelta | None = setting(None, "Kill a task that runs for longer, unless it has its own limit.")
    soft_time_limit: timedelta | None = setting(
        None, "Raise SoftTimeLimitExceeded in a task that runs for longer, unless it has its own limit."
    )
    max_tasks_per_child: int | None = setting(None, "Replace a child after so many tasks.")
    max_memory_per_child: int | None = setting(
        None, "Replace a child whose resident memory has grown beyond so many KiB, after its task."
    )
    drain_timeout: timedelta | None = setting(
        None, "After SIGTERM, kill what still runs after this and hand it back.", shown="wait"
    )
    soft_shutdown_timeout: timedelta = setting(
        timedelta(0), "After SIGQUIT or a second SIGTERM, give what runs so long before it is killed."
    )
    start_timeout: timedelta = setting(timedelta(seconds=60), "For the app's import; 0: no limit.")
    remap_sigterm: bool = setting(
        False, "SIGQUIT: take SIGTERM as SIGQUIT.", flags=(), kind=_REMAP, variable="REMAP_SIGTERM"
    )
    purge: bool = setting(
        False, "First revoke all that waits in the queues; asks, on a terminal.", flags=("--purge",), only_flag=True
    )
    adopt: str = setting("", "", flags=("--adopt",), only_flag=True)
    arguments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = [Problem(name, text) for wrong, name, text in self._checks() if wrong] + self.credential_problems()
        if problems:
            raise InvalidSettings(problems)

    @property
    def log_level(self) -> int:
        """The level as a number."""
        return logging.getLevelNamesMapping()[self.loglevel]

    @property
    def stdout_level(self) -> int | None:
        """The log level of what tasks print; None: it is left alone, as solo's output is for the one who debugs it."""
        if not self.redirect_stdouts or self.pool == "solo":
            return None
        return logging.getLevelNamesMapping()[self.redirect_stdouts_level]

    @property
    def children(self) -> int:
        """How many child processes there are at first."""
        if self.pool == "solo":
            return 1
        if pool_named(self.pool).shares_child:
            return self.processes
        return self.autoscale[1] if self.autoscale is not None else self.concurrency

    @property
    def slots(self) -> int:
        """How many tasks a child runs at once."""
        if not pool_named(self.pool).shares_child:
            return 1
        # A slot without a task costs next to nothing there, so all of them may be there from the first.
        count = self.autoscale[0] if self.autoscale is not None else self.concurrency
        return count // self.processes

    @property
    def most_slots(self) -> int:
        """How many tasks run at once, at the most."""
        if self.autoscale is not None:
            return self.autoscale[0]
        return self.children * self.slots

    @property
    def scales(self) -> bool:
        """Whether the number of child processes changes."""
        return self.autoscale is not None and not pool_named(self.pool).shares_child

    def queues_of(self, own: tuple[str, ...], any_queue: bool) -> tuple[str, ...]:
        """The queues to take tasks from, by an app whose own are `own`; `any_queue`: others may be named too.

        Raises InvalidSettings where none is left, or one may not be named.
        """
        unknown = [] if any_queue else [queue for queue in self.queues if queue not in own]
        if unknown:
            text = f"the app's task_queues has no {unknown[0]!r}, but {', '.join(own)}"
            raise InvalidSettings([Problem("queues", text)])
        queues = tuple(queue for queue in self.queues or own if queue not in self.exclude_queues)
        if not queues:
            raise InvalidSettings([Problem("exclude_queues", "no queue is left to take tasks from")])
        return queues

    def _checks(self) -> list[Wrong]:
        zero = timedelta(0)
        soft, hard = self.soft_time_limit, self.time_limit
        tasks, memory, drain = self.max_tasks_per_child, self.max_memory_per_child, self.drain_timeout
        return [
            *self._checks_of_pool(),
            (
                any(not 1 <= len(queue) <= QUEUE_NAME_LIMIT for queue in self.queues),
                "queues", f"a name has 1 to {QUEUE_NAME_LIMIT} characters",
            ),
            (hard is not None and hard <= zero, "time_limit", "write more than 0"),
            (soft is not None and soft <= zero, "soft_time_limit", "write more than 0"),
            (soft is not None and hard is not None and soft >= hard, "soft_time_limit", "write less than time_limit"),
            (tasks is not None and tasks < 1, "max_tasks_per_child", "write at least 1"),
            (memory is not None and memory < 1, "max_memory_per_child", "write at least 1 (KiB)"),
            (drain is not None and drain < zero, "drain_timeout", "write 0 or more"),
            (self.soft_shutdown_timeout < zero, "soft_shutdown_timeout", "write 0 or more"),
            (self.start_timeout < zero, "start_timeout", "write 0 or more"),
        ]  # fmt: skip

    def _checks_of_pool(self) -> list[Wrong]:
        if self.pool not in POOL_NAMES or self.pool == "eventlet":
            return [(True, "pool", NO_EVENTLET if self.pool == "eventlet" else f"there is no pool {self.pool!r}")]
        kind = pool_named(self.pool)
        most, fewest = self.autoscale or (1, 1)
        shared = self.processes if kind.shares_child else 1
        count = most if self.autoscale is not None else self.concurrency
        solo = not kind.in_children
        no_child = "the pool solo has no child to replace"
        return [
            (not 1 <= self.concurrency <= 1000, "concurrency", "write 1 to 1000"),
            (not 1 <= fewest <= most <= 1000, "autoscale", "write MAX,MIN with 1 <= MIN <= MAX <= 1000"),
            (
                self.processes != 1 and not kind.shares_child,
                "processes", f"the pool {kind.name} has none to spread slots over; -c is their number",
            ),
            (self.processes < 1 or count % shared != 0, "processes", f"{count} slots don't fit evenly into {shared}"),
            (self.autoscale is not None and solo, "autoscale", "the pool solo has but one slot"),
            (solo and (self.max_tasks_per_child or 0) > 0, "max_tasks_per_child", no_child),
            (solo and (self.max_memory_per_child or 0) > 0, "max_memory_per_child", no_child),
        ]  # fmt: skip


def signal_named(name: str) -> signal.Signals:
    """Return the signal of this name (with or without SIG); an unknown or empty one is SIGTERM."""
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    return signal.Signals.__members__.get(full, signal.SIGTERM)
