"""Submits a workflow over the contract and waits for its end: `python workflow_client.py KIND COUNT`; prints JSON."""

import json
import os
import sys
import time
from collections.abc import Iterator

import grpc

from caraway.ids import uuid7
from caraway.payload import encode_arguments
from caraway.v1 import task_pb2, workflow_pb2, workflow_service_pb2, workflow_service_pb2_grpc

Node = workflow_pb2.WorkflowNode
Edge = Node.Edge
PART = 4000  # nodes in a message
QUEUE = "default"


def task(node_id: str, *after: Edge, args: tuple[object, ...] = ()) -> Node:
    """A call of noop."""
    spec = task_pb2.TaskSpec(
        task_id=node_id, name="caraway_tasks.noop", queue=QUEUE, payload=encode_arguments(args, {})
    )
    return Node(node_id=node_id, task=spec, after=after)


def chain(count: int) -> Iterator[list[Node]]:
    """Each after the one before, whose result it takes."""
    nodes = [task(uuid7(), args=(0,))]
    while len(nodes) < count:
        nodes.append(task(uuid7(), Edge(node_id=nodes[-1].node_id, pass_as=Edge.PASS_FIRST_ARG)))
    yield nodes


def group(count: int) -> Iterator[list[Node]]:
    """Tasks side by side, collected, from a generator."""
    join = uuid7()
    yield [Node(node_id=join, collect=Node.Collect(task_id=join, open=True))]
    for start in range(0, count, PART):
        members = [task(uuid7(), args=(0,)) for _ in range(min(PART, count - start))]
        edges = [Edge(node_id=member.node_id) for member in members]
        yield [*members, Node(node_id=join, collect=Node.Collect(task_id=join, open=True), after=edges)]


def chord(count: int) -> Iterator[list[Node]]:
    """The same, and a task that takes all results."""
    parts = group(count)
    first = next(parts)
    yield first
    yield from parts
    yield [task(uuid7(), Edge(node_id=first[0].node_id, pass_as=Edge.PASS_FIRST_ARG))]


KINDS = {"chain": chain, "group": group, "chord": chord}


def run(kind: str, count: int) -> dict[str, float]:
    """Seconds until the workflow is accepted whole, and until it has ended."""
    with grpc.insecure_channel(os.environ["CARAWAY_TARGET"]) as channel:
        service = workflow_service_pb2_grpc.WorkflowServiceStub(channel)
        start = time.monotonic()
        workflow_id = _submit(service, KINDS[kind](count))
        accepted = time.monotonic()
        done = False
        while not done:
            response = service.WaitWorkflow(workflow_service_pb2.WaitWorkflowRequest(workflow_id=workflow_id))
            done = response.done
        assert response.workflow.state == workflow_pb2.Workflow.STATE_SUCCEEDED, response.workflow
        return {"accepted": accepted - start, "ended": time.monotonic() - start}


def _submit(service: workflow_service_pb2_grpc.WorkflowServiceStub, parts: Iterator[list[Node]]) -> str:
    workflow_id = uuid7()
    spec = workflow_pb2.WorkflowSpec(workflow_id=workflow_id, nodes=next(parts))
    service.SubmitWorkflow(workflow_service_pb2.SubmitWorkflowRequest(workflow=spec, open=True))
    for number, nodes in enumerate(parts, 1):
        part = workflow_service_pb2.AppendWorkflowNodesRequest(workflow_id=workflow_id, part=number, nodes=nodes)
        service.AppendWorkflowNodes(part)
    service.SealWorkflow(workflow_service_pb2.SealWorkflowRequest(workflow_id=workflow_id))
    return workflow_id


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]))))
