"""Finding the primary by Redis Sentinel, again after each failover."""

from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

SCHEME = "sentinel"
DEFAULT_PORT = 26379
ANSWER_SECONDS = 1.0  # a sentinel that takes longer is passed over


class _PrimaryPool(SentinelConnectionPool):
    """Connections to whichever server is the primary."""

    async def get_master_address(self) -> tuple[str, int]:
        before = self.master_address
        try:
            address: tuple[str, int] = await super().get_master_address()  # type: ignore[no-untyped-call]
        except MasterNotFoundError:
            # Not in the driver's words: they show every option of its connections, with some versions the passwords.
            asked = (one.connection_pool.connection_kwargs for one in self.sentinel_manager.sentinels)
            hosts = ", ".join(f"{options['host']}:{options['port']}" for options in asked)
            raise MasterNotFoundError(f"no sentinel names a primary of {self.service_name!r} ({hosts})") from None
        if before not in (None, address):
            # Those in use as well: whoever listens to the old primary would hear nothing any more.
            await self.disconnect()
        return address

    async def aclose(self) -> None:
        await super().aclose()
        for sentinel in self.sentinel_manager.sentinels:
            await sentinel.aclose()


def client_by_sentinel(url: str, **options: Any) -> Redis:
    """A client for sentinel://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]/SERVICE[/DATABASE].

    Args:
        url: with the primary's user and password; those of the sentinels, if they have any, follow as
            ?sentinel_username=USER&sentinel_password=PASSWORD.
        options: of the connections to the primary.

    Raises:
        ValueError: the URL says no such thing.
    """
    parts = urlsplit(url)
    service, _, database = parts.path.removeprefix("/").partition("/")
    asked = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    unknown = asked.keys() - {"sentinel_username", "sentinel_password"}
    if not service or not (database or "0").isdecimal() or unknown:
        raise ValueError("it is sentinel://HOST[:PORT][,HOST[:PORT]...]/SERVICE[/DATABASE]")
    to_sentinels = {
        "socket_connect_timeout": ANSWER_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        **{name.removeprefix("sentinel_"): value for name, value in asked.items()},
    }
    login = {"username": parts.username, "password": parts.password}
    options |= {name: unquote(value) for name, value in login.items() if value}
    sentinels: Any = Sentinel(_addresses(parts), sentinel_kwargs=to_sentinels)  # type: ignore[no-untyped-call]
    client: Redis = sentinels.master_for(service, connection_pool_class=_PrimaryPool, db=int(database or 0), **options)
    return client


def _addresses(parts: SplitResult) -> list[tuple[str, int]]:
    addresses = []
    for address in parts.netloc.rpartition("@")[2].split(","):
        host, colon, port = address.rpartition(":")
        if not colon or address.endswith("]"):
            host, port = address, str(DEFAULT_PORT)
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{address!r} is not HOST or HOST:PORT")
        addresses.append((host.strip("[]"), int(port)))
    return addresses
