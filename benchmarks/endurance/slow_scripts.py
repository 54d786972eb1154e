"""How long scripts hold the store, from its slow log: by the clock, so on a machine that does nothing else."""

from dataclasses import dataclass

import redis

from caraway_server.store.scripts import SCRIPTS

NOTED_MS, TOO_LONG_MS = 5.0, 20.0
LONGEST_LOG = 100_000


@dataclass(frozen=True, slots=True)
class Held:
    """Of one script: how often it held the store longer than NOTED_MS, and TOO_LONG_MS; the longest time, in ms."""

    name: str
    count: int
    too_long: int
    longest: float


def note_slow_scripts(client: redis.Redis) -> None:
    """Have the store note what takes longer than NOTED_MS, from now on."""
    client.config_set("slowlog-log-slower-than", round(NOTED_MS * 1000))
    client.config_set("slowlog-max-len", LONGEST_LOG)
    client.slowlog_reset()


def slow_scripts(client: redis.Redis) -> list[Held]:
    """What was noted, the longest first."""
    names = {script.digest: name for name, script in SCRIPTS.items()}
    times: dict[str, list[float]] = {}
    for entry in client.slowlog_get(LONGEST_LOG):
        digest = entry["command"].decode(errors="replace").partition(" ")[2].partition(" ")[0]
        if digest in names:  # the log has what a script calls, too
            times.setdefault(names[digest], []).append(entry["duration"] / 1000)
    held = [
        Held(name, len(values), sum(value > TOO_LONG_MS for value in values), max(values))
        for name, values in times.items()
    ]
    return sorted(held, key=lambda one: one.longest, reverse=True)
