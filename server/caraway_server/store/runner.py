"""Runs the scripts: once, or again where a connection turns out to be dead; gives their notes on."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

import msgpack
from redis import exceptions
from redis.asyncio import Redis

from caraway_server.core.errors import StoreError, StoreUnavailable
from caraway_server.store import keys
from caraway_server.store.connection import translated
from caraway_server.store.notes import notes_from
from caraway_server.store.observer import NOBODY, StoreObserver
from caraway_server.store.scripts import SCRIPTS
from caraway_server.store.values import Note

Outcome = TypeVar("Outcome")
Request = dict[str, Any]
Run = Callable[..., Awaitable[Any]]
"""Runs a script of the store by its name, with its request: `Runner.run`, or what stands for it."""


class Runner:
    """Runs scripts for one gateway.

    Args:
        redis: the client; its owner closes it.
        gateway_id: names this gateway in notes.
        on_notes: told of what concerns this gateway as soon as a script returns.
        observer: told of every round trip, and of the tasks that scripts ended.
    """

    def __init__(
        self,
        redis: Redis,
        gateway_id: str,
        on_notes: Callable[[list[Note]], None],
        observer: StoreObserver = NOBODY,
    ) -> None:
        self._observer = observer
        self._redis = redis
        self._gateway_id = gateway_id
        self._on_notes = on_notes

    async def run(self, name: str, request: Request, *, repeat: bool = False) -> Any:
        """Runs a script and returns its answer.

        Args:
            name: of the script.
            request: what it is asked.
            repeat: it may be done twice, so a dead connection is no reason to fail.
        """
        script = SCRIPTS[name]
        packed = _packed(request)

        async def call() -> bytes:
            arguments = (1, keys.ROOT, self._gateway_id, packed)
            try:
                raw = await self._redis.evalsha(script.digest, *arguments)
            except exceptions.NoScriptError:  # a new or emptied store
                raw = await self._redis.eval(script.text, *arguments)
            return cast(bytes, raw)

        return self._take_answer(await (self._repeated if repeat else self._timed)(name, call))

    async def run_together(self, calls: Sequence[tuple[str, Request]]) -> list[Any] | None:
        """Runs several scripts in one round trip; None where that did not work, and nothing is known of it."""
        pipeline = self._redis.pipeline(transaction=False)
        for name, request in calls:
            pipeline.evalsha(SCRIPTS[name].digest, 1, keys.ROOT, self._gateway_id, _packed(request))
        try:
            name = "_and_".join(name for name, _ in calls)
            answers = await self._timed(name, lambda: pipeline.execute(raise_on_error=False))
        except StoreUnavailable:  # a dead connection
            return None
        if any(isinstance(answer, Exception) for answer in answers):  # a new or emptied store, for one
            return None
        # Notes of the last call first: they may be what those of the others are waited for with.
        return [self._take_answer(answer) for answer in reversed(answers)][::-1]

    async def read(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        """Reads by many commands in one round trip, given as name and arguments; the answers in their order."""
        if not commands:
            return []

        async def call() -> list[Any]:
            pipeline = self._redis.pipeline(transaction=False)  # anew each time: one that failed is empty
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = await pipeline.execute()
            return answers

        return await self._repeated("read", call)

    async def _repeated(self, name: str, call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Calls once more where the connection turns out to be dead; only for what may be done twice."""
        try:
            return await self._timed(name, call)
        except StoreUnavailable:
            return await self._timed(name, call)

    async def _timed(self, name: str, call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        began = time.perf_counter()
        try:
            with translated():
                answer = await call()
        except StoreError:
            self._observer.called(name, time.perf_counter() - began, failed=True)
            raise
        self._observer.called(name, time.perf_counter() - began, failed=False)
        return answer

    def _take_answer(self, raw: bytes) -> Any:
        answer, notes, ended = msgpack.unpackb(raw, raw=True, strict_map_key=False)
        if notes:
            self._on_notes(notes_from(notes))
        if ended:
            self._observer.ended(ended)
        return answer


def _packed(request: Request) -> bytes:
    packed: bytes = msgpack.packb(request, use_bin_type=False)  # the store knows the older format only
    return packed
