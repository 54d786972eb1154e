"""Revoking what is stamped, which is looked for in the gateway's lists: nothing keeps an index of stamps."""

from collections.abc import Mapping
from typing import Any, Final, Unpack

from caraway.ending import RevocationOptions, revocation
from caraway.exceptions import WorkflowNotFound
from caraway.stamps import fill_stamps
from caraway.steps import Steps, ask
from caraway.v1 import task_pb2, task_service_pb2, workflow_pb2, workflow_service_pb2

__all__ = ["revoking_stamped"]

_PAGE: Final = 250
_ROUNDS: Final = 5
"""Looks at everything, at most. A task that moved on while it was looked for is found by the next look."""

_Request = task_service_pb2.RevokeTasksRequest
_State: Final = task_pb2.Task
_UNENDED: Final = (
    _State.STATE_SCHEDULED,
    _State.STATE_QUEUED,
    _State.STATE_LEASED,
    _State.STATE_RUNNING,
    _State.STATE_RETRYING,
)
_Outcome: Final = task_service_pb2.RevokeTasksResponse.Result
_DONE: Final = frozenset({_Outcome.OUTCOME_REVOKED, _Outcome.OUTCOME_CANCEL_REQUESTED})


def revoking_stamped(stamps: Mapping[str, Any], **options: Unpack[RevocationOptions]) -> Steps[list[str]]:
    """Revoke all that have at least one of the stamps, as they are found; gives their ids.

    Raises TypeError or ValueError for what can't be a stamp, or is none at all, and as `AsyncResult.revoke`.
    """
    if not stamps:
        raise ValueError("name at least one stamp; without one, every task would be revoked")
    wanted = task_pb2.TaskFilter()
    fill_stamps(wanted.stamps, stamps)
    how = revocation(
        "",
        options.get("terminate", False),
        options.get("signal"),
        options.get("reason") or f"revoked by stamp: {_shown(stamps)}",
        options.get("grace"),
    )
    found: dict[str, None] = {}
    for _ in range(_ROUNDS):
        known = len(found)
        yield from _revoke_tasks(wanted, how, found)
        yield from _revoke_blocked(wanted, how, found)
        if len(found) == known:
            break
    return list(found)


def _shown(stamps: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in stamps.items())[:500]


def _revoke_tasks(wanted: task_pb2.TaskFilter, how: _Request, found: dict[str, None]) -> Steps[None]:
    request = task_service_pb2.ListTasksRequest(page_size=_PAGE)
    request.filter.states.extend(_UNENDED)
    request.filter.MergeFrom(wanted)
    held: list[str] = []
    while True:
        page = yield ask("ListTasks", request)
        # One page behind: a page begins after the last task of the page before, which has to stand there still.
        yield from _revoke(held, how, found)
        held = [task.task_id for task in page.tasks]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    yield from _revoke(held, how, found)


def _revoke_blocked(wanted: task_pb2.TaskFilter, how: _Request, found: dict[str, None]) -> Steps[None]:
    """Revoke nodes of workflows that wait for others: they are in no list of tasks."""
    workflows = workflow_service_pb2.ListWorkflowsRequest(states=[workflow_pb2.Workflow.STATE_RUNNING], page_size=_PAGE)
    while True:
        page = yield ask("ListWorkflows", workflows)
        for workflow in page.workflows:
            if workflow.blocked_count:
                yield from _revoke_blocked_in(workflow.workflow_id, wanted, how, found)
        if not page.next_page_token:
            return
        workflows.page_token = page.next_page_token


def _revoke_blocked_in(
    workflow_id: str, wanted: task_pb2.TaskFilter, how: _Request, found: dict[str, None]
) -> Steps[None]:
    nodes = workflow_service_pb2.ListWorkflowNodesRequest(
        workflow_id=workflow_id, states=[_State.STATE_BLOCKED], page_size=_PAGE
    )
    for name, values in wanted.stamps.items():
        nodes.stamps[name].CopyFrom(values)
    while True:
        try:
            page = yield ask("ListWorkflowNodes", nodes)
        except WorkflowNotFound:
            return  # over and deleted since
        yield from _revoke([node.task.task_id for node in page.nodes], how, found)
        if not page.next_page_token:
            return
        nodes.page_token = page.next_page_token


def _revoke(ids: list[str], how: _Request, found: dict[str, None]) -> Steps[None]:
    if not ids:
        return
    request = _Request()
    request.CopyFrom(how)
    request.selector.task_ids[:] = ids
    response = yield ask("RevokeTasks", request)
    found.update((result.task_id, None) for result in response.results if result.outcome in _DONE)
