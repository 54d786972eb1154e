"""Opening a store, judging whether it is fit, and telling its errors in our own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from caraway.settings import mask_password
from caraway_server.core.errors import StoreError, StoreFull, StoreReadOnly, StoreUnavailable, StoreUnfit
from caraway_server.store.sentinel import SCHEME, client_by_sentinel

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0
OLDEST_VERSION = (7, 0)
FIRST_WITH_WAITAOF = (7, 2)
_REFUSED_LOGIN = ("Authentication required", "invalid username-password")


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What a store says of itself.

    Attributes:
        version: name and version, for example "valkey 9.0.1".
        durability: "memory", "every_second", "always", "occasional" or "unknown".
        failover_loss: what a failover may lose, in words.
        has_aof: whether it has an append-only file.
        has_waitaof: whether it can tell that replicas have something on disk.
    """

    version: str
    durability: str
    failover_loss: str
    has_aof: bool = False
    has_waitaof: bool = False


def connect(url: str) -> Redis:
    """A client for redis://, rediss://, unix:// or sentinel:// URLs; connects when first used.

    Raises:
        StoreUnfit: the URL can't be understood.
    """
    options: dict[str, Any] = {
        "protocol": 2,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        # The store decides itself which calls may be sent twice.
        "retry": Retry(NoBackoff(), 0),
    }
    make = client_by_sentinel if url.startswith(f"{SCHEME}://") else Redis.from_url
    try:
        return make(url, **options)
    except ValueError as error:
        # Without what the driver says: it may quote a part of the password.
        known = "redis://, rediss://, unix:// or sentinel://HOST:PORT,.../SERVICE"
        raise StoreUnfit(f"--redis {mask_password(url)!r} can't be understood: use {known}") from error


@contextmanager
def translated() -> Iterator[None]:
    """Raises the driver's errors as ours."""
    try:
        yield
    except exceptions.ReadOnlyError as error:
        raise StoreReadOnly(f"the store is a read-only replica: {error}") from error
    except exceptions.OutOfMemoryError as error:
        raise StoreFull(f"the store's memory is full (maxmemory): {error}") from error
    except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
        # The driver raises the same refusal as one class or another.
        if isinstance(error, exceptions.AuthenticationError) or any(text in str(error) for text in _REFUSED_LOGIN):
            raise StoreUnfit(f"the store refuses the user or the password of its URL: {error}") from error
        raise StoreUnavailable(f"the store can't be reached: {error}") from error
    except exceptions.ResponseError as error:
        raise _from_response(str(error)) from error
    except exceptions.RedisError as error:
        raise StoreError(f"the store failed: {error}") from error


def _from_response(text: str) -> StoreError:
    # Inside a script the driver sees the store's own code only as the start of the text.
    if "MISCONF" in text or "READONLY" in text or "NOREPLICAS" in text:
        return StoreReadOnly(f"the store refuses writes: {text}")
    if "OOM" in text:
        return StoreFull(f"the store's memory is full (maxmemory): {text}")
    if "LOADING" in text or "BUSY" in text or "MASTERDOWN" in text:
        return StoreUnavailable(f"the store is not ready: {text}")
    return StoreError(f"the store failed: {text}")


async def examine(redis: Redis) -> StoreFacts:
    """Judges whether a store is fit to keep tasks.

    Raises:
        StoreUnfit: its version or its eviction policy is not; the message names the setting.
        StoreUnavailable: it can't be reached.
    """
    with translated():
        info: dict[str, Any] = await redis.info()
    name, version = _name_and_version(info)
    if version < OLDEST_VERSION:
        raise StoreUnfit(f"the store is {name} {'.'.join(map(str, version))}; Redis 7.0 or newer, or Valkey, is needed")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise StoreUnfit(
            f"the store's maxmemory-policy is {policy}: it may throw tasks away when memory runs short. "
            "Set maxmemory-policy noeviction"
        )
    if info.get("role") in ("slave", "replica"):
        raise StoreUnfit("the store is a read-only replica; name its primary")
    durability = await _durability(redis, info)
    text = f"{name} {'.'.join(map(str, version))}"
    has_waitaof = name == "valkey" or version >= FIRST_WITH_WAITAOF
    return StoreFacts(text, durability, _failover_loss(info), bool(info.get("aof_enabled")), has_waitaof)


def _name_and_version(info: dict[str, Any]) -> tuple[str, tuple[int, ...]]:
    name = "valkey" if "valkey_version" in info else "redis"
    text = str(info.get("valkey_version") or info.get("redis_version") or "0")
    return name, tuple(int(part) for part in text.split(".") if part.isdecimal())


async def _durability(redis: Redis, info: dict[str, Any]) -> str:
    if not info.get("aof_enabled"):
        try:
            saves = (await redis.config_get("save")).get("save", "")
        except exceptions.RedisError:
            return "unknown"
        return "occasional" if saves else "memory"
    try:
        fsync = (await redis.config_get("appendfsync")).get("appendfsync") or ""
    except exceptions.RedisError:  # managed services bar CONFIG
        return "unknown"
    return {"always": "always", "everysec": "every_second"}.get(fsync, "occasional")


def _failover_loss(info: dict[str, Any]) -> str:
    replicas = int(info.get("connected_slaves", 0))
    if replicas == 0:
        return "the store has no replica: there is no failover"
    return (
        f"{replicas} replica(s), replicated asynchronously: a failover may lose what was accepted in the last moments. "
        "With --wait-replicas 1 one of them has it first"
    )
