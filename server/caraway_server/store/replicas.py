"""Confirmation by replicas: what was written is theirs, too, before it is answered."""

from collections.abc import Sequence
from dataclasses import replace

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from caraway_server.core.errors import StoreNotConfirmed, StoreUnfit
from caraway_server.store import keys
from caraway_server.store.coalesce import Coalescer
from caraway_server.store.connection import StoreFacts, translated

# Milliseconds for which replicas are waited for. Those that write to disk once a second need more than one.
RECEIVED_MS, ON_DISK_MS = 1000, 2000
MOST_IN_ONE_WAIT = 100_000  # callers: they cost nothing, one wait confirms all that was written before it

_NO_AOF = "appendonly is disabled"  # a failover has made a replica without one the primary, or somebody has set it
_DONE = "It was done, and is kept unless the primary is lost before a replica has it: repeat it"


class Replicas:
    """Waits until replicas have what this gateway wrote: one wait at a time for all callers.

    Args:
        redis: the client; its owner closes it.
        count: how many must have it; 0: none is waited for.
    """

    def __init__(self, redis: Redis, count: int) -> None:
        self._redis = redis
        self._count = count
        self._on_disk = True
        self._waits: Coalescer[None, None] = Coalescer(self._wait, MOST_IN_ONE_WAIT)

    async def confirm(self) -> None:
        """Returns once all that was written before this call is confirmed.

        Raises:
            StoreNotConfirmed: it was not in time; it is on the primary, and kept unless that is lost now.
            StoreUnavailable: the store can't be reached; the same holds.
        """
        if self._count:
            await self._waits.submit([None])

    async def _wait(self, callers: Sequence[None]) -> Sequence[None]:
        pipeline = self._redis.pipeline(transaction=False)
        # The store waits for what this connection wrote last. This write comes after all that is to be confirmed, also
        # where that was written over another connection, or by another gateway.
        pipeline.set(keys.CONFIRMED, 1)
        pipeline.execute_command("WAIT", self._count, RECEIVED_MS)
        if self._on_disk:
            # Asked at once, a replica would tell what it has on disk before this, and then nothing for a second. Its
            # answer to WAIT comes after its write to disk, so that the second question is answered at once.
            pipeline.execute_command("WAITAOF", 1, self._count, ON_DISK_MS)
        with translated():
            try:
                answer = (await pipeline.execute())[-1]
            except ResponseError as error:
                if _NO_AOF not in str(error):
                    raise
                raise StoreNotConfirmed(
                    f"the primary has appendonly no: set it to yes (--wait-replicas). {_DONE}"
                ) from error
        reached = answer[1] if self._on_disk else answer
        if reached < self._count:
            await self._look_elsewhere()
            raise StoreNotConfirmed(
                f"only {reached} of {self._count} replicas confirmed in time (--wait-replicas): are they there"
                f"{', with appendonly yes' if self._on_disk else ''}? {_DONE}"
            )
        return [None] * len(callers)

    async def _look_elsewhere(self) -> None:
        """The primary may have lost its replicas because another has taken its place: Sentinel is asked again."""
        with translated():
            await self._redis.connection_pool.disconnect(inuse_connections=False)

    def judge(self, facts: StoreFacts) -> StoreFacts:
        """Takes in what the store can do, and tells what a failover may lose.

        Raises:
            StoreUnfit: waiting for replicas would promise too much.
        """
        if not self._count:
            return facts
        if not facts.has_aof:
            raise StoreUnfit(
                "--wait-replicas needs appendonly yes on the store and its replicas: a primary that starts again "
                "empty empties its replicas, too"
            )
        self._on_disk = facts.has_waitaof
        return replace(facts, failover_loss=self._failover_loss())

    def _failover_loss(self) -> str:
        what = "on disk" if self._on_disk else "in memory (the store is older than Redis 7.2 and has no WAITAOF)"
        return (
            f"nothing that was answered, where a replica that confirmed it is promoted: {self._count} replica(s) have "
            f"each change {what} before it is answered"
        )
