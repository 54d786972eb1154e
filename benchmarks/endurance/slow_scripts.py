"""How long scripts hold the store, from its slow log."""

from dataclasses import dataclass

import redis

from caraway_server.store.scripts import SCRIPTS

NOTED_MS = 5.0
LONGEST_LOG = 100_000


@dataclass(frozen=True, slots=True)
class Held:
    """Of one script: how often it held the store longer than NOTED_MS, and the longest time, in milliseconds."""

    name: str
    count: int
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
        command, _, rest = entry["command"].decode(errors="replace").partition(" ")
        name = names.get(rest.partition(" ")[0], command.lower())
        times.setdefault(name, []).append(entry["duration"] / 1000)
    held = [Held(name, len(values), max(values)) for name, values in times.items()]
    return sorted(held, key=lambda one: one.longest, reverse=True)
