"""Graphs as callers write them: checked, and made what the store takes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from caraway.v1 import workflow_pb2
from caraway_server.api.new_task import new_task
from caraway_server.api.validate import LONGEST_NAME, check_id
from caraway_server.core.errors import Refused
from caraway_server.core.workflow import CycleError, On, in_order
from caraway_server.store.batches import MOST_EDGES_OF_A_TASK, NewEdge, NewNode
from caraway_server.store.store import Store

Node = workflow_pb2.WorkflowNode
Edge = Node.Edge

_ONS = frozenset(Edge.On.values())
_PASSES = frozenset(Edge.Pass.values())
_INTO_COLLECTS = frozenset({On.SUCCESS, On.TERMINAL})


def unsound(node_id: str, problem: str) -> Refused:
    """A graph that makes no sense, and where."""
    return Refused("INVALID_WORKFLOW", f"node {node_id!r} {problem}", node_id=node_id)


def full(workflow_id: str, most: int) -> Refused:
    """The workflow has as many nodes as it may."""
    return Refused(
        "WORKFLOW_FULL", f"workflow {workflow_id!r} has as many nodes as it may, {most}; begin another one",
        workflow_id=workflow_id, max_nodes=most,
    )  # fmt: skip


def too_far() -> Refused:
    """A node names an instant that is too far ahead."""
    field = "nodes.task.schedule_time"
    return Refused("INVALID_FIELD", f"{field}, or an expire_time, lies more than 10 years ahead", field=field)


async def known_nodes(store: Store, workflow_id: str, node_ids: Sequence[str]) -> dict[str, str]:
    """Those that are nodes of the workflow already: task ids by node id."""
    candidates = [(node_id, task_id) for node_id in node_ids for task_id in (node_id, f"{workflow_id}.{node_id}")]
    if not candidates:
        return {}
    found = await store.workflows.are_nodes(workflow_id, [task_id for _, task_id in candidates])
    return {node_id: task_id for (node_id, task_id), there in zip(candidates, found, strict=True) if there}


def task_id_of(workflow_id: str, node: Node) -> str:
    """The id of a node's task.

    Raises:
        Refused: it is not one of the two that it may be.
    """
    check_id("nodes.node_id", node.node_id)
    kind = node.WhichOneof("kind")
    if kind is None:
        raise unsound(node.node_id, "is neither a task nor a collect")
    given = node.task.task_id if kind == "task" else node.collect.task_id
    if given and given != node.node_id:
        raise unsound(node.node_id, f"has the task_id {given!r}; leave it empty, or let node_id be the same")
    made = given or f"{workflow_id}.{node.node_id}"
    if len(made) > LONGEST_NAME:
        raise unsound(node.node_id, f"has the task_id {made!r}, longer than {LONGEST_NAME} characters; shorten its ids")
    return made


class GraphReader:
    """Reads the nodes of one workflow, or of a part of it.

    Args:
        workflow_id: whose.
        max_payload_bytes: largest arguments of a task.
        known: nodes that are there already and that edges may name: task ids by node id.
        extended: those of them that are collects and may be named again, with further edges.
        replaced: the task that takes the outcome of the node `output`.
        output: that node's id.
    """

    def __init__(
        self, workflow_id: str, max_payload_bytes: int, *, known: Mapping[str, str] | None = None,
        extended: Iterable[str] = (), replaced: str = "", output: str = "",
    ) -> None:  # fmt: skip
        self._workflow_id = workflow_id
        self._max_payload_bytes = max_payload_bytes
        self._known = dict(known or {})
        self._extended = frozenset(extended)
        self._replaced = replaced
        self._output = output

    def read(self, nodes: Sequence[Node]) -> list[NewNode]:
        """The nodes, none before one that it comes after. Their specs are changed in place.

        Raises:
            Refused: the graph is not sound, or a task is not.
        """
        ids: dict[str, str] = {}
        for node in nodes:
            if node.node_id in ids:
                raise unsound(node.node_id, "stands there twice")
            named_again = node.node_id in self._extended and node.HasField("collect")
            if node.node_id in self._known and not named_again:
                raise unsound(node.node_id, "is in the workflow already")
            ids[node.node_id] = self._known[node.node_id] if named_again else task_id_of(self._workflow_id, node)
        names = {**self._known, **ids}
        for node in nodes:
            self._check_edges(node, names)
        try:
            order = in_order({node.node_id: [edge.node_id for edge in node.after] for node in nodes})
        except CycleError as error:
            raise unsound(error.node, "comes after itself, or after a node that does") from error
        by_id = {node.node_id: node for node in nodes}
        return [self._new_node(by_id[node_id], names) for node_id in order]

    def _check_edges(self, node: Node, names: Mapping[str, str]) -> None:
        is_task = node.HasField("task")
        if is_task and len(node.after) > MOST_EDGES_OF_A_TASK:
            raise unsound(
                node.node_id,
                f"has {len(node.after)} edges; a task has at most {MOST_EDGES_OF_A_TASK}. Collect them first",
            )
        for edge in node.after:
            if edge.node_id not in names:
                raise unsound(node.node_id, f"comes after {edge.node_id!r}, which is no node of this workflow")
            if edge.on not in _ONS or edge.pass_as not in _PASSES:
                raise unsound(node.node_id, f"has an edge from {edge.node_id!r} of a kind that is not known")
            if is_task:
                if bool(edge.kwarg) != (edge.pass_as == Edge.PASS_KWARG):
                    raise unsound(node.node_id, "has an edge with PASS_KWARG and no kwarg, or the reverse")
            elif edge.pass_as or edge.kwarg or _on(edge) not in _INTO_COLLECTS:
                raise unsound(node.node_id, "is a collect: its edges are ON_SUCCESS or ON_TERMINAL, and pass nothing")

    def _new_node(self, node: Node, names: Mapping[str, str]) -> NewNode:
        node_id = names[node.node_id]
        edges = [NewEdge(names[edge.node_id], _on(edge), edge.pass_as, edge.kwarg) for edge in node.after]
        if not node.HasField("task"):
            extends = node.node_id in self._extended
            return NewNode(node_id, edges, fingerprint=b"collect", open=node.collect.open, extends=extends)
        if node.task.HasField("uniqueness"):
            raise unsound(node.node_id, "has a uniqueness; nodes of workflows take none")
        node.task.task_id = node_id
        try:
            task = new_task(node.task, self._max_payload_bytes)
        except Refused as error:
            raise Refused(
                error.reason, f"node {node.node_id!r}: {error.message}", **error.metadata, node_id=node.node_id
            ) from error
        replaces = self._replaced if node.node_id == self._output else ""
        return NewNode(node_id, edges, task, replaces=replaces)


def fingerprint_of(spec: workflow_pb2.WorkflowSpec, nodes: Sequence[NewNode], *, is_open: bool) -> bytes:
    """What tells a repeated submit from another workflow of the same id."""
    digest = hashlib.blake2b(digest_size=8)
    head = workflow_pb2.WorkflowSpec(workflow_id=spec.workflow_id, name=spec.name, result_ttl=spec.result_ttl)
    digest.update(head.SerializeToString(deterministic=True) + bytes([is_open]))
    for node in nodes:
        print_of_kind = node.task.fingerprint if node.task is not None else bytes([node.open])
        digest.update(repr((node.node_id, print_of_kind, [tuple(_plain(edge)) for edge in node.edges])).encode())
    return digest.digest()


def _plain(edge: NewEdge) -> tuple[str, int, int, str]:
    return edge.source, int(edge.on), edge.passing, edge.kwarg


def _on(edge: Edge) -> On:
    return On(edge.on or Edge.ON_SUCCESS)
