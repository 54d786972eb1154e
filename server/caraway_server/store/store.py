"""The store: one method an atomic transition, over Redis or Valkey."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

import msgpack
from redis import exceptions
from redis.asyncio import Redis

from caraway_server.core.errors import StoreUnavailable
from caraway_server.core.task import Record, State
from caraway_server.store import keys
from caraway_server.store.checks.checker import Checker
from caraway_server.store.codec import record_from
from caraway_server.store.connection import StoreFacts, examine, translated
from caraway_server.store.listing import Listing
from caraway_server.store.operators import Operators
from caraway_server.store.replicas import Replicas
from caraway_server.store.scripts import SCRIPTS
from caraway_server.store.values import (
    NO_ERRORS,
    Cancel,
    DueChanged,
    Lease,
    LeaseWish,
    Limits,
    LossErrors,
    NewTask,
    Note,
    Pass,
    Renewed,
    Report,
    Reported,
    ReportKind,
    Submitted,
    TaskChanged,
    WorkArrived,
)

# Bounds how long one script holds the store (law 3): 2 to 6 ms on a quiet machine; 500 took 30 on a busy one.
MOST_IN_ONE_SCRIPT = 250
RENEW_IN_ONE_SCRIPT = 1000

WORKER_MEMORY = 3_600_000_000  # microseconds for which a silent worker is remembered

_ORDER = list(ReportKind)  # reports of one delivery are applied in this order
_END_STATES = {
    ReportKind.SUCCEEDED: (State.SUCCEEDED, "R"),
    ReportKind.FAILED: (State.FAILED, "E"),
    ReportKind.REJECTED: (State.REJECTED, "E"),
    ReportKind.CANCELLED: (State.REVOKED, "E"),
    ReportKind.IGNORED: (State.IGNORED, "R"),
}

Outcome = TypeVar("Outcome")


def notes_from(raw: Sequence[Sequence[Any]]) -> list[Note]:
    """Notes as scripts pack them."""
    notes: list[Note] = []
    for kind, *rest in raw:
        if kind == b"task":
            notes.append(_changed_from(rest[0].decode(), *rest[1:]))
        elif kind == b"work":
            notes.append(WorkArrived(rest[0].decode()))
        elif kind == b"cancel":
            notes.append(_cancel_from(rest[0].decode(), rest[1].decode(), rest[2:]))
        elif kind == b"due":
            notes.append(DueChanged())
    return notes


def _changed_from(task_id: str, state: int, revision: int, flat: Sequence[bytes] = ()) -> TaskChanged:
    record = record_from(task_id, dict(zip(flat[::2], flat[1::2], strict=True))) if flat else None
    return TaskChanged(task_id, State(state), revision, record)


def _cancel_from(task_id: str, fence: str, rest: Sequence[Any]) -> Cancel:
    mode, reason, grace, signal, *worker = rest
    worker_id = worker[0].decode() if worker else ""
    return Cancel(task_id, fence, mode.decode(), reason.decode(), grace, signal.decode(), worker_id)


class Store:
    """Every transition of every task. Safe to call from many coroutines of one event loop.

    Args:
        redis: the client; its owner closes it.
        gateway_id: names this gateway in notes.
        limits: what tasks are held to.
        on_notes: told of what concerns this gateway as soon as a transition returns.
        errors: under which lost deliveries end tasks.

    Attributes:
        listing: pages of tasks, and counts.
        operators: queues and workers.
        checker: whether every index agrees with the records.
        replicas: confirm what was done.
    """

    def __init__(
        self,
        redis: Redis,
        gateway_id: str,
        limits: Limits,
        on_notes: Callable[[list[Note]], None],
        errors: LossErrors = NO_ERRORS,
    ) -> None:
        self._redis = redis
        self._gateway_id = gateway_id
        self.limits = limits
        self._on_notes = on_notes
        self._errors = errors
        self.listing = Listing(redis)
        self.operators = Operators(redis, self._run)
        self.checker = Checker(redis, self._run)
        self.replicas = Replicas(redis, limits.wait_replicas)

    # -- submitting -----------------------------------------------------------------------------------------------

    async def submit(self, tasks: Sequence[NewTask], *, all_or_nothing: bool = False) -> list[Submitted]:
        """Accepts tasks, and answers for each. May be repeated.

        All or nothing is one script, however many tasks: the caller bounds them.
        """
        answers: list[Submitted] = []
        for part in _parts(tasks, len(tasks) if all_or_nothing else MOST_IN_ONE_SCRIPT):
            request = self._submit_request(part, all_or_nothing=all_or_nothing)
            answers.extend(_submitted_from(await self._run("submit", request, repeat=True)))
        return answers

    async def submit_and_lease(
        self, tasks: Sequence[NewTask], wish: LeaseWish
    ) -> tuple[list[Submitted], list[Lease], bool]:
        """submit() and lease() in one round trip and one write to disk, for a few tasks and a worker that waits.

        Returns:
            What submit() and what lease() return.
        """
        calls = [("submit", self._submit_request(tasks, all_or_nothing=False)), ("lease", self._lease_request(wish))]
        pipeline = self._redis.pipeline(transaction=False)
        for name, request in calls:
            packed = msgpack.packb(request, use_bin_type=False)
            pipeline.evalsha(SCRIPTS[name].digest, 1, keys.ROOT, self._gateway_id, packed)
        try:
            with translated():
                submitted, leased = await pipeline.execute(raise_on_error=False)
        except StoreUnavailable:  # a dead connection: what may be done twice is done again
            return await self.submit(tasks), [], True
        if isinstance(submitted, Exception) or isinstance(leased, Exception):  # a new or emptied store, for one
            return await self.submit(tasks), [], True
        raw_leases, more = self._take_answer(leased)
        return _submitted_from(self._take_answer(submitted)), _leases_from(raw_leases), more

    def _submit_request(self, tasks: Sequence[NewTask], *, all_or_nothing: bool) -> dict[str, Any]:
        items = [
            (
                new.task_id, new.fingerprint, new.spec, new.name, new.queue, new.priority,
                new.at, new.delay, new.until, new.ttl, new.result_ttl, new.watch, new.ignore_result,
                new.unique_key, new.unique_window, new.on_conflict, new.once,
            )
            for new in tasks
        ]  # fmt: skip
        return {
            "items": items,
            "max_length": self.limits.max_queue_length,
            "horizon": self.limits.horizon,
            "all_or_nothing": all_or_nothing,
            "result_ttl": self.limits.result_ttl,  # of those that are replaced
        }

    # -- reading --------------------------------------------------------------------------------------------------

    async def get(self, task_ids: Sequence[str]) -> list[Record | None]:
        """Reads tasks; None stands for one that there is not."""
        pipeline = self._redis.pipeline(transaction=False)
        for task_id in task_ids:
            pipeline.hgetall(keys.task(task_id))
        found = await self._repeated(pipeline.execute)
        return [record_from(task_id, fields) for task_id, fields in zip(task_ids, found, strict=True)]

    async def watch(self, task_id: str, after_revision: int = 0) -> Record | None:
        """Reads a task and has this gateway told (TaskChanged) of its changes, unless what is waited for is there."""
        raw = await self._run("watch", {"id": task_id, "after": after_revision}, repeat=True)
        return record_from(task_id, dict(zip(raw[::2], raw[1::2], strict=True)))

    async def now(self) -> int:
        """The store's clock, in microseconds."""
        with translated():
            (seconds, micros), offset = await asyncio.gather(self._redis.time(), self._redis.get(keys.CLOCK))
        return int(seconds) * 1_000_000 + int(micros) + int(offset or 0)

    async def facts(self) -> StoreFacts:
        """What the store says of itself now; raises StoreUnfit where it is not fit."""
        return self.replicas.judge(await examine(self._redis))

    # -- delivering -----------------------------------------------------------------------------------------------

    async def lease(
        self, worker_id: str, queues: Sequence[str], names: Sequence[str] | None, count: int, max_bytes: int
    ) -> tuple[list[Lease], bool]:
        """Hands at most `count` tasks of these queues and names (None: any) to a worker.

        Returns:
            The leases, and whether more may be there. Where not, a WorkArrived note follows when there is.
        """
        wish = LeaseWish(worker_id, queues, names, count, max_bytes)
        # Not repeated: a first try that did take leases would leave them to run out.
        raw, more = await self._run("lease", self._lease_request(wish))
        return _leases_from(raw), more

    def _lease_request(self, wish: LeaseWish) -> dict[str, Any]:
        return {
            "worker": wish.worker_id,
            "queues": wish.queues,
            "names": wish.names if wish.names is not None else False,
            "count": min(wish.count, MOST_IN_ONE_SCRIPT),
            "bytes": wish.max_bytes,
            "lease": self.limits.lease,
            "result_ttl": self.limits.result_ttl,
        }

    async def renew(self, held: Sequence[tuple[str, str]], worker_id: str = "") -> Renewed:
        """Extends leases, given as (task id, fence); notes that the worker, if one is named, was heard of."""
        renewed = Renewed()
        for part in _parts(held, RENEW_IN_ONE_SCRIPT) or [[]]:
            raw_lost, raw_cancels = await self._run(
                "renew", {"items": part, "lease": self.limits.lease, "worker": worker_id}, repeat=True
            )
            renewed.lost.extend(part[index - 1] for index in raw_lost)
            renewed.cancels.extend(
                _cancel_from(part[index - 1][0], part[index - 1][1], rest) for index, *rest in raw_cancels
            )
        return renewed

    async def report(self, reports: Sequence[Report]) -> list[Reported]:
        """Applies reports, each kind by its own script, and answers for each. May be repeated."""
        groups: dict[ReportKind, list[int]] = {}
        for index, report in enumerate(reports):
            groups.setdefault(report.kind, []).append(index)
        answers: list[Reported | None] = [None] * len(reports)
        for kind in sorted(groups, key=_ORDER.index):
            for part in _parts(groups[kind], MOST_IN_ONE_SCRIPT):
                script, request = self._report_request(kind, [reports[index] for index in part])
                raw = await self._run(script, request, repeat=True)
                for index, (word, state, cancel) in zip(part, raw, strict=True):
                    answers[index] = Reported(word.decode(), state, cancel)
        return cast("list[Reported]", answers)

    def _report_request(self, kind: ReportKind, reports: list[Report]) -> tuple[str, dict[str, Any]]:
        request: dict[str, Any] = {"kind": kind.value, "result_ttl": self.limits.result_ttl}
        items: list[tuple[Any, ...]] = [(r.task_id, r.fence, r.ran_for, r.blob) for r in reports]
        if kind in _END_STATES:
            request["state"], request["field"] = _END_STATES[kind]
            script = "finish"
        elif kind is ReportKind.STARTED:
            script = "start"
        elif kind is ReportKind.PROGRESS:
            script, items = "progress", [(r.task_id, r.fence, r.ran_for, r.custom_state, r.blob) for r in reports]
        elif kind is ReportKind.RETRY:
            script, items = "retry", [_retry_item(report) for report in reports]
        else:
            script, request["max_lost"] = "release", self.limits.max_lost
            request["lost_error"] = self._errors.lost
        request["items"] = items
        return script, request

    # -- ending ---------------------------------------------------------------------------------------------------

    async def revoke(
        self, task_ids: Sequence[str], mode: str, reason: str = "revoked", grace: int = 0, signal: str = ""
    ) -> list[str]:
        """Revokes tasks: `mode` p (only what has not started), c (tell it) or t (tell and kill).

        Returns:
            A word a task: revoked, cancel_requested, already_terminal, not_found.
        """
        answers: list[str] = []
        for part in _parts(task_ids, MOST_IN_ONE_SCRIPT):
            request = {
                "ids": part, "mode": mode, "reason": reason, "grace": grace, "signal": signal,
                "result_ttl": self.limits.result_ttl,
            }  # fmt: skip
            answers.extend(word.decode() for word in await self._run("revoke", request, repeat=True))
        return answers

    async def delete(self, task_ids: Sequence[str]) -> list[str]:
        """Forgets ended tasks.

        Returns:
            A word a task: deleted, not_terminal, not_found.
        """
        answers: list[str] = []
        for part in _parts(task_ids, MOST_IN_ONE_SCRIPT):
            request = {"ids": part, "window": self.limits.dedup_window}
            answers.extend(word.decode() for word in await self._run("delete", request, repeat=True))
        return answers

    async def requeue(self, task_ids: Sequence[str]) -> list[str]:
        """Sends tasks that ended without success back to their queues.

        Returns:
            A word a task: queued, not_retryable, not_found.
        """
        answers: list[str] = []
        for part in _parts(task_ids, MOST_IN_ONE_SCRIPT):
            answers.extend(word.decode() for word in await self._run("requeue", {"ids": part}))
        return answers

    async def purge(self, queue: str) -> tuple[int, bool]:
        """Revokes what is QUEUED in a queue, a bounded number at a time.

        Returns:
            How many, and whether there is more.
        """
        request = {"queue": queue, "limit": MOST_IN_ONE_SCRIPT, "result_ttl": self.limits.result_ttl}
        count, more = await self._run("purge", request)
        return count, more

    # -- duties ---------------------------------------------------------------------------------------------------

    async def promote(self, limit: int) -> Pass:
        """Makes due tasks ready."""
        return _pass(await self._run("promote", {"limit": limit, "result_ttl": self.limits.result_ttl}, repeat=True))

    async def expire(self, limit: int) -> Pass:
        """Ends waiting tasks whose time is over."""
        return _pass(await self._run("expire", {"limit": limit, "result_ttl": self.limits.result_ttl}, repeat=True))

    async def reap(self, limit: int) -> tuple[Pass, list[tuple[str, str]]]:
        """Takes back leases that ran out.

        Args:
            limit: leases at most.

        Returns:
            The pass, and the (task id, worker id) of what was taken back.
        """
        request = {
            "limit": limit, "gap": self.limits.reaper_gap, "lease": self.limits.lease,
            "result_ttl": self.limits.result_ttl, "max_lost": self.limits.max_lost,
            "error": self._errors.quarantined, "lost_error": self._errors.lost,
        }  # fmt: skip
        count, now, following, taken = await self._run("reap", request, repeat=True)
        return _pass((count, now, following)), [(task_id.decode(), worker.decode()) for task_id, worker in taken]

    async def check_room(self) -> None:
        """Raises the error that a new task would meet; changes nothing."""
        with translated():
            await self._redis.incrby(keys.SEQUENCE, 0)
        await self.replicas.confirm()

    async def prune(self, limit: int) -> Pass:
        """Deletes what was kept long enough."""
        return _pass(await self._run("prune", {"limit": limit, "window": self.limits.dedup_window}, repeat=True))

    async def forget_workers(self, limit: int) -> Pass:
        """Forgets workers that have not been heard of for long."""
        return _pass(await self._run("forget", {"limit": limit, "after": WORKER_MEMORY}, repeat=True))

    # -- calling --------------------------------------------------------------------------------------------------

    async def _run(self, name: str, request: dict[str, Any], *, repeat: bool = False) -> Any:
        """Runs a script, gives its notes on, and returns its answer."""
        script = SCRIPTS[name]
        packed = msgpack.packb(request, use_bin_type=False)  # the store knows the older format only

        async def call() -> bytes:
            arguments = (1, keys.ROOT, self._gateway_id, packed)
            try:
                raw = await self._redis.evalsha(script.digest, *arguments)
            except exceptions.NoScriptError:  # a new or emptied store
                raw = await self._redis.eval(script.text, *arguments)
            return cast(bytes, raw)

        if repeat:
            raw = await self._repeated(call)
        else:
            with translated():
                raw = await call()
        return self._take_answer(raw)

    def _take_answer(self, raw: bytes) -> Any:
        answer, notes = msgpack.unpackb(raw, raw=True, strict_map_key=False)
        if notes:
            self._on_notes(notes_from(notes))
        return answer

    async def _repeated(self, call: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Calls once more where the connection turns out to be dead; only for what may be done twice."""
        try:
            with translated():
                return await call()
        except StoreUnavailable:
            with translated():
                return await call()


def _submitted_from(raw: Sequence[Any]) -> list[Submitted]:
    return [
        Submitted(word.decode(), state, revision, created, due, holder.decode())
        for word, state, revision, created, due, holder in raw
    ]


def _leases_from(raw: Sequence[Any]) -> list[Lease]:
    return [
        Lease(task_id.decode(), fence.decode(), spec, retries, created, expires_in, deliveries, name.decode(),
              queue.decode(), priority)
        for task_id, fence, spec, retries, created, expires_in, deliveries, name, queue, priority in raw
    ]  # fmt: skip


def _retry_item(report: Report) -> tuple[Any, ...]:
    item = (report.task_id, report.fence, report.ran_for, report.blob, report.wait)
    new = report.override
    if new is None:
        return (*item, "", "", -1, 0, 0)
    return (*item, new.spec, new.queue, new.priority, new.until, new.ttl)


Part = TypeVar("Part")


def _parts(items: Sequence[Part], size: int) -> list[Sequence[Part]]:
    if len(items) <= size:
        return [items] if items else []
    return [items[start : start + size] for start in range(0, len(items), size)]


def _pass(raw: Sequence[int]) -> Pass:
    count, now, following = raw[:3]
    return Pass(count, max(0.0, (following - now) / 1e6) if following else None)
