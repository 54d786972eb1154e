"""From a compiled canvas to the contract's workflow, and the calls that submit one."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from caraway import publishing, request
from caraway.canvas.graph import Edge, Node, On, Pass
from caraway.collector import MAX_BYTES, MAX_ITEMS
from caraway.exceptions import CarawayError
from caraway.ids import uuid7
from caraway.payload import DEFAULTS, ReadingRules
from caraway.send_policy import SendPolicy
from caraway.signals import after_task_publish, before_task_publish
from caraway.spec import CallOptions, fill
from caraway.steps import Steps, ask
from caraway.v1 import task_pb2, workflow_pb2, workflow_service_pb2
from caraway.wire_error import to_error

__all__ = ["add_member", "submitting", "to_nodes"]

_MAX_EDGES: Final = 2_000
"""Edges of a collect in one call, which the gateway takes in pieces; more come in further parts."""

_LINGER: Final = 5.0
"""Seconds that nodes of a slow generator wait for others to be sent with."""

_PRODUCER_LEASE: Final = 300
"""Seconds without a new node after which the gateway gives an open workflow up."""

_WireNode = workflow_pb2.WorkflowNode
_WireEdge = workflow_pb2.WorkflowNode.Edge
_ON: Final = {
    On.SUCCESS: _WireEdge.ON_SUCCESS,
    On.FAILURE: _WireEdge.ON_FAILURE,
    On.OWN_FAILURE: _WireEdge.ON_OWN_FAILURE,
}


def to_nodes(
    nodes: Iterable[Node],
    options_of: Callable[[Node], CallOptions],
    turned: Callable[[int], int],
    *,
    is_part: bool = False,
) -> Iterator[workflow_pb2.WorkflowNode]:
    """Write the nodes of a compiled canvas; `options_of` gives those of a node's call, with the app's; `turned` turns a
    priority into the app's words; `is_part` says that they become part of the workflow of the task that runs here.

    A collect of very many edges comes as several nodes of the same id, each with a part of them. Raises as `spec.fill`.
    """
    running = request.current()
    root = None if running is None or running.called_directly else running.root_id or running.id
    collects: set[str] = set()
    for node in nodes:
        root = root or node.id
        if node.task:
            options = options_of(node)
            if before_task_publish.receivers:
                family = (root, node.after[0].source if node.after else None)
                options = publishing.before(node.id, node.task, node.args, node.kwargs, options, turned, family)
            made = _to_task(node, options, root)
            if is_part or node.after:
                made.task.ClearField("parent_task_id")  # its parent is a node, not the task that submits
            for edge in node.after:
                if edge.source in collects and edge.on is On.SUCCESS:
                    made.task.headers[request.CHORD_HEADER] = edge.source
            yield made
        else:
            collects.add(node.id)
            yield from _to_collects(node)


def _to_task(node: Node, options: CallOptions, root: str) -> workflow_pb2.WorkflowNode:
    made = _WireNode(node_id=node.id)
    fill(made.task, node.id, node.task, node.args, node.kwargs, options)
    made.task.headers[request.ROOT_HEADER] = root
    if node.group:
        made.task.headers[request.GROUP_HEADER] = node.group
    if node.after:
        made.task.headers[request.PARENT_HEADER] = node.after[0].source
    for edge in node.after:
        _write_edge(made.after.add(), edge)
    return made


def _to_collects(node: Node) -> Iterator[workflow_pb2.WorkflowNode]:
    parts = [node.after[start : start + _MAX_EDGES] for start in range(0, len(node.after), _MAX_EDGES)]
    for part in parts:
        made = _WireNode(node_id=node.id)
        made.collect.task_id = node.id
        made.collect.open = len(parts) > 1
        for edge in part:
            made.after.add(node_id=edge.source, on=_WireEdge.ON_SUCCESS)
        yield made


def _write_edge(made: workflow_pb2.WorkflowNode.Edge, edge: Edge) -> None:
    made.node_id = edge.source
    made.on = _ON[edge.on]
    if edge.passes is Pass.FIRST:
        made.pass_as = _WireEdge.PASS_FIRST_ARG


def submitting(
    nodes: Iterable[workflow_pb2.WorkflowNode], rules: ReadingRules = DEFAULTS, policy: SendPolicy | None = None
) -> Steps[None]:
    """Submit a workflow: in one call, or in parts as its nodes come. `rules` are those of the app that wrote them.

    `policy` says how often each of the calls is tried again.

    What `nodes` raises after a part was sent gives the workflow up, which ends as failed by that error, and is raised.
    """
    workflow_id = uuid7()
    sent = 0
    try:
        for part, is_last in _parts(nodes):
            if sent == 0:
                yield ask("SubmitWorkflow", _submit(workflow_id, part, is_last), policy)
            elif part:
                yield ask("AppendWorkflowNodes", _append(workflow_id, sent, part), policy)
            sent += 1
            if after_task_publish.receivers:
                for node in part:
                    if node.HasField("task"):
                        publishing.after(node.task, rules)
            if is_last and sent > 1:
                yield ask("SealWorkflow", workflow_service_pb2.SealWorkflowRequest(workflow_id=workflow_id), policy)
    except Exception as error:
        if sent:
            # Where the gateway is what failed, its own word for this is less telling; the producer's lease ends it too.
            with contextlib.suppress(CarawayError):
                yield ask("SealWorkflow", _give_up(workflow_id, error))
        raise


def _submit(
    workflow_id: str, part: list[workflow_pb2.WorkflowNode], is_last: bool
) -> workflow_service_pb2.SubmitWorkflowRequest:
    made = workflow_service_pb2.SubmitWorkflowRequest(open=not is_last)
    made.workflow.workflow_id = workflow_id
    made.workflow.name = next((node.task.name for node in part if node.HasField("task")), "")
    made.workflow.nodes.extend(part)
    if not is_last:
        made.producer_lease.seconds = _PRODUCER_LEASE
    return made


def _append(
    workflow_id: str, number: int, part: list[workflow_pb2.WorkflowNode]
) -> workflow_service_pb2.AppendWorkflowNodesRequest:
    for node in part:
        if node.HasField("collect"):
            # A gateway takes many edges in pieces, each of which names the collect again; the seal follows soon.
            node.collect.open = True
    return workflow_service_pb2.AppendWorkflowNodesRequest(workflow_id=workflow_id, part=number, nodes=part)


def _give_up(workflow_id: str, error: Exception) -> workflow_service_pb2.SealWorkflowRequest:
    return workflow_service_pb2.SealWorkflowRequest(
        workflow_id=workflow_id, error=to_error(error, task_pb2.TaskError.KIND_APPLICATION)
    )


def _parts(
    nodes: Iterable[workflow_pb2.WorkflowNode],
) -> Iterator[tuple[list[workflow_pb2.WorkflowNode], bool]]:
    """Cut nodes into parts that a message takes, and tell which is the last."""
    part: list[workflow_pb2.WorkflowNode] = []
    size = 0
    began = time.monotonic()
    for node in nodes:
        more = node.ByteSize() + 8
        now = time.monotonic()
        is_full = len(part) >= MAX_ITEMS or size + more > MAX_BYTES or now - began > _LINGER
        if part and (is_full or part[-1].node_id == node.node_id):
            yield part, False
            part, size = [], 0
        began = began if part else now
        part.append(node)
        size += more
    if part:
        yield part, True


def add_member(
    nodes: list[workflow_pb2.WorkflowNode], group: str, plan: Iterable[workflow_pb2.WorkflowNode], output: str
) -> None:
    """Add a canvas to what a task adds; `output` is the node of it that becomes a member of the group."""
    # The group's collect, which is named once, stands last.
    joined = nodes.pop() if nodes else _WireNode(node_id=group, collect=_WireNode.Collect())
    nodes.extend(plan)
    joined.after.add(node_id=output, on=_WireEdge.ON_SUCCESS)
    nodes.append(joined)
