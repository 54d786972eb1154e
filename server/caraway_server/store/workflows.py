"""Workflows in the store: accepted, grown, advanced, ended, read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from caraway_server.core.task import Record
from caraway_server.core.workflow import WorkflowRecord
from caraway_server.store import keys
from caraway_server.store.batches import (
    MOST_IN_ONE_BATCH,
    Item,
    NewNode,
    batches_of,
    latest_in,
    parts_of_nodes,
    waiting_in,
)
from caraway_server.store.codec import workflow_from
from caraway_server.store.culprits import Culprits
from caraway_server.store.observer import StoreObserver
from caraway_server.store.requests import bounds, pass_from
from caraway_server.store.runner import Runner
from caraway_server.store.values import Limits, LossErrors, Pass


@dataclass(frozen=True, slots=True)
class NewWorkflow:
    """A workflow to be accepted. `lease` is its producer's (microseconds), 0 where it is whole."""

    workflow_id: str
    fingerprint: bytes
    nodes: Sequence[NewNode]
    name: str = ""
    ttl: int = 0
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Accepted:
    """How a workflow was taken.

    `word` is created, known, deleted, conflict, too_far, queue_full (`about` the queue), taken or unknown (`about` the
    node).
    """

    word: str
    about: str
    record: WorkflowRecord | None


@dataclass(frozen=True, slots=True)
class Appended:
    """How a piece of a part was taken.

    `word` is made, known, not_found, not_open, missing, busy, full, too_far, queue_full, taken, unknown or closed.
    """

    word: str
    about: str
    last_part: int


class Workflows:
    """Every transition of every workflow.

    Args:
        runner: runs the scripts, and reads.
        culprits: adds the tasks because of which others failed.
        limits: what tasks are held to, at the moment.
        errors: under which workflows end whose producers vanish.
        observer: told of the nodes that are handed in.
    """

    def __init__(
        self,
        runner: Runner,
        culprits: Culprits,
        limits: Callable[[], Limits],
        errors: LossErrors,
        observer: StoreObserver,
    ) -> None:
        self._runner = runner
        self._culprits = culprits
        self._limits = limits
        self._errors = errors
        self._observer = observer

    # -- growing --------------------------------------------------------------------------------------------------

    async def submit(self, new: NewWorkflow) -> Accepted:
        """Accepts a workflow in one write. The nodes of a large one are made by advance()."""
        batches = batches_of(new.nodes)
        small = len(batches) <= 1
        request = {
            "id": new.workflow_id, "fingerprint": new.fingerprint, "name": new.name, "ttl": new.ttl, "lease": new.lease,
            "waiting": waiting_in(new.nodes), "max_length": self._limits().max_queue_length,
            "latest": latest_in(new.nodes), "horizon": self._limits().horizon,
            "count": _count(new.nodes), "items": batches[0] if batches and small else [],
            "parts": [] if small else parts_of_nodes(new.nodes), "result_ttl": self._limits().result_ttl,
        }  # fmt: skip
        word, about, raw = await self._runner.run("workflow_submit", request, repeat=True)
        accepted = Accepted(word.decode(), about.decode(), _record(new.workflow_id, raw))
        self._observer.joined(new.nodes, accepted.word)
        return accepted

    async def append(self, workflow_id: str, part: int, nodes: Sequence[NewNode]) -> Appended:
        """Makes the nodes of a part, piece by piece; without nodes it renews the producer's lease alone."""
        batches = batches_of(nodes) if part > 0 else []
        if part > 0 and not batches:
            batches = [[]]
        if not batches:
            return await self._append(workflow_id, 0, 1, [], [], last=True)
        counted = list(nodes)
        for piece, items in enumerate(batches, 1):
            here = {item[1] for item in items if item[0] in ("task", "collect")}
            made = [node for node in counted if node.node_id in here]
            answer = await self._append(workflow_id, part, piece, items, made, last=piece == len(batches))
            if answer.word not in ("made", "known"):
                break
        return answer

    async def _append(
        self, workflow_id: str, part: int, piece: int, items: list[Item], nodes: Sequence[NewNode], *, last: bool
    ) -> Appended:
        limits = self._limits()
        request = {
            "id": workflow_id, "part": part, "piece": piece, "last": last, "items": items, "count": len(nodes),
            "most": limits.max_workflow_nodes, "waiting": waiting_in(nodes), "max_length": limits.max_queue_length,
            "latest": latest_in(nodes), "horizon": limits.horizon, "result_ttl": limits.result_ttl,
        }  # fmt: skip
        word, about, last_part = await self._runner.run("workflow_append", request, repeat=True)
        appended = Appended(word.decode(), about.decode(), last_part)
        self._observer.joined(nodes, appended.word)
        return appended

    async def seal(self, workflow_id: str, error: bytes = b"", reason: str = "") -> WorkflowRecord | None:
        """Ends the parts of a workflow; with an error (a message of the contract) it is given up."""
        request = {"id": workflow_id, "error": error, "reason": reason, "result_ttl": self._limits().result_ttl}
        return _record(workflow_id, await self._runner.run("workflow_seal", request, repeat=True))

    async def cancel(
        self, workflow_id: str, mode: str, reason: str, grace: int = 0, signal: str = ""
    ) -> WorkflowRecord | None:
        """Has all nodes revoked; `mode` as Store.revoke()."""
        request = {
            "id": workflow_id, "mode": mode, "reason": reason, "grace": grace, "signal": signal,
            "result_ttl": self._limits().result_ttl,
        }  # fmt: skip
        return _record(workflow_id, await self._runner.run("workflow_cancel", request, repeat=True))

    async def retry(self, workflow_id: str) -> tuple[str, WorkflowRecord | None]:
        """Runs again what failed.

        Returns:
            A word (retried, unchanged, given_up, incomplete, not_found) and the workflow.
        """
        request = {"id": workflow_id, "result_ttl": self._limits().result_ttl}
        word, raw = await self._runner.run("workflow_retry", request, repeat=True)
        return word.decode(), _record(workflow_id, raw)

    # -- advancing ------------------------------------------------------------------------------------------------

    async def advance(self, workflow_id: str = "", limit: int = MOST_IN_ONE_BATCH) -> Pass:
        """Does a bounded amount of what is next in a workflow, or in those that wait longest."""
        request = {"workflow": workflow_id, "lapsed": self._errors.lapsed, **bounds(limit, self._limits())}
        return pass_from(await self._runner.run("relay", request, repeat=True))

    async def prune(self, limit: int) -> Pass:
        """Deletes what was kept long enough."""
        request = {**bounds(limit, self._limits()), "window": self._limits().dedup_window}
        return pass_from(await self._runner.run("workflow_prune", request, repeat=True))

    # -- reading --------------------------------------------------------------------------------------------------

    async def get(self, workflow_id: str) -> WorkflowRecord | None:
        """Reads a workflow."""
        return (await self._read([workflow_id]))[0]

    async def watch(self, workflow_id: str, after_revision: int = 0) -> WorkflowRecord | None:
        """Reads a workflow and has this gateway told (WorkflowChanged), unless what is waited for is there."""
        raw = await self._runner.run("workflow_watch", {"id": workflow_id, "after": after_revision}, repeat=True)
        return (await self._explained([_record(workflow_id, raw)]))[0]

    async def page(self, offset: int, count: int) -> tuple[list[WorkflowRecord], int]:
        """Workflows, the newest first, and how many ids were read."""

        [raw] = await self._runner.read([("ZREVRANGE", keys.WORKFLOWS, str(offset), str(offset + count - 1))])
        ids = [name.decode() for name in raw]
        return [record for record in await self._read(ids) if record is not None], len(ids)

    async def node_ids(self, workflow_id: str, offset: int, count: int) -> list[str]:
        """Ids of nodes, in the order in which they were made."""
        return await self._range(keys.nodes(workflow_id), offset, count)

    async def member_ids(self, collect_id: str, offset: int, count: int) -> list[str]:
        """Ids of what a collect collects, in the order of its edges."""
        return [entry[1:] for entry in await self._range(keys.members(collect_id), offset, count)]

    async def are_nodes(self, workflow_id: str, ids: Sequence[str]) -> list[bool]:
        """Whether these are nodes of the workflow."""
        owners = await self._runner.read([("HGET", keys.task(node_id), "F") for node_id in ids])
        return [owner == workflow_id.encode() for owner in owners]

    async def _range(self, key: str, offset: int, count: int) -> list[str]:
        [raw] = await self._runner.read([("LRANGE", key, str(offset), str(offset + count - 1))])
        return [entry.decode() for entry in raw]

    async def _read(self, workflow_ids: Sequence[str]) -> list[WorkflowRecord | None]:
        rows = await self._runner.read([("HGETALL", keys.workflow(workflow_id)) for workflow_id in workflow_ids])
        return await self._explained([workflow_from(*pair) for pair in zip(workflow_ids, rows, strict=True)])

    async def _explained(self, records: Sequence[WorkflowRecord | None]) -> list[WorkflowRecord | None]:
        """The records; those that failed with the record of the task that failed first."""
        names = sorted({record.blame for record in records if record is not None and record.blame})
        culprits: dict[str, Record] = await self._culprits.read(names) if names else {}
        return [record and replace(record, culprit=culprits.get(record.blame)) for record in records]


def _count(nodes: Sequence[NewNode]) -> int:
    return sum(not node.extends for node in nodes)


def _record(workflow_id: str, raw: Sequence[bytes]) -> WorkflowRecord | None:
    return workflow_from(workflow_id, dict(zip(raw[::2], raw[1::2], strict=True)))
