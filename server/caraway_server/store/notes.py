"""The notes that other gateways' transitions leave for this one, over the store's channels."""

import asyncio
import logging
import random
from collections.abc import Callable

import msgpack
from redis.asyncio import Redis

from caraway_server.core.errors import StoreError, StoreUnavailable
from caraway_server.store import keys
from caraway_server.store.connection import translated
from caraway_server.store.store import notes_from
from caraway_server.store.values import DueChanged, Missed, Note

_log = logging.getLogger(__name__)

SILENCE_SECONDS = 2.0  # after which the store is asked whether it is there


class NoteReader:
    """Listens for as long as the gateway lives; after every (re)connection it says Missed once.

    Args:
        redis: the client; the reader takes a connection of its own from it.
        gateway_id: whose notes.
        on_notes: told of them.
    """

    def __init__(self, redis: Redis, gateway_id: str, on_notes: Callable[[list[Note]], None]) -> None:
        self._redis = redis
        self._own = keys.gateway(gateway_id)
        self._on_notes = on_notes

    async def run(self) -> None:
        """Never returns; cancel it."""
        while True:
            try:
                with translated():
                    await self._listen()
            except StoreError as error:
                _log.warning("notes of other gateways are cut off: %s", error)
            except Exception:  # a gateway that hears nothing would look well and be slow for ever
                _log.exception("notes of other gateways are cut off")
            await asyncio.sleep(random.uniform(0.2, 1.0))

    async def _listen(self) -> None:
        async with self._redis.pubsub() as channel:
            await channel.subscribe(self._own, keys.BROADCAST)
            self._on_notes([Missed()])
            asked = False
            while True:
                message = await channel.get_message(timeout=SILENCE_SECONDS)
                if message is not None:
                    asked = False
                    if message["type"] == "message":
                        self._on_notes(self._read(message))
                elif asked:  # a store that froze, or a host that is gone, closes no connection
                    raise StoreUnavailable("the store does not answer on the connection that brings notes")
                else:
                    await channel.ping()
                    asked = True

    def _read(self, message: dict[str, bytes]) -> list[Note]:
        if message["channel"].decode() == self._own:
            return notes_from(msgpack.unpackb(message["data"], raw=True))
        return [DueChanged()]
