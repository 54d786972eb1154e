"""The notes that other gateways' transitions leave for this one, over the store's channels."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Any

import msgpack
from redis.asyncio import Redis

from caraway_server.core.errors import StoreError, StoreUnavailable
from caraway_server.core.task import State
from caraway_server.core.workflow import WorkflowState
from caraway_server.store import commands, keys
from caraway_server.store.codec import record_from
from caraway_server.store.connection import translated
from caraway_server.store.values import (
    Cancel,
    DueChanged,
    Missed,
    Note,
    RelayDue,
    TaskChanged,
    WorkArrived,
    WorkflowChanged,
)

_log = logging.getLogger(__name__)

SILENCE_SECONDS = 2.0  # after which the store is asked whether it is there


def notes_from(raw: Sequence[Sequence[Any]]) -> list[Note]:
    """Notes as scripts pack them."""
    notes: list[Note] = []
    for kind, *rest in raw:
        if kind == b"task":
            notes.append(_changed_from(rest[0].decode(), *rest[1:]))
        elif kind == b"work":
            notes.append(WorkArrived(rest[0].decode()))
        elif kind == b"cancel":
            notes.append(cancel_from(rest[0].decode(), rest[1].decode(), rest[2:]))
        elif kind == b"workflow":
            notes.append(WorkflowChanged(rest[0].decode(), WorkflowState(rest[1]), rest[2]))
        elif kind == b"relay":
            notes.append(RelayDue())
        elif kind == b"due":
            notes.append(DueChanged())
    return notes


def _changed_from(task_id: str, state: int, revision: int, flat: Sequence[bytes] = ()) -> TaskChanged:
    record = record_from(task_id, dict(zip(flat[::2], flat[1::2], strict=True))) if flat else None
    return TaskChanged(task_id, State(state), revision, record)


def cancel_from(task_id: str, fence: str, rest: Sequence[Any]) -> Cancel:
    """A cancellation as scripts pack it: mode, reason, grace, signal and, in a note, the worker."""
    mode, reason, grace, signal, *worker = rest
    worker_id = worker[0].decode() if worker else ""
    return Cancel(task_id, fence, mode.decode(), reason.decode(), grace, signal.decode(), worker_id)


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
        self._replies = keys.replies(gateway_id)
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
            await channel.subscribe(self._own, self._replies, keys.COMMANDS, keys.BROADCAST)
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
        channel, data = message["channel"].decode(), message["data"]
        if channel == self._own:
            return notes_from(msgpack.unpackb(data, raw=True))
        if channel == self._replies:
            return [commands.answer_from(data)]
        if channel == keys.COMMANDS:
            return [commands.command_from(data)]
        return [DueChanged()]
