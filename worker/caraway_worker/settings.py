"""The worker's settings, validated at once."""

import os
import signal
import socket
from dataclasses import dataclass, field
from datetime import timedelta

from caraway_worker.pools import POOL_NAMES, pool_named

QUEUE_NAME_LIMIT = 255
NO_EVENTLET = "eventlet is no longer maintained and not supported; -P gevent runs the same programs (docs/worker.md)"


class SettingsError(ValueError):
    """A setting is out of its range; the message names it."""


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
            raise SettingsError(f"hostname: %{after[:1]} is unknown; %h, %n, %d and %% are known")
        parts.append(known[after[0]])
        rest = after[1:]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says.

    Arguments: `app` as -A takes it; `include` are modules to import after it; `target` of the gateway, None: the app's
    own; `queues`, empty: the app's default queue; `exclude_queues` are left out of them; `pool` by its name in
    caraway_worker.pools; `concurrency` is how many tasks run at once, spread over so many `processes`; `autoscale` are
    the most and the fewest child processes; `max_memory_per_child` in KiB of resident memory; `drain_timeout` None: a
    warm shutdown waits for running tasks as long as they take; `soft_shutdown_timeout` 0: a cold one does not wait;
    `purge`: what waits in the queues is revoked first; `remap_sigterm`: SIGTERM is taken as SIGQUIT; `start_timeout` is
    for the app's import; `log_file` may hold what caraway_worker.log.file_of knows; `stdout_level` is the log level of
    what tasks print, None: it is left alone; `adopt` is how a solo worker's process hands itself to its supervisor.
    """

    app: str
    name: str = ""
    include: tuple[str, ...] = ()
    target: str | None = None
    queues: tuple[str, ...] = ()
    exclude_queues: tuple[str, ...] = ()
    pool: str = "process"
    concurrency: int = field(default_factory=lambda: os.cpu_count() or 1)
    processes: int = 1
    autoscale: tuple[int, int] | None = None
    log_level: int = 30
    log_file: str = ""
    stdout_level: int | None = None
    time_limit: timedelta | None = None
    soft_time_limit: timedelta | None = None
    max_tasks_per_child: int | None = None
    max_memory_per_child: int | None = None
    drain_timeout: timedelta | None = None
    soft_shutdown_timeout: timedelta = timedelta(0)
    purge: bool = False
    remap_sigterm: bool = False
    start_timeout: timedelta = timedelta(seconds=60)
    adopt: str = ""

    def __post_init__(self) -> None:
        problems = [text for wrong, text in self._checks() if wrong]
        if problems:
            raise SettingsError("; ".join(problems))

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

    def queues_of(self, default: str) -> tuple[str, ...]:
        """The queues to take tasks from, by an app whose own one is `default`. Raises SettingsError if none is left."""
        queues = tuple(queue for queue in self.queues or (default,) if queue not in self.exclude_queues)
        if not queues:
            raise SettingsError("exclude-queues: no queue is left to take tasks from")
        return queues

    def _checks(self) -> list[tuple[bool, str]]:
        zero = timedelta(0)
        soft, hard = self.soft_time_limit, self.time_limit
        tasks, memory, drain = self.max_tasks_per_child, self.max_memory_per_child, self.drain_timeout
        return [
            (not self.app, "app: name the app with -A"),
            *self._checks_of_pool(),
            (
                any(not 1 <= len(queue) <= QUEUE_NAME_LIMIT for queue in self.queues),
                "queues: a name has 1 to 255 characters",
            ),
            (hard is not None and hard <= zero, "time-limit: must be above 0"),
            (soft is not None and soft <= zero, "soft-time-limit: must be above 0"),
            (soft is not None and hard is not None and soft >= hard, "soft-time-limit: must be below time-limit"),
            (tasks is not None and tasks < 1, "max-tasks-per-child: must be at least 1"),
            (memory is not None and memory < 1, "max-memory-per-child: must be at least 1 KiB"),
            (drain is not None and drain < zero, "drain-timeout: must not be negative"),
            (self.soft_shutdown_timeout < zero, "soft-shutdown-timeout: must not be negative"),
            (self.start_timeout < zero, "start-timeout: must not be negative"),
        ]

    def _checks_of_pool(self) -> list[tuple[bool, str]]:
        if self.pool not in POOL_NAMES or self.pool == "eventlet":
            return [(True, f"pool: {NO_EVENTLET if self.pool == 'eventlet' else f'there is no pool {self.pool!r}'}")]
        kind = pool_named(self.pool)
        most, fewest = self.autoscale or (1, 1)
        shared = self.processes if kind.shares_child else 1
        count = most if self.autoscale is not None else self.concurrency
        return [
            (not 1 <= self.concurrency <= 1000, f"concurrency: {self.concurrency} is not between 1 and 1000"),
            (not 1 <= fewest <= most <= 1000, "autoscale: MAX,MIN with 1 <= MIN <= MAX <= 1000"),
            (
                self.processes != 1 and not kind.shares_child,
                f"processes: the pool {kind.name} has none to spread slots over; -c is their number",
            ),
            (self.processes < 1 or count % shared != 0, f"processes: {count} slots don't fit evenly into {shared}"),
            (self.autoscale is not None and not kind.in_children, "autoscale: the pool solo has but one slot"),
            (
                not kind.in_children and (self.max_tasks_per_child or self.max_memory_per_child or 0) > 0,
                "max-tasks-per-child, max-memory-per-child: the pool solo has no child to replace",
            ),
        ]


def signal_named(name: str) -> signal.Signals:
    """Return the signal of this name (with or without SIG); an unknown or empty one is SIGTERM."""
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    return signal.Signals.__members__.get(full, signal.SIGTERM)
