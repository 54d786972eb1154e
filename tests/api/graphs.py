"""Workflows as API tests write and run them, over the wire."""

from collections.abc import Iterable
from typing import Any

from api.wire import DEADLINE, Api, Lease, WorkerStream
from caraway.ids import uuid7
from caraway.v1 import task_pb2, worker_service_pb2, workflow_pb2, workflow_service_pb2

Node = workflow_pb2.WorkflowNode
Edge = Node.Edge
TaskReport = worker_service_pb2.TaskReport


def edge(node_id: str, on: int = 0, pass_as: int = 0, kwarg: str = "") -> Edge:
    """An edge from a node."""
    return Edge(node_id=node_id, on=on, pass_as=pass_as, kwarg=kwarg)  # type: ignore[arg-type]


class Graphs:
    """Workflows in one queue of one gateway."""

    def __init__(self, api: Api, queue: str) -> None:
        self.api = api
        self.queue = queue
        self.id = uuid7()

    def task(self, node_id: str, *after: str | Edge, **spec: Any) -> Node:
        """A node that is a task."""
        task = task_pb2.TaskSpec(name="t", queue=self.queue, **spec)
        return Node(node_id=node_id, task=task, after=_edges(after))

    def collect(self, node_id: str, *after: str | Edge, **fields: Any) -> Node:
        """A node that collects."""
        return Node(node_id=node_id, collect=Node.Collect(**fields), after=_edges(after))

    def submit(self, *nodes: Node, **request: Any) -> workflow_service_pb2.SubmitWorkflowResponse:
        """Submits the workflow."""
        spec = workflow_pb2.WorkflowSpec(workflow_id=self.id, nodes=nodes, **request.pop("spec", {}))
        call = workflow_service_pb2.SubmitWorkflowRequest(workflow=spec, **request)
        return self.api.workflows.SubmitWorkflow(call, timeout=DEADLINE)

    def append(self, part: int, *nodes: Node) -> int:
        """Adds a part; returns the last one that is known."""
        request = workflow_service_pb2.AppendWorkflowNodesRequest(workflow_id=self.id, part=part, nodes=nodes)
        return self.api.workflows.AppendWorkflowNodes(request, timeout=DEADLINE).last_part

    def seal(self, **fields: Any) -> workflow_pb2.Workflow:
        """Ends the parts."""
        request = workflow_service_pb2.SealWorkflowRequest(workflow_id=self.id, **fields)
        return self.api.workflows.SealWorkflow(request, timeout=DEADLINE).workflow

    def get(self) -> workflow_pb2.Workflow:
        """Reads the workflow."""
        request = workflow_service_pb2.GetWorkflowRequest(workflow_id=self.id)
        return self.api.workflows.GetWorkflow(request, timeout=DEADLINE).workflow

    def wait(self, seconds: float = 15, after_revision: int = 0) -> workflow_service_pb2.WaitWorkflowResponse:
        """Waits for its end."""
        request = workflow_service_pb2.WaitWorkflowRequest(workflow_id=self.id, after_revision=after_revision)
        request.max_wait.FromMilliseconds(round(seconds * 1000))
        return self.api.workflows.WaitWorkflow(request, timeout=DEADLINE)

    def ended(self) -> workflow_pb2.Workflow:
        """The workflow, which must end."""
        response = self.wait()
        assert response.done, response
        return response.workflow

    def cancel(self, **fields: Any) -> workflow_pb2.Workflow:
        """Cancels it."""
        request = workflow_service_pb2.CancelWorkflowRequest(workflow_id=self.id, **fields)
        return self.api.workflows.CancelWorkflow(request, timeout=DEADLINE).workflow

    def retry(self) -> workflow_service_pb2.RetryWorkflowResponse:
        """Runs it again."""
        request = workflow_service_pb2.RetryWorkflowRequest(workflow_id=self.id)
        return self.api.workflows.RetryWorkflow(request, timeout=DEADLINE)

    def nodes(self, **fields: Any) -> list[workflow_service_pb2.ListWorkflowNodesResponse.Node]:
        """All pages of nodes."""
        found: list[workflow_service_pb2.ListWorkflowNodesResponse.Node] = []
        token = ""
        while True:
            request = workflow_service_pb2.ListWorkflowNodesRequest(workflow_id=self.id, page_token=token, **fields)
            page = self.api.workflows.ListWorkflowNodes(request, timeout=DEADLINE)
            found += page.nodes
            token = page.next_page_token
            if not token:
                return found

    def task_of(self, node_id: str) -> task_pb2.Task:
        """Reads the task of a node that was given no id of its own."""
        return self.api.get(f"{self.id}.{node_id}")

    def worker(self, credit: int = 100) -> WorkerStream:
        """A worker's stream."""
        return self.api.stream(self.queue, credit)

    def name_of(self, lease: Lease) -> str:
        """The node of a lease."""
        return lease.task.task_id.removeprefix(f"{self.id}.")

    def run(self, worker: WorkerStream, count: int, failing: Iterable[str] = ()) -> list[str]:
        """Runs as many tasks, each of which returns its name; returns their names in their order."""
        ran: list[str] = []
        waiting: list[Lease] = []
        while len(ran) < count:
            if not waiting:
                waiting += worker.expect("leases").leases.leases
            lease = waiting.pop(0)
            ran.append(self.name_of(lease))
            if ran[-1] in failing:
                fail(self.api, lease)
            else:
                self.api.succeed(lease, f'"{ran[-1]}"')
        for lease in waiting:
            self.api.report(lease, released={})
        return ran


def fail(api: Api, lease: Lease, message: str = "broken") -> None:
    """Reports a failure that must be taken."""
    error = task_pb2.TaskError(type="builtins.ValueError", message=message, traceback="at line 1", language="python")
    assert api.report(lease, failed=TaskReport.Failed(error=error)).status.code == 0


def _edges(after: Iterable[str | Edge]) -> list[Edge]:
    return [edge(source) if isinstance(source, str) else source for source in after]
