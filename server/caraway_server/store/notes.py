"""The notes that other gateways' transitions leave for this one, over the store's channels."""

import asyncio
import logging
import random
from collections.abc import Callable

import msgpack
from redis.asyncio import Redis

from caraway_server.core.errors import StoreError
from caraway_server.store import keys
from caraway_server.store.connection import translated
from caraway_server.store.store import notes_from
from caraway_server.store.values import DueChanged, Missed, Note

_log = logging.getLogger(__name__)


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
            await asyncio.sleep(random.uniform(0.2, 1.0))

    async def _listen(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(self._own, keys.BROADCAST)
            self._on_notes([Missed()])
            while True:
                # Without a timeout a dead connection would never be noticed; the ping of a live one answers None.
                message = await channel.get_message(timeout=30.0)
                if message is None:
                    await channel.ping()
                elif message["type"] == "message":
                    self._on_notes(self._read(message))

    def _read(self, message: dict[str, bytes]) -> list[Note]:
        if message["channel"].decode() == self._own:
            return notes_from(msgpack.unpackb(message["data"], raw=True))
        return [DueChanged()]
