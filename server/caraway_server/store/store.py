"""The store: one method an atomic transition, over Redis or Valkey."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from redis.asyncio import Redis

from caraway_server.core.task import Record
from caraway_server.store import keys
from caraway_server.store.checks.checker import Checker
from caraway_server.store.codec import record_from
from caraway_server.store.commands import Commands
from caraway_server.store.connection import StoreFacts, examine, translated
from caraway_server.store.culprits import Culprits
from caraway_server.store.inputs import Inputs
from caraway_server.store.listing import Listing
from caraway_server.store.notes import cancel_from
from caraway_server.store.observer import NOBODY, StoreObserver
from caraway_server.store.operators import Operators
from caraway_server.store.replicas import Replicas
from caraway_server.store.requests import (
    MOST_IN_ONE_SCRIPT,
    bounds,
    lease_request,
    leases_from,
    parts_of,
    pass_from,
    report_request,
    reported_from,
    submit_request,
    submitted_from,
)
from caraway_server.store.runner import Runner
from caraway_server.store.survey import Surveyor
from caraway_server.store.values import (
    NO_ERRORS,
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
)
from caraway_server.store.workflows import Workflows

RENEW_IN_ONE_SCRIPT = 1000

WORKER_MEMORY = 3_600_000_000  # microseconds for which a silent worker is remembered

_ORDER = list(ReportKind)  # reports of one delivery are applied in this order


class Store:
    """Every transition of every task. Safe to call from many coroutines of one event loop.

    Args:
        redis: the client; its owner closes it.
        gateway_id: names this gateway in notes.
        limits: what tasks are held to.
        on_notes: told of what concerns this gateway as soon as a transition returns.
        errors: under which lost deliveries end tasks.
        observer: told what is asked of the store and what comes of it.

    Attributes:
        listing: pages of tasks, and counts.
        surveyor: how full the queues are.
        operators: queues and workers.
        commands: what workers are told to do, and their replies.
        checker: whether every index agrees with the records.
        replicas: confirm what was done.
        workflows: every transition of every workflow.
        inputs: what nodes of workflows hand on.
    """

    def __init__(
        self,
        redis: Redis,
        gateway_id: str,
        limits: Limits,
        on_notes: Callable[[list[Note]], None],
        errors: LossErrors = NO_ERRORS,
        observer: StoreObserver = NOBODY,
    ) -> None:
        self._redis = redis
        self.limits = limits
        self._errors = errors
        self._observer = observer
        self._runner = Runner(redis, gateway_id, on_notes, observer)
        self._culprits = Culprits(self._runner)
        self.listing = Listing(redis, self._culprits)
        self.operators = Operators(redis, self._runner.run)
        self.surveyor = Surveyor(redis, self._runner.run)
        self.checker = Checker(redis, self._runner.run)
        self.commands = Commands(redis, gateway_id)
        self.replicas = Replicas(redis, limits.wait_replicas)
        self.workflows = Workflows(self._runner, self._culprits, lambda: self.limits, errors, observer)
        self.inputs = Inputs(self._runner, self._culprits)

    # -- submitting -----------------------------------------------------------------------------------------------

    async def submit(self, tasks: Sequence[NewTask], *, all_or_nothing: bool = False) -> list[Submitted]:
        """Accepts tasks, and answers for each. May be repeated.

        All or nothing is one script, however many tasks: the caller bounds them.
        """
        answers: list[Submitted] = []
        for part in parts_of(tasks, len(tasks) if all_or_nothing else MOST_IN_ONE_SCRIPT):
            request = submit_request(part, self.limits, all_or_nothing=all_or_nothing)
            answers.extend(submitted_from(await self._runner.run("submit", request, repeat=True)))
        self._observer.submitted(tasks, answers)
        return answers

    async def submit_and_lease(
        self, tasks: Sequence[NewTask], wish: LeaseWish
    ) -> tuple[list[Submitted], list[Lease], bool]:
        """submit() and lease() in one round trip and one write to disk, for a few tasks and a worker that waits.

        Returns:
            What submit() and what lease() return.
        """
        calls = [("submit", submit_request(tasks, self.limits)), ("lease", lease_request(wish, self.limits))]
        answers = await self._runner.run_together(calls)
        if answers is None:  # what may be done twice is done again
            return await self.submit(tasks), [], True
        submitted, (raw, more) = answers
        accepted, leases = submitted_from(submitted), leases_from(raw)
        self._observer.submitted(tasks, accepted)
        self._observer.leased(leases)
        return accepted, await self._with_inputs(leases), more

    # -- reading --------------------------------------------------------------------------------------------------

    async def get(self, task_ids: Sequence[str]) -> list[Record | None]:
        """Reads tasks; None stands for one that there is not."""
        found = await self._runner.read([("HGETALL", keys.task(task_id)) for task_id in task_ids])
        records = [record_from(task_id, fields) for task_id, fields in zip(task_ids, found, strict=True)]
        return await self._culprits.added_to(records)

    async def watch(self, task_id: str, after_revision: int = 0) -> Record | None:
        """Reads a task and has this gateway told (TaskChanged) of its changes, unless what is waited for is there."""
        raw = await self._runner.run("watch", {"id": task_id, "after": after_revision}, repeat=True)
        record = record_from(task_id, dict(zip(raw[::2], raw[1::2], strict=True)))
        return (await self._culprits.added_to([record]))[0]

    async def explained(self, record: Record) -> Record:
        """A record that came with a note; where it failed because of another task, with that task's."""
        explained = (await self._culprits.added_to([record]))[0]
        return explained or record

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
        raw, more = await self._runner.run("lease", lease_request(wish, self.limits))
        leases = leases_from(raw)
        self._observer.leased(leases)
        return await self._with_inputs(leases), more

    async def _with_inputs(self, leases: list[Lease]) -> list[Lease]:
        return await self.inputs.added_to(leases) if any(lease.inputs for lease in leases) else leases

    async def renew(self, held: Sequence[tuple[str, str]], worker_id: str = "") -> Renewed:
        """Extends leases, given as (task id, fence); notes that the worker, if one is named, was heard of."""
        renewed = Renewed()
        for part in parts_of(held, RENEW_IN_ONE_SCRIPT) or [[]]:
            raw_lost, raw_cancels = await self._runner.run(
                "renew", {"items": part, "lease": self.limits.lease, "worker": worker_id}, repeat=True
            )
            renewed.lost.extend(part[index - 1] for index in raw_lost)
            renewed.cancels.extend(
                cancel_from(part[index - 1][0], part[index - 1][1], rest) for index, *rest in raw_cancels
            )
        return renewed

    async def report(self, reports: Sequence[Report]) -> list[Reported]:
        """Applies reports, each kind by its own script, and answers for each. May be repeated."""
        groups: dict[tuple[ReportKind, bool], list[int]] = {}
        for index, report in enumerate(reports):
            groups.setdefault((report.kind, bool(report.parts)), []).append(index)
        answers: list[Reported | None] = [None] * len(reports)
        for kind, with_nodes in sorted(groups, key=lambda group: _ORDER.index(group[0])):
            for part in parts_of(groups[kind, with_nodes], MOST_IN_ONE_SCRIPT):
                script, request = report_request(kind, [reports[index] for index in part], self.limits, self._errors)
                raw = await self._runner.run(script, request, repeat=True)
                for index, answer in zip(part, raw, strict=True):
                    answers[index] = reported_from(answer)
        applied = cast("list[Reported]", answers)
        self._observer.reported(reports, applied)
        return applied

    # -- ending ---------------------------------------------------------------------------------------------------

    async def revoke(
        self, task_ids: Sequence[str], mode: str, reason: str = "revoked", grace: int = 0, signal: str = ""
    ) -> list[str]:
        """Revokes tasks: `mode` p (only what has not started), c (tell it) or t (tell and kill).

        Returns:
            A word a task: revoked, cancel_requested, already_terminal, not_found.
        """
        answers: list[str] = []
        for part in parts_of(task_ids, MOST_IN_ONE_SCRIPT):
            request = {
                "ids": part, "mode": mode, "reason": reason, "grace": grace, "signal": signal,
                "result_ttl": self.limits.result_ttl,
            }  # fmt: skip
            answers.extend(word.decode() for word in await self._runner.run("revoke", request, repeat=True))
        return answers

    async def delete(self, task_ids: Sequence[str]) -> list[str]:
        """Forgets ended tasks.

        Returns:
            A word a task: deleted, not_terminal, needed (by its workflow), not_found.
        """
        answers: list[str] = []
        for part in parts_of(task_ids, MOST_IN_ONE_SCRIPT):
            request = {"ids": part, "window": self.limits.dedup_window}
            answers.extend(word.decode() for word in await self._runner.run("delete", request, repeat=True))
        return answers

    async def requeue(self, task_ids: Sequence[str]) -> list[str]:
        """Sends tasks that ended without success back to their queues.

        Returns:
            A word a task: queued, not_retryable, not_found.
        """
        answers: list[str] = []
        for part in parts_of(task_ids, MOST_IN_ONE_SCRIPT):
            answers.extend(word.decode() for word in await self._runner.run("requeue", {"ids": part}))
        return answers

    async def purge(self, queue: str) -> tuple[int, bool]:
        """Revokes what is QUEUED in a queue, a bounded number at a time.

        Returns:
            How many, and whether there is more.
        """
        request = {"queue": queue, **bounds(MOST_IN_ONE_SCRIPT, self.limits)}
        count, more = await self._runner.run("purge", request)
        return count, more

    # -- duties ---------------------------------------------------------------------------------------------------

    async def promote(self, limit: int) -> Pass:
        """Makes due tasks ready."""
        return pass_from(await self._runner.run("promote", bounds(limit, self.limits), repeat=True))

    async def expire(self, limit: int) -> Pass:
        """Ends waiting tasks whose time is over."""
        return pass_from(await self._runner.run("expire", bounds(limit, self.limits), repeat=True))

    async def reap(self, limit: int) -> tuple[Pass, list[tuple[str, str]]]:
        """Takes back leases that ran out.

        Args:
            limit: leases at most.

        Returns:
            The pass, and the (task id, worker id) of what was taken back.
        """
        request = {
            **bounds(limit, self.limits), "gap": self.limits.reaper_gap, "lease": self.limits.lease,
            "max_lost": self.limits.max_lost, "error": self._errors.quarantined, "lost_error": self._errors.lost,
        }  # fmt: skip
        count, now, following, taken = await self._runner.run("reap", request, repeat=True)
        self._observer.taken_back(len(taken))
        return pass_from((count, now, following)), [(task_id.decode(), worker.decode()) for task_id, worker in taken]

    async def check_room(self) -> None:
        """Raises the error that a new task would meet; changes nothing."""
        with translated():
            await self._redis.incrby(keys.SEQUENCE, 0)
        await self.replicas.confirm()

    async def prune(self, limit: int) -> Pass:
        """Deletes what was kept long enough."""
        request = {**bounds(limit, self.limits), "window": self.limits.dedup_window}
        return pass_from(await self._runner.run("prune", request, repeat=True))

    async def forget_workers(self, limit: int) -> Pass:
        """Forgets workers that have not been heard of for long."""
        return pass_from(await self._runner.run("forget", {"limit": limit, "after": WORKER_MEMORY}, repeat=True))
