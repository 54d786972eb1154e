"""What store tests do to a store, in words of their own, and the clock that they turn."""

from collections.abc import Sequence
from dataclasses import replace

from redis.asyncio import Redis

from caraway_server.core.task import Record, State
from caraway_server.store import keys
from caraway_server.store.store import Store
from caraway_server.store.values import (
    Lease,
    Limits,
    LossErrors,
    NewTask,
    Note,
    Pass,
    Report,
    Reported,
    ReportKind,
    Submitted,
)
from store.workflow_invariants import workflow_problems

SECOND = 1_000_000
LIMITS = Limits(result_ttl=3600 * SECOND, lease=15 * SECOND, reaper_gap=5 * SECOND, max_lost=3, hold=60 * SECOND)
MANY = 1000
QUARANTINED = b"quarantined"
LOST = b"lost for good"
ERRORS = LossErrors(QUARANTINED, LOST, b"lapsed")


def micros(seconds: float) -> int:
    """Seconds as the store counts them."""
    return round(seconds * SECOND)


class Kit:
    """A store that two gateways share.

    Attributes:
        store: the first gateway's.
        other: the second gateway's.
        notes: what the first gateway was told by its own transitions.
        other_notes: what the second one was.
    """

    def __init__(self, redis: Redis, limits: Limits = LIMITS) -> None:
        self.redis = redis
        self.notes: list[Note] = []
        self.other_notes: list[Note] = []
        self.store = Store(redis, "gateway-one", limits, self.notes.extend, ERRORS)
        self.other = Store(redis, "gateway-two", limits, self.other_notes.extend, ERRORS)
        self._made = 0

    def limit(self, **limits: int) -> None:
        """Holds both gateways to other limits."""
        for store in (self.store, self.other):
            store.limits = replace(store.limits, **limits)

    # -- the clock ------------------------------------------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Turns the store's clock; a negative number sets it back."""
        await self.redis.incrby(keys.CLOCK, micros(seconds))

    async def now(self) -> int:
        """The store's clock."""
        return await self.store.now()

    # -- tasks ----------------------------------------------------------------------------------------------------

    def new(
        self, task_id: str = "", *, name: str = "t", queue: str = "q", priority: int = 4, spec: bytes = b"spec",
        fingerprint: bytes = b"print", delay: float = 0, ttl: float = 0, result_ttl: float = 0, at: int = 0,
        until: int = 0, watch: bool = False, ignore_result: bool = False, unique: str = "", window: float = 0,
        on_conflict: str = "r", once: bool = False, parent: str = "",
    ) -> NewTask:  # fmt: skip
        """A task to submit; times in seconds, instants in microseconds."""
        self._made += 1
        return NewTask(
            task_id or f"task-{self._made}", fingerprint, spec, name, queue, priority,
            at, micros(delay), until, micros(ttl), micros(result_ttl), watch, ignore_result,
            unique, micros(window), on_conflict, once, parent,
        )  # fmt: skip

    async def submit(self, task_id: str = "", **fields: object) -> str:
        """Submits a task that must be taken; returns its id."""
        new = self.new(task_id, **fields)  # type: ignore[arg-type]
        answer = await self.take(new)
        assert answer.word == "created", answer
        return new.task_id

    async def take(self, new: NewTask) -> Submitted:
        """Submits a task, however it ends."""
        return (await self.store.submit([new]))[0]

    async def record(self, task_id: str) -> Record:
        """The record of a task that must be there."""
        record = (await self.store.get([task_id]))[0]
        assert record is not None, f"there is no {task_id}"
        return record

    async def state(self, task_id: str) -> State | None:
        """Where a task stands; TOMBSTONE where only its id is kept, None where nothing is."""
        raw = await self.redis.hget(keys.task(task_id), "s")
        return None if raw is None else State(int(raw))

    # -- deliveries -----------------------------------------------------------------------------------------------

    async def lease(
        self, count: int = MANY, *, worker: str = "w", queues: Sequence[str] = ("q",),
        names: Sequence[str] | None = None, max_bytes: int = 1 << 20,
    ) -> list[Lease]:  # fmt: skip
        """Leases what there is."""
        return (await self.store.lease(worker, queues, names, count, max_bytes))[0]

    async def leased_ids(self, count: int = MANY, **fields: object) -> list[str]:
        """The ids of what was leased, in order."""
        return [lease.task_id for lease in await self.lease(count, **fields)]  # type: ignore[arg-type]

    async def lease_all(self, count: int) -> list[Lease]:
        """Leases so many, however many calls that takes; they must be there."""
        found: list[Lease] = []
        while len(found) < count:
            part = await self.lease(count - len(found))
            assert part, f"{len(found)} tasks are there, not {count}"
            found += part
        return found

    async def lease_one(self, **fields: object) -> Lease:
        """Leases the one task that must be there."""
        leases = await self.lease(1, **fields)  # type: ignore[arg-type]
        assert len(leases) == 1
        return leases[0]

    async def delivered(self, **fields: object) -> Lease:
        """Submits a task and leases it."""
        await self.submit(**fields)  # type: ignore[arg-type]
        return await self.lease_one()

    async def started(self, **fields: object) -> Lease:
        """Submits a task, leases it and reports its start."""
        lease = await self.delivered(**fields)
        assert (await self.report(ReportKind.STARTED, lease)).word == "ok"
        return lease

    async def report(
        self, kind: ReportKind, lease: Lease, *, blob: bytes = b"", wait: float = 0, ran: float = 0, custom: str = "",
        once: bool = False,
    ) -> Reported:  # fmt: skip
        """Reports of a delivery."""
        report = Report(kind, lease.task_id, lease.fence, micros(ran), blob, micros(wait), custom, once=once)
        return (await self.store.report([report]))[0]

    async def ended(self, kind: ReportKind = ReportKind.SUCCEEDED, **fields: object) -> Lease:
        """Submits a task, leases it and ends it."""
        lease = await self.delivered(**fields)
        assert (await self.report(kind, lease)).word == "ok"
        return lease

    # -- checks ---------------------------------------------------------------------------------------------------

    async def wrong(self) -> list[str]:
        """Everything in which the indexes and the records disagree, and keys that are nobody's."""
        found = [finding.text for finding in await self.store.checker.check()]
        if await self.redis.exists(keys.WORKFLOWS, keys.ENDED_WORKFLOWS):
            found += await workflow_problems(self.redis)
        foreign = self.store.checker.foreign
        return [*found, f"{foreign} keys are not Caraway's"] if foreign else found

    # -- duties ---------------------------------------------------------------------------------------------------

    async def promote(self) -> Pass:
        """One pass of the promoter."""
        return await self.store.promote(MANY)

    async def expire(self) -> Pass:
        """One pass of the expirer."""
        return await self.store.expire(MANY)

    async def reap(self) -> list[tuple[str, str]]:
        """One pass of the reaper; returns what it took back."""
        return (await self.store.reap(MANY))[1]

    async def prune(self) -> Pass:
        """One pass of the pruner."""
        return await self.store.prune(MANY)

    async def wait_out_leases(self) -> list[tuple[str, str]]:
        """Lets every lease run out while the reaper makes its rounds; returns what it took back."""
        taken = await self.reap()
        for _ in range(5):
            await self.advance(4)
            taken += await self.reap()
        return taken
