"""What the gateway tells of the nodes of a workflow."""

from typing import Any, Final

from caraway.steps import Steps, ask, read
from caraway.v1 import task_pb2, task_service_pb2, workflow_service_pb2

__all__ = ["PAGE", "followers", "nodes"]

PAGE: Final = 250
"""Nodes in a page: enough to make a call each of no account, few enough for a message."""


def followers(result: Any) -> Steps[list[Any]]:
    """List the results of what a task submitted while it ran, and of what its workflow runs after it."""
    task = yield read(result.id, full=False)
    ids = yield from _submitted(task.task_id)
    if task.workflow_id:
        ids += [
            node.task.task_id
            for node in (yield from nodes(task.workflow_id))
            if node.task.state != task_pb2.Task.STATE_SKIPPED
            and any(edge.node_id == task.node_id for edge in node.after)
        ]
    return [type(result)(id, result.app, result) for id in ids]


def _submitted(task_id: str) -> Steps[list[str]]:
    request = task_service_pb2.ListTasksRequest(page_size=PAGE)
    request.filter.parent_task_id = task_id
    found: list[str] = []
    while True:
        page = yield ask("ListTasks", request)
        found.extend(task.task_id for task in page.tasks)
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def nodes(workflow_id: str, collect: str = "") -> Steps[list[Any]]:
    """List a workflow's nodes, or those that one of its nodes collects."""
    found: list[Any] = []
    request = workflow_service_pb2.ListWorkflowNodesRequest(
        workflow_id=workflow_id, collect_node_id=collect, page_size=PAGE
    )
    while True:
        page = yield ask("ListWorkflowNodes", request)
        found.extend(page.nodes)
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token
