"""Proves that a store is consistent: every index agrees with the records, and nothing else lies about.

It reads in pages, by SCAN and ZSCAN, while tasks come and go. What belongs together (a record and its places in all
indexes) is read by one script, and every transition is one script too: so what it sees of a task is true, and no
finding is a moment's. Only the counts of a large schedule can't be read at one moment: what they seem to show is told
if it stays.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from redis.asyncio import Redis

from caraway_server.core.task import TERMINAL, State
from caraway_server.store import keys
from caraway_server.store.checks.finding import Finding, Repair
from caraway_server.store.checks.keyspace import key_findings
from caraway_server.store.checks.places import place_findings
from caraway_server.store.checks.record import is_readable, record_findings
from caraway_server.store.checks.view import VALUES, View, views_from
from caraway_server.store.checks.waiting import WaitingCheck
from caraway_server.store.connection import translated
from caraway_server.store.runner import Run

PAGE = 500
VIEWS_AT_ONCE = 100
REPAIR_ROUNDS = 4

_INDEXES = ("scheduled", "expiring", "leases", *(f"ended:{int(state)}" for state in [*TERMINAL, State.TOMBSTONE]))

Progress = Callable[[int], None]


class Checker:
    """Checks a store, and puts right what can be made again from the records.

    Args:
        redis: the client; its owner closes it.
        run: runs a script of the store by its name, with its request.

    Attributes:
        foreign: keys of other programs in the same database, as of the last check.
        keys: keys of Caraway's, as of the last check.
    """

    def __init__(self, redis: Redis, run: Run) -> None:
        self._redis = redis
        self._run = run
        self._waiting = WaitingCheck(redis, run)
        self.foreign = 0
        self.keys = 0

    async def size(self) -> int:
        """About how many steps a check takes."""
        with translated():
            return 2 * int(await self._redis.dbsize())

    async def check(self, progress: Progress = lambda _steps: None) -> list[Finding]:
        """Everything that is wrong, each once; none when the store is consistent.

        Args:
            progress: told of steps done.
        """
        found = await self._check_keys(progress)
        if any("not a" in finding.text for finding in found):
            return found  # what can't be read by its type hides the rest
        found += await self._check_contents(progress)
        found += await self._check_indexes()
        found += await self._check_lists()
        if not any(finding.repair and finding.repair.script in ("mend_task", "mend_lane") for finding in found):
            found += await self._waiting.findings()  # the count is of the lanes: they must be right before
        return list(dict.fromkeys(found))

    async def repair(self, found: Iterable[Finding], lease: int) -> list[Finding]:
        """Puts right what can be, and checks again; returns what is left.

        Args:
            found: by check().
            lease: microseconds for a delivery that has lost its lease.
        """
        left = list(found)
        for _ in range(REPAIR_ROUNDS):  # one fault may hide another
            repairs = [finding.repair for finding in left if finding.repair is not None]
            if not repairs:
                break
            for repair in repairs:
                await self._run(repair.script, {**repair.request, "lease": lease})
            left = await self.check()
        return left

    # -- pages ----------------------------------------------------------------------------------------------------

    async def _pages(self, match: str | None = None) -> AsyncIterator[list[str]]:
        cursor = 0
        while True:
            page: Any
            with translated():
                cursor, page = await self._redis.scan(cursor, match=match, count=PAGE)
            yield [raw.decode(errors="replace") for raw in page]
            if cursor == 0:
                return

    async def _together(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Reads at one moment."""
        pipeline = self._redis.pipeline(transaction=True)
        for command in commands:
            pipeline.execute_command(*command)
        with translated():
            return list(await pipeline.execute())

    async def _views(self, items: Sequence[tuple[str, str]]) -> list[View]:
        views: list[View] = []
        for start in range(0, len(items), VIEWS_AT_ONCE):
            part = items[start : start + VIEWS_AT_ONCE]
            answer = await self._run("view", {"items": part, "values": VALUES}, repeat=True)
            views += views_from([task_id for task_id, _ in part], answer)
        return views

    # -- what is checked ------------------------------------------------------------------------------------------

    async def _check_keys(self, progress: Progress) -> list[Finding]:
        found: list[Finding] = []
        self.foreign = self.keys = 0
        async for page in self._pages():
            own = [key for key in page if key.startswith(keys.ROOT)]
            self.foreign += len(page) - len(own)
            self.keys += len(own)
            facts = await self._together(*((what, key) for key in own for what in ("TYPE", "PTTL"))) if own else []
            for key, kind, expiry in zip(own, facts[::2], facts[1::2], strict=True):
                if kind != b"none":  # gone since
                    found += key_findings(key.removeprefix(keys.ROOT), kind.decode(), int(expiry))
            progress(len(page))
        return found

    async def _check_contents(self, progress: Progress) -> list[Finding]:
        found: list[Finding] = []
        async for page in self._pages(f"{keys.ROOT}*"):
            names = [key.removeprefix(keys.ROOT) for key in page]
            ids = [name.removeprefix("task:") for name in names if name.startswith("task:")]
            for view in await self._views([(task_id, "") for task_id in ids]):
                found += record_findings(view) if view.fields else ()
                found += place_findings(view) if is_readable(view) else ()
            for name in names:
                found += await self._check_named(name)
            progress(len(page))
        return found

    async def _check_named(self, name: str) -> list[Finding]:
        kind, _, rest = name.partition(":")
        if kind == "lane":
            return await self._check_index(name)
        if kind == "lanes":
            return await self._check_lanes(rest)
        if kind == "queue":
            return await self._check_queue(rest)
        if kind == "worker":
            return await self._check_worker(rest)
        if kind == "unique":
            return await self._check_unique(rest)
        if kind == "children":
            return await self._check_children(rest)
        return []

    async def _check_indexes(self) -> list[Finding]:
        return [finding for index in _INDEXES for finding in await self._check_index(index)]

    async def _check_index(self, index: str) -> list[Finding]:
        """Finds entries that the records know nothing of."""
        found: list[Finding] = []
        cursor = 0
        while True:
            entries: Any
            with translated():
                cursor, entries = await self._redis.zscan(keys.ROOT + index, cursor, count=PAGE)
            for view in await self._views([(raw.decode(errors="replace"), index) for raw, _ in entries]):
                if not view.fields or is_readable(view):
                    found += place_findings(view, index)
            if cursor == 0:
                return found

    async def _check_lanes(self, queue: str) -> list[Finding]:
        found = []
        with translated():
            names: Any = await self._redis.smembers(keys.lanes(queue))
        for name in [raw.decode(errors="replace") for raw in names]:
            listed, there = await self._together(
                ("SISMEMBER", keys.lanes(queue), name), ("EXISTS", keys.lane(queue, name))
            )
            if listed and not there:
                text = f"lanes:{queue} lists {name}, of which there is no lane"
                found.append(Finding(text, repair=Repair("mend_lane", {"queue": queue, "name": name})))
        return found

    async def _check_lists(self) -> list[Finding]:
        found: list[Finding] = []
        with translated():
            queues: Any = await self._redis.sunion([keys.QUEUES, keys.PAUSED])
            workers: Any = await self._redis.zrange(keys.WORKERS, 0, -1)
        for raw in queues:
            found += await self._check_queue(raw.decode(errors="replace"))
        for raw in workers:
            found += await self._check_worker(raw.decode(errors="replace"))
        return found

    async def _check_queue(self, queue: str) -> list[Finding]:
        there, is_paused, listed, listed_paused = await self._together(
            ("EXISTS", keys.queue(queue)), ("HEXISTS", keys.queue(queue), "paused"),
            ("SISMEMBER", keys.QUEUES, queue), ("SISMEMBER", keys.PAUSED, queue),
        )  # fmt: skip
        repair = Repair("mend_queue", {"queue": queue})
        found = []
        if bool(there) != bool(listed):
            found.append(
                Finding(f"queues {'lacks' if there else 'lists'} {queue}; its key says otherwise", repair=repair)
            )
        if bool(is_paused) != bool(listed_paused):
            words = "lacks" if is_paused else "lists"
            found.append(Finding(f"paused {words} {queue}; its key says otherwise", repair=repair))
        return found

    async def _check_worker(self, worker: str) -> list[Finding]:
        seen, listed = await self._together(("HGET", keys.worker(worker), "seen"), ("ZSCORE", keys.WORKERS, worker))
        if (seen is None) == (listed is None):
            return []
        words = "lacks" if listed is None else "lists"
        repair = Repair("mend_worker", {"worker": worker})
        return [Finding(f"workers {words} {worker}; its key says otherwise", repair=repair)]

    async def _check_children(self, parent: str) -> list[Finding]:
        with translated():
            state: Any = await self._redis.hget(keys.task(parent), "s")
        if state is not None and int(state) != State.TOMBSTONE:
            return []
        text = f"children:{parent} is left of a task that is gone"
        return [Finding(text, repair=Repair("mend_children", {"id": parent}))]

    async def _check_unique(self, key: str) -> list[Finding]:
        with translated():
            first: Any = await self._redis.get(keys.unique(key))
        holder, _, until = (first or b"").decode(errors="replace").rpartition(" ")
        value, (state, of_holder) = await self._together(
            ("GET", keys.unique(key)), ("HMGET", keys.task(holder), "s", "U")
        )
        if value is None or value != first or (until.isdigit() and until != "0"):
            return []
        is_over = state is None or State(int(state)) in TERMINAL | {State.TOMBSTONE}
        if until == "0" and not is_over and of_holder == key.encode():
            return []
        text = f"unique:{key} is held by task {holder}, which does not hold it"
        return [Finding(text, repair=Repair("mend_unique", {"key": key}))]
