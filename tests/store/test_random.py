"""Random operations, seeded: no illegal transition, no broken index, and nothing that a plain model does not know."""

import random

import pytest

from caraway_server.core.task import HELD, TERMINAL, TRANSITIONS, State
from caraway_server.store.values import Lease, ReportKind
from store.kit import Kit

OPERATIONS = 300
TASKS = [f"t{n}" for n in range(14)]


class Model:
    """Drives a store at random, and knows of each task what must hold."""

    def __init__(self, kit: Kit, seed: int) -> None:
        self.kit = kit
        self.chance = random.Random(seed)
        self.states: dict[str, State | None] = dict.fromkeys(TASKS)
        self.leases: list[Lease] = []
        self.fences: dict[str, int] = {}
        self.seen: set[tuple[State, State]] = set()

    async def step(self) -> None:
        """One operation."""
        operations = [
            (self.submit, 6), (self.lease, 6), (self.report, 12), (self.report_stale, 2), (self.revoke, 1),
            (self.pass_time, 5), (self.duties, 6), (self.renew, 2), (self.delete, 1),
        ]  # fmt: skip
        chosen = self.chance.choices([op for op, _ in operations], [weight for _, weight in operations])[0]
        await chosen()
        await self.look(chosen.__name__)

    async def submit(self) -> None:
        task_id = self.chance.choice(TASKS)
        known = self.states[task_id]
        new = self.kit.new(
            task_id, name=self.chance.choice("ab"), queue=self.chance.choice("qr"), priority=self.chance.randrange(10),
            delay=self.chance.choice([0, 0, 6]), ttl=self.chance.choice([0, 0, 9, 30]), result_ttl=20,
            watch=self.chance.random() < 0.3,
        )  # fmt: skip
        answer = await self.kit.take(new)
        wanted = {None: "created", State.TOMBSTONE: "deleted"}.get(known, "known")
        assert answer.word == wanted

    async def lease(self) -> None:
        store = self.chance.choice([self.kit.store, self.kit.other])
        leases, _ = await store.lease(self.chance.choice("vw"), ["q", "r"], None, self.chance.randint(1, 4), 1000)
        for lease in leases:
            assert int(lease.fence) > self.fences.get(lease.task_id, 0), "a fence was repeated"
            self.fences[lease.task_id] = int(lease.fence)
        self.leases += leases

    async def report(self) -> None:
        if not self.leases:
            return
        lease = self.chance.choice(self.leases)
        kind = self.chance.choice([kind for kind in ReportKind if kind is not ReportKind.REPLACED])
        current = self.fences[lease.task_id] == int(lease.fence) and self.states[lease.task_id] in HELD
        once = self.chance.random() < 0.3
        answer = await self.kit.report(kind, lease, blob=b"x", wait=self.chance.choice([0, 4]), ran=0.1, once=once)
        if current:
            assert answer.word == "ok"
            if kind not in (ReportKind.STARTED, ReportKind.PROGRESS):
                self.leases.remove(lease)

    async def report_stale(self) -> None:
        if self.leases:
            lease = self.chance.choice(self.leases)
            stale = Lease(lease.task_id, str(int(lease.fence) - 1), b"", 0, 0, 0, 0)
            assert (await self.kit.report(ReportKind.SUCCEEDED, stale)).word in ("lease_lost", "not_found")

    async def revoke(self) -> None:
        ids = self.chance.sample(TASKS, 3)
        await self.kit.store.revoke(ids, self.chance.choice("pct"))

    async def pass_time(self) -> None:
        await self.kit.advance(self.chance.choice([1, 3, 3, 4, 4, 8, 40, 700, -5]))

    async def duties(self) -> None:
        self.kit.limit(hold=self.chance.choice([0, 60_000_000]))
        await self.chance.choice([self.kit.promote, self.kit.expire, self.kit.reap, self.kit.prune])()

    async def renew(self) -> None:
        held = [(lease.task_id, lease.fence) for lease in self.leases]
        lost = (await self.kit.store.renew(held)).lost
        for task_id, fence in held:
            current = self.fences[task_id] == int(fence) and self.states[task_id] in HELD
            assert ((task_id, fence) not in lost) is current
        self.leases = [lease for lease in self.leases if (lease.task_id, lease.fence) not in lost]

    async def delete(self) -> None:
        task_id = self.chance.choice(TASKS)
        state = self.states[task_id]
        word = "deleted" if state in TERMINAL else "not_terminal"
        assert await self.kit.store.delete([task_id]) == ["not_found" if state in (None, State.TOMBSTONE) else word]

    async def look(self, what: str) -> None:
        """Compares every task with what it was before the operation."""
        for task_id in TASKS:
            before, after = self.states[task_id], await self.kit.state(task_id)
            if after is not before:
                self.check_change(task_id, before, after, what)
                self.states[task_id] = after

    def check_change(self, task_id: str, before: State | None, after: State | None, what: str) -> None:
        if before is None:
            assert after in (State.SCHEDULED, State.QUEUED), (task_id, after, what)
        elif after is None:
            assert before is State.TOMBSTONE, (task_id, before, what)
            self.fences.pop(task_id, None)
            self.leases = [lease for lease in self.leases if lease.task_id != task_id]
        else:
            assert after in TRANSITIONS[before], (task_id, before, after, what)
            self.seen.add((before, after))


@pytest.mark.parametrize("seed", range(6))
async def test_random_operations_keep_the_store_sound(kit: Kit, seed: int) -> None:
    kit.limit(dedup_window=30_000_000)
    model = Model(kit, seed)
    for step in range(OPERATIONS):
        await model.step()
        if step % 20 == 0:
            assert await kit.wrong() == []
    assert len(model.seen) > 15, "it hardly moved"
