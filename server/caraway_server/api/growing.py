"""Reports that come with nodes: added to the task's workflow, or in its place."""

from collections.abc import Sequence
from dataclasses import dataclass

from caraway.v1 import task_pb2, workflow_pb2
from caraway_server.api.convert import node_id_of
from caraway_server.api.graph import GraphReader, full, known_nodes, too_far, unsound
from caraway_server.core.errors import CarawayServerError, Refused
from caraway_server.core.task import Record
from caraway_server.store.batches import latest_in, parts_of_nodes
from caraway_server.store.store import Store
from caraway_server.store.values import Report, ReportKind

DEEPEST = 1000  # replacements in one another


@dataclass(frozen=True, slots=True)
class Grown:
    """A report before its nodes are checked against the workflow that they come to."""

    report: Report
    nodes: Sequence[workflow_pb2.WorkflowNode]
    output: str = ""


class Grower:
    """Checks nodes that running tasks add.

    Args:
        store: where their workflows are.
        max_payload_bytes: largest arguments of a task.
    """

    def __init__(self, store: Store, max_payload_bytes: int) -> None:
        self._store = store
        self._max_payload_bytes = max_payload_bytes

    async def checked(self, grown: Grown, record: Record) -> Report | CarawayServerError:
        """The report with its nodes as the store takes them; a refusal where they are not sound."""
        depth = record.depth + (grown.report.kind is ReportKind.REPLACED)
        if depth > DEEPEST:
            return _too_deep(grown.report)
        try:
            return await self._report(grown, record, depth)
        except Refused as refusal:
            return refusal

    async def _report(self, grown: Grown, record: Record, depth: int) -> Report:
        workflow_id = record.workflow or f"of.{record.task_id}"
        extended = await self._collects(workflow_id, grown.nodes)
        known = dict(extended)
        if grown.report.kind is ReportKind.SUCCEEDED:
            known[node_id_of(workflow_id, record.task_id)] = record.task_id
        for node in grown.nodes:
            if bad := next((edge.node_id for edge in node.after if edge.node_id in extended), None):
                raise unsound(node.node_id, f"comes after {bad!r}; what a task adds comes after what else it adds")
        for node in grown.nodes:
            if node.HasField("collect"):
                node.collect.open = False  # all that is added comes with this report
        reader = GraphReader(
            workflow_id, self._max_payload_bytes, known=known, extended=extended, replaced=record.task_id,
            output=grown.output,
        )  # fmt: skip
        nodes = reader.read(grown.nodes)
        output = next((node.node_id for node in nodes if node.replaces), "")
        if grown.output and not output:
            raise unsound(grown.output, "is no task among the nodes; output_node_id names the one whose outcome counts")
        latest = latest_in(nodes)
        if latest and latest > await self._store.now() + self._store.limits.horizon:
            raise too_far()
        count = sum(not node.extends for node in nodes)
        await self._check_room(workflow_id, count)
        return grown.report._replace(parts=parts_of_nodes(nodes, depth), node_count=count, output=output)

    async def _collects(self, workflow_id: str, nodes: Sequence[workflow_pb2.WorkflowNode]) -> dict[str, str]:
        """The collects among the nodes that are in the workflow already."""
        candidates = [node.node_id for node in nodes if node.HasField("collect")]
        return await known_nodes(self._store, workflow_id, candidates)

    async def _check_room(self, workflow_id: str, count: int) -> None:
        most = self._store.limits.max_workflow_nodes
        workflow = await self._store.workflows.get(workflow_id)
        if (workflow.accepted if workflow is not None else 1) + count > most:
            raise full(workflow_id, most)


def _too_deep(report: Report) -> Report:
    error = task_pb2.TaskError(
        kind=task_pb2.TaskError.KIND_APPLICATION, type="caraway.exceptions.WorkflowStateError", non_retryable=True,
        message=f"replacements stand in one another more than {DEEPEST} deep",
    )  # fmt: skip
    return Report(ReportKind.FAILED, report.task_id, report.fence, report.ran_for, error.SerializeToString())
