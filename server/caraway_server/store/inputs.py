"""Reads what nodes of a workflow hand on to a task, in pages."""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgpack

from caraway_server.core.errors import Refused, StoreError
from caraway_server.core.inputs import Failed, InputPart, InputStart, ListBegin, ListEnd, Value
from caraway_server.core.task import FAILURES, Record, State
from caraway_server.core.workflow import FAILURE_EDGES, On, first_failure, outcome_of
from caraway_server.store import keys
from caraway_server.store.codec import record_from
from caraway_server.store.culprits import Culprits
from caraway_server.store.runner import Runner
from caraway_server.store.values import Lease

INLINE_BYTES = 256 * 1024  # of a lease
INLINE_BYTES_AT_ONCE = 512 * 1024  # of all leases that are handed out together: they share a message
READ_AT_ONCE = 200
TASKS_AT_ONCE = 8  # whose inputs are read at the same time
TOLD_BYTES = 64 * 1024  # of the arguments and headers of a task that failed
PART_BYTES = 64  # of a part on the wire, beside its value

_FIELDS = ("s", "n", "q", "p", "r", "c", "f", "G", "K", "E", "Cr")


@dataclass(slots=True)
class Position:
    """How far the inputs are read: the edge, and inside of its value the collects and how far each is."""

    edge: int = 0
    inside: list[tuple[str, int]] = field(default_factory=list)

    def to_token(self) -> str:
        """As a page token; opaque to callers."""
        packed: bytes = msgpack.packb((self.edge, self.inside))
        return base64.urlsafe_b64encode(packed).decode()

    @classmethod
    def from_token(cls, token: str) -> "Position":
        """Raises Refused for what is not a token."""
        if not token:
            return cls()
        try:
            edge, inside = msgpack.unpackb(base64.urlsafe_b64decode(token.encode()))
            position = cls(int(edge), [(str(collect), int(index)) for collect, index in inside])
            if position.edge < 0 or any(not 0 <= index < 2**31 for _, index in position.inside):
                raise ValueError(token)
        except (ValueError, TypeError, OverflowError, binascii.Error, msgpack.UnpackException) as error:
            raise Refused("INVALID_FIELD", "page_token is not one that this server gave", field="page_token") from error
        return position


@dataclass(frozen=True, slots=True)
class _Source:
    """A node that hands something on, and how many bytes its result has."""

    record: Record
    size: int


class Inputs:
    """Reads inputs.

    Args:
        runner: reads.
        culprits: adds those because of which others failed.
    """

    def __init__(self, runner: Runner, culprits: Culprits) -> None:
        self._runner = runner
        self._culprits = culprits

    async def added_to(self, leases: Sequence[Lease]) -> list[Lease]:
        """The leases; those of nodes with what is handed on to them, unless that is to be read in pages."""
        turns = asyncio.Semaphore(TASKS_AT_ONCE)

        async def add(lease: Lease) -> Lease:
            if not lease.inputs:
                return lease
            async with turns:
                try:
                    handed, following = await self.page(lease.inputs, Position(), INLINE_BYTES)
                except StoreError:  # the lease is taken: its worker asks for them
                    return lease._replace(more_inputs=True)
            return lease._replace(more_inputs=True) if following is not None else lease._replace(handed=tuple(handed))

        room = INLINE_BYTES_AT_ONCE
        filled = []
        for lease in await asyncio.gather(*map(add, leases)):
            size = _size_of(lease.handed)
            filled.append(lease if size <= room else lease._replace(handed=(), more_inputs=True))
            room -= size if size <= room else 0
        return filled

    async def page(self, inputs: bytes, start: Position, max_bytes: int) -> tuple[list[InputPart], Position | None]:
        """Reads on from a position.

        Args:
            inputs: as the task's record has them.
            start: where.
            max_bytes: of the page; a single value may go over.

        Returns:
            What is handed on, and where it goes on (None: that was all).
        """
        edges = await self._handing_on(inputs)
        page = _Page(max_bytes)
        position = Position(start.edge, list(start.inside))
        while position.edge < len(edges):
            if position.inside:
                await self._read_members(position, page)
            else:
                await self._begin(edges[position.edge], position, page)
            if page.is_full:
                return page.parts, position
        return page.parts, None

    async def _handing_on(self, inputs: bytes) -> list[tuple[str, int, str]]:
        """(node, pass, kwarg) of the edges that hand something on; of failure edges the first that fired."""
        raw = [
            (source.decode(), On(on), passing, kwarg.decode())
            for source, on, passing, kwarg in msgpack.unpackb(inputs, raw=True)
        ]
        if all(on not in FAILURE_EDGES for _, on, _, _ in raw):
            return [(source, passing, kwarg) for source, _, passing, kwarg in raw if passing]
        sources = await self._sources([source for source, _, _, _ in raw])
        outcomes = [
            (on, outcome_of(found.record))
            for (_, on, _, _), found in zip(raw, sources, strict=True)
            if found is not None
        ]
        chosen = first_failure(outcomes)
        return [
            (source, passing, kwarg) for index, (source, on, passing, kwarg) in enumerate(raw)
            if passing and (on not in FAILURE_EDGES or index == chosen)
        ]  # fmt: skip

    async def _begin(self, edge: tuple[str, int, str], position: Position, page: "_Page") -> None:
        node, passing, kwarg = edge
        source = (await self._sources([node]))[0]
        if not page.has_room_for(source):
            page.is_full = True
            return
        page.add(InputStart(passing, kwarg, node))
        if source is not None and source.record.state in FAILURES and not source.record.collect:
            page.add(await self._failed(source.record), _error_size(source.record) + TOLD_BYTES)
            position.edge += 1
        elif not await self._hand_on(source, position, page):
            position.edge += 1

    async def _read_members(self, position: Position, page: "_Page") -> None:
        """Reads on in the innermost collect, until a list begins in it, or it ends, or the page is full."""
        collect, index = position.inside[-1]
        [raw] = await self._runner.read([("LRANGE", keys.members(collect), str(index), str(index + READ_AT_ONCE - 1))])
        sources = await self._sources([entry[1:].decode() for entry in raw])
        results = await self._results(sources, page)
        for number, source in enumerate(sources):
            if not page.has_room_for(source):
                page.is_full = True
                return
            position.inside[-1] = (collect, index + number + 1)
            if await self._hand_on(source, position, page, results.get(number)):
                return
        if len(raw) < READ_AT_ONCE:
            page.add(ListEnd())
            position.inside.pop()
            if not position.inside:
                position.edge += 1

    async def _hand_on(
        self, source: _Source | None, position: Position, page: "_Page", result: bytes | None = None
    ) -> bool:
        """One node's value; True: it is a list, which begins here."""
        if source is None:
            page.add(Value(b""))
        elif source.record.state in FAILURES:
            page.add(Failed(source.record), _error_size(source.record))
        elif source.record.state is State.SUCCEEDED and source.record.collect:
            page.add(ListBegin())
            position.inside.append((source.record.task_id, 0))
            return True
        elif source.size and result is None:
            page.add(Value((await self._read_results([source.record.task_id]))[0]), source.size)
        else:
            page.add(Value(result or b""), source.size)
        return False

    async def _failed(self, record: Record) -> Failed:
        """A task that failed, with its whole record but for large arguments and its result."""
        [fields] = await self._runner.read([("HGETALL", keys.task(record.task_id))])
        if len(fields.get(b"t", b"")) > TOLD_BYTES:
            fields[b"t"] = b""
        whole = record_from(record.task_id, fields)
        return Failed(record) if whole is None else Failed(replace(whole, culprit=record.culprit), told=True)

    async def _results(self, sources: Sequence[_Source | None], page: "_Page") -> dict[int, bytes]:
        """The results that fit into the page, by place."""
        room, wanted = page.room, []
        for number, source in enumerate(sources):
            if source is not None and source.size:
                room -= source.size + PART_BYTES
                if room < 0:
                    break
                wanted.append(number)
        ids = [source.record.task_id for number in wanted if (source := sources[number]) is not None]
        return dict(zip(wanted, await self._read_results(ids), strict=True)) if ids else {}

    async def _read_results(self, ids: Sequence[str]) -> list[bytes]:
        return [raw or b"" for raw in await self._runner.read([("HGET", keys.task(task_id), "R") for task_id in ids])]

    async def _sources(self, ids: Sequence[str]) -> list[_Source | None]:
        commands = [
            command
            for task_id in ids
            for command in (("HMGET", keys.task(task_id), *_FIELDS), ("HSTRLEN", keys.task(task_id), "R"))
        ]
        rows = await self._runner.read(commands)
        records = []
        for task_id, row in zip(ids, rows[::2], strict=True):
            fields = {name.encode(): value for name, value in zip(_FIELDS, row, strict=True) if value is not None}
            records.append(record_from(task_id, {**fields, b"t": b""}))
        explained = await self._culprits.added_to(records)
        return [
            None if record is None else _Source(record, size)
            for record, size in zip(explained, rows[1::2], strict=True)
        ]


def _size_of(parts: Sequence[InputPart]) -> int:
    """Bytes of parts on the wire, about."""
    size = PART_BYTES * len(parts)
    for part in parts:
        if isinstance(part, Value):
            size += len(part.payload)
        elif isinstance(part, Failed):
            size += _error_size(part.record) + len(part.record.spec)
    return size


def _error_size(record: Record) -> int:
    """Bytes of what a node that failed hands on: its own error, or that of the task because of which it did."""
    return len(record.error or b"") + len((record.culprit.error if record.culprit is not None else None) or b"")


class _Page:
    """What is read, and how much of it more may be."""

    def __init__(self, max_bytes: int) -> None:
        self.parts: list[InputPart] = []
        self.room = max_bytes
        self.is_full = False

    def has_room_for(self, source: _Source | None) -> bool:
        """Whether its value fits; the first one always does."""
        if source is None or not self.parts:
            return True
        return source.size + _error_size(source.record) + 2 * PART_BYTES <= self.room

    def add(self, part: InputPart, size: int = 0) -> None:
        """One more."""
        self.parts.append(part)
        self.room -= size + PART_BYTES
