"""Workflows as store tests make and run them."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from caraway_server.core.task import State
from caraway_server.core.workflow import On, WorkflowRecord
from caraway_server.store.batches import MOST_IN_ONE_BATCH, NewEdge, NewNode, parts_of_nodes
from caraway_server.store.values import Lease, Report, Reported, ReportKind
from caraway_server.store.workflows import Accepted, Appended, NewWorkflow
from store.kit import Kit, micros

FIRST_ARG, LIST, KWARG = 1, 2, 3
Ends = Callable[[Lease], tuple[ReportKind, bytes]]


def edge(source: str, on: On = On.SUCCESS, passing: int = 0, kwarg: str = "") -> NewEdge:
    """An edge from a node."""
    return NewEdge(source, on, passing, kwarg)


def edges(after: Sequence[str | NewEdge]) -> list[NewEdge]:
    """Edges; a name alone is a success edge that passes nothing."""
    return [edge(source) if isinstance(source, str) else source for source in after]


class Flows:
    """What workflows a test has, on its kit's store."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.store = kit.store
        self.workflows = kit.store.workflows

    def task(self, node_id: str, *after: str | NewEdge, replaces: str = "", **fields: Any) -> NewNode:
        """A node that is a task."""
        return NewNode(node_id, edges(after), self.kit.new(node_id, **fields), replaces=replaces)

    def collect(self, node_id: str, *after: str | NewEdge, **fields: Any) -> NewNode:
        """A node that collects."""
        return NewNode(node_id, edges(after), fingerprint=b"collect", **fields)

    def chain(self, *ids: str) -> list[NewNode]:
        """Each after the one before, whose value it takes."""
        nodes = [self.task(ids[0])]
        for before, node_id in pairwise(ids):
            nodes.append(self.task(node_id, edge(before, passing=FIRST_ARG)))
        return nodes

    def chord(self, body: str, *header: str) -> list[NewNode]:
        """Tasks, a collect "all", and a task that takes the list."""
        return [
            *(self.task(node_id) for node_id in header), self.collect("all", *header),
            self.task(body, edge("all", passing=FIRST_ARG)),
        ]  # fmt: skip

    # -- growing --------------------------------------------------------------------------------------------------

    async def take(self, nodes: Sequence[NewNode], workflow_id: str = "w", **fields: Any) -> Accepted:
        """Submits a workflow, however it ends."""
        fields.setdefault("fingerprint", b"flow")
        return await self.workflows.submit(NewWorkflow(workflow_id, nodes=nodes, **fields))

    async def submit(self, nodes: Sequence[NewNode], workflow_id: str = "w", **fields: Any) -> WorkflowRecord:
        """Submits a workflow that must be taken."""
        accepted = await self.take(nodes, workflow_id, **fields)
        assert accepted.word == "created", accepted
        assert accepted.record is not None
        return accepted.record

    async def open(self, nodes: Sequence[NewNode] = (), workflow_id: str = "w", lease: float = 60) -> WorkflowRecord:
        """Submits the first part of an open workflow."""
        return await self.submit(nodes, workflow_id, lease=micros(lease))

    async def append(self, part: int, *nodes: NewNode, workflow_id: str = "w") -> Appended:
        """Adds a part."""
        return await self.workflows.append(workflow_id, part, nodes)

    # -- running --------------------------------------------------------------------------------------------------

    async def advance(self, *, limit: int = MOST_IN_ONE_BATCH) -> int:
        """Has the relay work until nothing is left; returns how many passes that took."""
        passes = 0
        while (await self.workflows.advance(limit=limit)).next_in == 0.0:
            passes += 1
            assert passes < 10_000, "the relay does not come to an end"
        return passes + 1

    async def end(
        self, node_id: str, kind: ReportKind = ReportKind.SUCCEEDED, blob: bytes = b"", *, relay: bool = True
    ) -> None:
        """Leases what there is until this task is among it, and ends that; all else is handed back."""
        leases = await self.kit.lease()
        by_id = {lease.task_id: lease for lease in leases}
        assert node_id in by_id, f"{node_id} can't be leased: {sorted(by_id)}"
        for lease in leases:
            if lease.task_id != node_id:
                await self.kit.report(ReportKind.RELEASED, lease)
        await self.kit.report(kind, by_id[node_id], blob=blob)
        if relay:
            await self.advance()

    async def run(self, ends: Ends = lambda lease: (ReportKind.SUCCEEDED, lease.task_id.encode())) -> list[str]:
        """Runs all that can run, until nothing can; returns the tasks in the order in which they ran."""
        ran = []
        while True:
            await self.advance()
            leases = await self.kit.lease(100)
            if not leases:
                return ran
            for lease in leases:
                kind, blob = ends(lease)
                assert (await self.kit.report(kind, lease, blob=blob)).word == "ok"
                ran.append(lease.task_id)

    async def grow(
        self, lease: Lease, *nodes: NewNode, output: str = "", blob: bytes = b"", depth: int = 0
    ) -> Reported:
        """Ends a task with new nodes: replaced by them where there is an output, else succeeded."""
        kind = ReportKind.REPLACED if output else ReportKind.SUCCEEDED
        count = sum(not node.extends for node in nodes)
        report = Report(
            kind, lease.task_id, lease.fence, blob=blob, parts=parts_of_nodes(nodes, depth), node_count=count,
            output=output,
        )  # fmt: skip
        return (await self.store.report([report]))[0]

    # -- looking --------------------------------------------------------------------------------------------------

    async def record(self, workflow_id: str = "w") -> WorkflowRecord:
        """A workflow that must be there."""
        record = await self.workflows.get(workflow_id)
        assert record is not None
        return record

    async def states(self, *ids: str) -> list[State | None]:
        """Where nodes stand."""
        return [await self.kit.state(node_id) for node_id in ids]


def failing(*ids: str, kind: ReportKind = ReportKind.FAILED) -> Ends:
    """These fail, all others succeed."""
    return lambda lease: (kind, b"broken") if lease.task_id in ids else (ReportKind.SUCCEEDED, lease.task_id.encode())
