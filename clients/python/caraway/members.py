"""What the gateway tells of a group's members, by the node that collects them."""

from collections.abc import Callable
from typing import Any, Final

from caraway.async_result import AsyncResult
from caraway.ending import check_forgotten, deletion
from caraway.exceptions import TaskNotFound
from caraway.steps import Steps, ask, read
from caraway.v1 import task_pb2, workflow_service_pb2
from caraway.workflow_nodes import PAGE, nodes

__all__ = ["Pages", "collected", "forgetting", "restored"]

_WORTH: Final = 4
"""Fewer members than this are not worth a page."""


def collected(group: Any) -> Steps[task_pb2.Task.Collected | None]:
    """Count how a group's members stand; None for a group that the gateway does not know."""
    if group.is_eager:
        return None
    try:
        task = yield read(group.id, full=False)
    except TaskNotFound:
        return None
    return task.collected if task.HasField("collected") else None


def forgetting(group: Any) -> Steps[None]:
    """Delete what the gateway has of a group, its members left out. Raises ValueError if it has not ended."""
    if (yield from collected(group)) is not None:
        check_forgotten(group.id, (yield ask("DeleteTasks", deletion(group.id))))


class Pages:
    """Reads many results of a group at once, while it is gone through in order."""

    def __init__(self, group: Any) -> None:
        """`group` is a ResultSet; of one that the gateway does not know, nothing is read."""
        self._group = group
        self._is_kept = hasattr(group, "id") and not group.is_eager
        self._next = 0
        self._token = ""
        self._workflow = ""

    def is_due(self, place: int) -> bool:
        """Whether what comes after this place is to be read now."""
        results = self._group.results
        return self._is_kept and place == self._next and len(results) - place > _WORTH and _is_open(results[place + 1])

    def take(self, place: int) -> Steps[None]:
        """Read the page that begins at this place, and let the results keep what has ended."""
        try:
            if not self._workflow:
                self._workflow = (yield read(self._group.id, full=False)).workflow_id
            page = yield ask("ListWorkflowNodes", self._request())
        except TaskNotFound:
            self._is_kept = False
            return
        for result, node in zip(self._group.results[place:], page.nodes, strict=False):
            if isinstance(result, AsyncResult) and result.id == node.task.task_id:
                result.keep(node.task)
        self._next, self._token = place + len(page.nodes), page.next_page_token
        self._is_kept = bool(self._token)

    def _request(self) -> workflow_service_pb2.ListWorkflowNodesRequest:
        return workflow_service_pb2.ListWorkflowNodesRequest(
            workflow_id=self._workflow,
            collect_node_id=self._group.id,
            view=task_pb2.TASK_VIEW_FULL,
            page_size=PAGE,
            page_token=self._token,
        )


def _is_open(result: Any) -> bool:
    return isinstance(result, AsyncResult) and not result.is_kept


def restored(id: str, app: Any, kind: Callable[..., Any]) -> Steps[Any]:
    """Make the GroupResult of a group that the gateway knows; None if it does not."""
    try:
        task = yield read(id, full=False)
    except TaskNotFound:
        return None
    if not task.HasField("collected"):
        return None
    results: list[Any] = []
    for node in (yield from nodes(task.workflow_id, task.node_id)):
        nested = (yield from restored(node.task.task_id, app, kind)) if node.task.HasField("collected") else None
        results.append(nested or AsyncResult(node.task.task_id, app))
    return kind(id, results, None, app)
