"""What workers are told to do, and what they answer: said over the store's channels, and kept nowhere."""

from collections.abc import Iterable

import msgpack
from redis.asyncio import Redis

from caraway.ids import uuid7
from caraway_server.store import keys
from caraway_server.store.connection import translated
from caraway_server.store.values import CommandAnswered, CommandGiven


class Commands:
    """Gives commands to all gateways, whose streams carry them on; answers go to the gateway that gave the command.

    Args:
        redis: the client; its owner closes it.
        gateway_id: whose commands.
    """

    def __init__(self, redis: Redis, gateway_id: str) -> None:
        self._redis = redis
        self._gateway_id = gateway_id

    def new_id(self) -> str:
        """Names a command. The name tells the gateway that is to be answered."""
        return f"{self._gateway_id}.{uuid7()}"

    async def give(self, worker_ids: Iterable[str], command: bytes) -> None:
        """Tells these workers; `command` is a message of the contract."""
        with translated():
            await self._redis.publish(keys.COMMANDS, msgpack.packb((list(worker_ids), command)))

    async def answer(self, command_id: str, worker_id: str, reply: bytes) -> None:
        """Passes on what a worker answers; `reply` is a message of the contract."""
        asker = command_id.partition(".")[0]
        with translated():
            await self._redis.publish(keys.replies(asker), msgpack.packb((command_id, worker_id, reply)))


def command_from(data: bytes) -> CommandGiven:
    """A command as `give` packs it."""
    worker_ids, command = msgpack.unpackb(data)
    return CommandGiven(frozenset(worker_ids), command)


def answer_from(data: bytes) -> CommandAnswered:
    """An answer as `answer` packs it."""
    return CommandAnswered(*msgpack.unpackb(data))
