"""The worker's settings, validated at once."""

import os
import signal
import socket
from dataclasses import dataclass, field
from datetime import timedelta

QUEUE_NAME_LIMIT = 255


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

    Arguments: `app` as -A takes it; `target` of the gateway, None: the app's own; `queues`, empty: the app's default
    queue; `max_memory_per_child` in KiB of resident memory; `drain_timeout` None: wait for running tasks as long as
    they take.
    """

    app: str
    name: str = ""
    target: str | None = None
    queues: tuple[str, ...] = ()
    concurrency: int = field(default_factory=lambda: os.cpu_count() or 1)
    log_level: int = 30
    time_limit: timedelta | None = None
    soft_time_limit: timedelta | None = None
    max_tasks_per_child: int | None = None
    max_memory_per_child: int | None = None
    drain_timeout: timedelta | None = None

    def __post_init__(self) -> None:
        problems = [text for wrong, text in self._checks() if wrong]
        if problems:
            raise SettingsError("; ".join(problems))

    def _checks(self) -> list[tuple[bool, str]]:
        zero = timedelta(0)
        soft, hard = self.soft_time_limit, self.time_limit
        tasks, memory, drain = self.max_tasks_per_child, self.max_memory_per_child, self.drain_timeout
        return [
            (not self.app, "app: name the app with -A"),
            (not 1 <= self.concurrency <= 1000, f"concurrency: {self.concurrency} is not between 1 and 1000"),
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
        ]


def signal_named(name: str) -> signal.Signals:
    """Return the signal of this name (with or without SIG); an unknown or empty one is SIGTERM."""
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    return signal.Signals.__members__.get(full, signal.SIGTERM)
