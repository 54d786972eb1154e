"""`app.workflows`: canvases as the gateway keeps them, to be listed, cancelled and run again as a whole."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Unpack

from caraway.async_result import AsyncResult
from caraway.durations import set_duration
from caraway.ending import RevocationOptions, revocation
from caraway.exceptions import WorkflowNotFound
from caraway.gateway import HasGateway
from caraway.steps import Steps, ask, awalk, read, walk
from caraway.v1 import workflow_pb2, workflow_service_pb2
from caraway.wire_error import to_exception
from caraway.workflow_nodes import PAGE, nodes

__all__ = ["STATES", "Workflow", "Workflows", "cancellation_of", "workflow_from"]

_Message = workflow_pb2.Workflow
STATES: Final = {name.removeprefix("STATE_"): number for name, number in _Message.State.items() if number}
"""The states by name: RUNNING, SUCCEEDED, FAILED, CANCELLED."""


@dataclass(frozen=True, slots=True)
class Workflow:
    """A canvas that was sent, as it stood when asked for. Its nodes are its tasks, and the ends of its groups."""

    id: str
    name: str
    """The name of its first task."""
    state: str
    """RUNNING, SUCCEEDED, FAILED or CANCELLED."""
    node_count: int
    """How many nodes it has so far."""
    blocked_count: int
    """How many of them wait for others."""
    ended_counts: dict[str, int]
    """How many have ended, by state: SUCCEEDED, FAILED, ..."""
    is_open: bool
    """True while its producer sends more."""
    create_time: datetime
    end_time: datetime | None
    error: BaseException | None = field(compare=False)
    """Why it failed; None: it has not."""
    cancel_reason: str
    """Why it was cancelled; empty: it was not."""


class Workflows:
    """The workflows of an app's gateway. Every call that blocks has an async twin: `aget`, `alist`, `acancel` ...

    All raise WorkflowNotFound for an id that the gateway does not know, OperationalError when it stays away.
    """

    def __init__(self, app: HasGateway) -> None:
        """`app.workflows` is the usual way."""
        self._app = app

    def get(self, workflow_id: str) -> Workflow:
        """Read one."""
        return walk(self._app, _reading(workflow_id))

    async def aget(self, workflow_id: str) -> Workflow:
        """Async twin of `get`."""
        return await awalk(self._app, _reading(workflow_id))

    def of(self, result: Any) -> Workflow:
        """Read the one that a result's task, or group, is in. WorkflowNotFound: the task was sent alone."""
        return walk(self._app, _reading_of(result.id))

    async def aof(self, result: Any) -> Workflow:
        """Async twin of `of`."""
        return await awalk(self._app, _reading_of(result.id))

    def tasks(self, workflow_id: str) -> list[AsyncResult[Any]]:
        """List the results of all its tasks, none before one that it comes after."""
        return walk(self._app, _tasks(workflow_id, self._app))

    async def atasks(self, workflow_id: str) -> list[AsyncResult[Any]]:
        """Async twin of `tasks`."""
        return await awalk(self._app, _tasks(workflow_id, self._app))

    def cancel(self, workflow_id: str, **how: Unpack[RevocationOptions]) -> Workflow:
        """Revoke all of it that has not started; what runs goes on, unless `terminate`. No errback is called any more.

        The options are those of `AsyncResult.revoke`. It is CANCELLED once all has ended; one that had ended stays as
        it is.
        """
        return walk(self._app, _changing("CancelWorkflow", cancellation_of(workflow_id, **how)))

    async def acancel(self, workflow_id: str, **how: Unpack[RevocationOptions]) -> Workflow:
        """Async twin of `cancel`."""
        return await awalk(self._app, _changing("CancelWorkflow", cancellation_of(workflow_id, **how)))

    def retry(self, workflow_id: str) -> Workflow:
        """Run again what failed, was revoked or skipped in one that has ended; what succeeded is kept.

        One that runs, or in which all succeeded, stays as it is. Raises WorkflowStateError where its producer gave it
        up, or tasks of it were forgotten.
        """
        return walk(self._app, _changing("RetryWorkflow", _retrial(workflow_id)))

    async def aretry(self, workflow_id: str) -> Workflow:
        """Async twin of `retry`."""
        return await awalk(self._app, _changing("RetryWorkflow", _retrial(workflow_id)))

    def list(self, *states: str) -> Iterator[Workflow]:
        """Give all, or those in one of these states, the newest first, read page by page.

        Raises ValueError for what is no state.
        """
        request = _listing(states)
        while True:
            page = self._app.gateway.ask("ListWorkflows", request)
            yield from map(workflow_from, page.workflows)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def alist(self, *states: str) -> AsyncIterator[Workflow]:
        """Async twin of `list`."""
        request = _listing(states)
        while True:
            page = await self._app.gateway.aask("ListWorkflows", request)
            for workflow in page.workflows:
                yield workflow_from(workflow)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def workflow_from(message: workflow_pb2.Workflow) -> Workflow:
    """Make it of the contract's message."""
    return Workflow(
        id=message.workflow_id,
        name=message.name,
        state=_Message.State.Name(message.state).removeprefix("STATE_"),
        node_count=message.node_count,
        blocked_count=message.blocked_count,
        ended_counts=dict(sorted(message.ended_counts.items())),
        is_open=message.open,
        create_time=message.create_time.ToDatetime(tzinfo=UTC),
        end_time=message.end_time.ToDatetime(tzinfo=UTC) if message.HasField("end_time") else None,
        error=to_exception(message.error) if message.HasField("error") else None,
        cancel_reason=message.cancel_reason,
    )


def cancellation_of(workflow_id: str, **how: Unpack[RevocationOptions]) -> workflow_service_pb2.CancelWorkflowRequest:
    """Make the request of `Workflows.cancel`. Raises ValueError for options that do not go together."""
    grace = how.get("grace")
    same = revocation("", how.get("terminate", False), how.get("signal"), how.get("reason"), grace)
    request = workflow_service_pb2.CancelWorkflowRequest(
        workflow_id=workflow_id, reason=same.reason, mode=same.mode, signal=same.signal
    )
    if grace is not None:
        set_duration(request.grace, "grace", grace)
    return request


def _retrial(workflow_id: str) -> workflow_service_pb2.RetryWorkflowRequest:
    return workflow_service_pb2.RetryWorkflowRequest(workflow_id=workflow_id)


def _listing(states: tuple[str, ...]) -> workflow_service_pb2.ListWorkflowsRequest:
    if unknown := set(states) - STATES.keys():
        raise ValueError(f"{min(unknown)!r} is no state of a workflow; there are {', '.join(STATES)}")
    return workflow_service_pb2.ListWorkflowsRequest(states=[STATES[name] for name in states], page_size=PAGE)


def _changing(method: str, request: Any) -> Steps[Workflow]:
    response = yield ask(method, request)
    return workflow_from(response.workflow)


def _reading(workflow_id: str) -> Steps[Workflow]:
    return _changing("GetWorkflow", workflow_service_pb2.GetWorkflowRequest(workflow_id=workflow_id))


def _reading_of(task_id: str) -> Steps[Workflow]:
    task = yield read(task_id, full=False)
    if not task.workflow_id:
        raise WorkflowNotFound(
            f"the task {task_id} was sent alone, and is in no workflow",
            reason="WORKFLOW_NOT_FOUND",
            code="NOT_FOUND",
            metadata={},
        )
    return (yield from _reading(task.workflow_id))


def _tasks(workflow_id: str, app: HasGateway) -> "Steps[list[AsyncResult[Any]]]":
    found = yield from nodes(workflow_id)
    return [AsyncResult(node.task.task_id, app) for node in found if not node.task.HasField("collected")]
