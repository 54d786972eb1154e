"""Plays random workflows over the wire: submits them, works on their tasks by hand, reads how they ended."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import grpc

from caraway.inputs import Failure, read_inputs
from caraway.payload import decode, encode
from caraway.v1 import (
    task_pb2,
    worker_service_pb2,
    worker_service_pb2_grpc,
    workflow_pb2,
    workflow_service_pb2,
    workflow_service_pb2_grpc,
)
from support.graph_model import ADD, FAIL, IGNORE, REPLACE, STUMBLE, STUMBLES, PlayedNode, all_of, digest

QUEUE = "graphs"
PATIENCE = 30.0  # seconds without any answer
Node = workflow_pb2.WorkflowNode
TaskReport = worker_service_pb2.TaskReport
Answer = TypeVar("Answer")


def node_from(node: PlayedNode) -> Node:
    """A node of the contract."""
    message = Node(node_id=node.node_id)
    if node.collect:
        message.collect.task_id = node.node_id
    else:
        spec = message.task
        spec.task_id, spec.name, spec.queue = node.node_id, "t", QUEUE
        if node.plan == STUMBLE:
            spec.retry_policy.max_attempts = STUMBLES + 1
            spec.retry_policy.initial_backoff.SetInParent()
    for edge in node.edges:
        message.after.add(node_id=edge.source, on=edge.on.value, pass_as=edge.passing, kwarg=edge.kwarg)  # type: ignore[arg-type]
    return message


class Player:
    """A client and a worker of gateways of which any may be away at any time.

    Args:
        targets: where they are.
        forgets: of so many deliveries, the part of which nothing more is heard, as if their worker had died.
        chance: draws those.
    """

    def __init__(self, targets: Sequence[str], forgets: float, chance: random.Random) -> None:
        self._forgets, self._chance = forgets, chance
        options = [("grpc.max_reconnect_backoff_ms", 200), ("grpc.initial_reconnect_backoff_ms", 50)]
        self._channels = [grpc.insecure_channel(target, options=options) for target in targets]
        self._turn = 0
        self.nodes: dict[str, PlayedNode] = {}
        self.runs: dict[str, int] = {}

    def close(self) -> None:
        """Ends its channels."""
        for channel in self._channels:
            channel.close()

    def _ask(self, call: Callable[[grpc.Channel], Answer]) -> Answer:
        """Asks one gateway after the other until one answers; only for what may be repeated."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self._turn += 1
            try:
                return call(self._channels[self._turn % len(self._channels)])
            except grpc.RpcError as error:
                assert isinstance(error, grpc.Call)
                away = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
                if error.code() not in away or time.monotonic() > deadline:
                    raise

    def submit(self, workflow_id: str, graph: Sequence[PlayedNode]) -> None:
        """Submits a workflow until it is accepted."""
        self.nodes.update((node.node_id, node) for node in all_of(graph))
        spec = workflow_pb2.WorkflowSpec(workflow_id=workflow_id, nodes=map(node_from, graph))
        request = workflow_service_pb2.SubmitWorkflowRequest(workflow=spec)
        self._ask(lambda channel: _flows(channel).SubmitWorkflow(request, timeout=3))

    def is_over(self, workflow_id: str) -> bool:
        """Whether a workflow has ended."""
        request = workflow_service_pb2.GetWorkflowRequest(workflow_id=workflow_id)
        response = self._ask(lambda channel: _flows(channel).GetWorkflow(request, timeout=3))
        return response.workflow.state != workflow_pb2.Workflow.STATE_RUNNING

    def tasks(self, workflow_id: str) -> dict[str, task_pb2.Task]:
        """All nodes of a workflow."""
        found: dict[str, task_pb2.Task] = {}
        token = ""
        while True:
            request = workflow_service_pb2.ListWorkflowNodesRequest(
                workflow_id=workflow_id, view=task_pb2.TASK_VIEW_FULL, page_token=token
            )
            page = self._ask(lambda channel, request=request: _flows(channel).ListWorkflowNodes(request, timeout=3))  # type: ignore[misc]
            found.update((node.node_id, node.task) for node in page.nodes)
            token = page.next_page_token
            if not token:
                return found

    # -- working --------------------------------------------------------------------------------------------------

    def work(self) -> int:
        """Leases some tasks and ends them; returns how many."""
        request = worker_service_pb2.PollTasksRequest(worker_id="player", queues=[QUEUE], max_leases=20)
        request.max_wait.FromMilliseconds(50)
        leases = self._ask(lambda channel: _workers(channel).PollTasks(request, timeout=3)).leases
        if leases:
            reports = [self._report(lease) for lease in leases if self._chance.random() >= self._forgets]
            answer = worker_service_pb2.ReportTasksRequest(reports=reports)
            if reports:
                self._ask(lambda channel: _workers(channel).ReportTasks(answer, timeout=3))
        return len(leases)

    def _report(self, lease: worker_service_pb2.TaskLease) -> TaskReport:
        node = self.nodes[lease.task.task_id]
        report = TaskReport(task_id=lease.task.task_id, lease_token=lease.lease_token)
        self.runs[node.node_id] = self.runs.get(node.node_id, 0) + 1
        if node.plan == FAIL or (node.plan == STUMBLE and lease.attempt <= STUMBLES):
            report.failed.error.message = node.node_id
        elif node.plan == IGNORE:
            report.ignored.SetInParent()
        elif node.plan == REPLACE:
            report.replaced.nodes.extend(map(node_from, node.nodes))
            report.replaced.output_node_id = node.output
        else:
            report.succeeded.result.CopyFrom(encode(digest(node.node_id, self._values(lease))))
            if node.plan == ADD:
                report.succeeded.added_nodes.extend(map(node_from, node.nodes))
                if node.joins:
                    joined = report.succeeded.added_nodes.add(node_id=node.joins)
                    joined.collect.task_id = node.joins
                    for joining in node.joining:
                        joined.after.add(node_id=joining)
        return report

    def _values(self, lease: worker_service_pb2.TaskLease) -> list[Any]:
        """What was handed on, in the model's form."""
        parts = list(lease.inputs)
        token = ""
        while lease.more_inputs:
            request = worker_service_pb2.GetInputsRequest(
                task_id=lease.task.task_id, lease_token=lease.lease_token, page_token=token
            )
            try:
                page = self._ask(lambda channel, request=request: _workers(channel).GetInputs(request, timeout=3))  # type: ignore[misc]
            except grpc.RpcError as error:
                assert isinstance(error, grpc.Call)
                assert error.code() is grpc.StatusCode.ABORTED  # the lease is lost: so will be the report
                return []
            parts += page.inputs
            token = page.next_page_token
            if not token:
                break
        return [[given.pass_as, given.kwarg, given.task_id, _plain(given.value)] for given in read_inputs(parts)]


def _plain(value: object) -> object:
    if isinstance(value, Failure):
        return {"failed": value.task_id, "culprit": value.error.failed_task_id}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value


def result_of(task: task_pb2.Task) -> object:
    """What a task returned."""
    return decode(task.result)


def _flows(channel: grpc.Channel) -> workflow_service_pb2_grpc.WorkflowServiceStub:
    return workflow_service_pb2_grpc.WorkflowServiceStub(channel)


def _workers(channel: grpc.Channel) -> worker_service_pb2_grpc.WorkerServiceStub:
    return worker_service_pb2_grpc.WorkerServiceStub(channel)
