"""What an operator ought to know of the store as a server: is it fit, does it keep things, is it looked after."""

import time
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from caraway_server.core.errors import StoreUnfit
from caraway_server.store import keys
from caraway_server.store.connection import examine, translated
from caraway_server.store.values import Limits

FULL = 0.8  # of maxmemory
MOST_SKEW_SECONDS = 2.0
MISSED_ROUNDS = 6

_DURABILITY = {
    "memory": ("it keeps nothing on disk: its crash loses everything", "set appendonly yes and appendfsync always"),
    "every_second": (
        "it writes to disk once a second: a crash of its host may lose the last one",
        "set appendfsync always, if accepted is to mean kept",
    ),
    "occasional": ("a crash may lose minutes", "set appendonly yes and appendfsync always"),
    "unknown": ("it does not tell whether it writes to disk (CONFIG is barred)", "ask whoever runs it"),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """A fact about the store.

    Attributes:
        level: "ok", "warning" or "error".
        text: the fact.
        advice: what to do about it; "" where nothing is to be done.
    """

    level: str
    text: str
    advice: str = ""


async def examine_deployment(redis: Redis, limits: Limits) -> list[Remark]:
    """Looks at version, eviction, persistence, memory, clock and the gateways' rounds.

    Raises:
        StoreUnavailable: the store can't be reached.
    """
    with translated():
        info: dict[str, Any] = await redis.info()
    return [*await _fitness(redis), *_health(info), *await _clock(redis, limits)]


async def _fitness(redis: Redis) -> list[Remark]:
    try:
        facts = await examine(redis)
    except StoreUnfit as error:
        return [Remark("error", str(error), "no gateway starts on it as it is")]
    remarks = [Remark("ok", f"{facts.version}, maxmemory-policy noeviction"), Remark("ok", facts.failover_loss)]
    if facts.durability in _DURABILITY:
        return [*remarks, Remark("warning", *_DURABILITY[facts.durability])]
    return [*remarks, Remark("ok", "what is accepted is on disk (appendfsync always)")]


def _health(info: dict[str, Any]) -> list[Remark]:
    remarks = [
        Remark("error", f"{field} is {info[field]}", "see the store's log; is its disk full?")
        for field in ("aof_last_write_status", "rdb_last_bgsave_status")
        if info.get(field, "ok") != "ok"
    ]
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if most and used > FULL * most:
        text = f"{used / most:.0%} of maxmemory ({most / 2**20:.0f} MiB) are used; a full store takes no tasks"
        remarks.append(Remark("warning", text, "raise maxmemory, or shorten how long results are kept (--result-ttl)"))
    return remarks


async def _clock(redis: Redis, limits: Limits) -> list[Remark]:
    with translated():
        seconds, micros = await redis.time()
        offset = int(await redis.get(keys.CLOCK) or 0)
        seen = int(await redis.get(f"{keys.ROOT}reaper:seen") or 0)
    now = seconds * 1_000_000 + micros
    skew = now / 1e6 - time.time()
    remarks = []
    if offset:
        text = f"the store's clock is turned by {offset / 1e6:.0f} s, as tests do"
        remarks.append(Remark("error", text, f"DEL {keys.CLOCK}, once no gateway runs"))
    if abs(skew) > MOST_SKEW_SECONDS:
        text = f"the store's clock and this machine's are {abs(skew):.0f} s apart; the store's decides"
        remarks.append(Remark("warning", text, "set both by NTP: an eta that is made here starts that much off"))
    silence = (now + offset - seen) / 1e6
    if silence > MISSED_ROUNDS * limits.reaper_gap / 1e6:
        text = "no gateway has made its rounds" + (f" for {silence:.0f} s" if seen else " yet")
        remarks.append(Remark("warning", text, "start one: caraway server"))
    return remarks or [Remark("ok", "clocks agree, and gateways make their rounds")]
