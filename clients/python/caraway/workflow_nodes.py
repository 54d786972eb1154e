"""What the gateway tells of the nodes of a workflow."""

from typing import Any, Final

from caraway.steps import Steps, ask, read
from caraway.v1 import task_pb2, workflow_service_pb2

__all__ = ["PAGE", "followers", "nodes"]

PAGE: Final = 250
"""Nodes in a page: enough to make a call each of no account, few enough for a message."""


def followers(result: Any) -> Steps[list[Any]]:
    """List the results of what the workflow of a task runs after it."""
    task = yield read(result.id, full=False)
    if not task.workflow_id:
        return []
    return [
        type(result)(node.task.task_id, result.app, result)
        for node in (yield from nodes(task.workflow_id))
        if node.task.state != task_pb2.Task.STATE_SKIPPED and any(edge.node_id == task.node_id for edge in node.after)
    ]


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
