"""`caraway workflows`."""

import itertools
from collections.abc import Iterator
from typing import Any

import click

from caraway.commands.connection import Session, exit_if, operator_command
from caraway.commands.subcommands import ListByDefault
from caraway.commands.task_form import describe, failure_text, instant
from caraway.v1 import workflow_pb2, workflow_service_pb2
from caraway.workflows import STATES, cancellation_of

__all__ = ["workflows_command"]

_PAGE = 50
_COLUMNS = ("workflow_id", "state", "name", "node_count", "blocked_count", "ended_counts", "create_time", "end_time")
_NODE_COLUMNS = ("node_id", "state", "name", "queue", "after", "error")


def _describe(workflow: workflow_pb2.Workflow) -> dict[str, Any]:
    document = {
        "workflow_id": workflow.workflow_id,
        "state": workflow_pb2.Workflow.State.Name(workflow.state).removeprefix("STATE_"),
        "name": workflow.name or None,
        "node_count": workflow.node_count,
        "blocked_count": workflow.blocked_count,
        "ended_counts": dict(sorted(workflow.ended_counts.items())),
        "open": workflow.open,
        "create_time": instant(workflow, "create_time"),
        "end_time": instant(workflow, "end_time"),
        "purge_time": instant(workflow, "purge_time"),
        "error": failure_text(workflow.error) if workflow.HasField("error") else None,
        "cancel_reason": workflow.cancel_reason or None,
    }
    return {name: value for name, value in document.items() if value is not None}


@click.group(cls=ListByDefault, name="workflows")
def workflows_command() -> None:
    """List workflows (without a subcommand), show, cancel or retry one."""


@operator_command("list")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(list(STATES), case_sensitive=False), help="In this state."
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Workflows at most.")
@click.option("--all", "unlimited", is_flag=True, help="Without a limit.")
def _list(session: Session, states: tuple[str, ...], limit: int, unlimited: bool) -> None:
    """List workflows, the newest first."""
    request = workflow_service_pb2.ListWorkflowsRequest(
        states=[STATES[name.upper()] for name in states], page_size=_PAGE
    )
    found = (workflow for page in _pages(session, "ListWorkflows", request) for workflow in page.workflows)
    session.out.table(_COLUMNS, map(_describe, itertools.islice(found, None if unlimited else limit)))


@operator_command("show")
@click.argument("workflow_id")
@click.option("--nodes", is_flag=True, help="Its nodes instead, each with those that it comes after.")
def _show(session: Session, workflow_id: str, nodes: bool) -> None:
    """Show one workflow, or its nodes."""
    if not nodes:
        request = workflow_service_pb2.GetWorkflowRequest(workflow_id=workflow_id)
        session.out.facts(_describe(session.client.ask("GetWorkflow", request).workflow))
        return
    wish = workflow_service_pb2.ListWorkflowNodesRequest(workflow_id=workflow_id, page_size=_PAGE)
    found = (node for page in _pages(session, "ListWorkflowNodes", wish) for node in page.nodes)
    session.out.table(_NODE_COLUMNS, map(_describe_node, found))


def _describe_node(node: workflow_service_pb2.ListWorkflowNodesResponse.Node) -> dict[str, Any]:
    document = {"node_id": node.node_id, **describe(node.task), "after": [edge.node_id for edge in node.after]}
    if node.task.HasField("error"):
        document["error"] = failure_text(node.task.error)
    return document


@operator_command("cancel")
@click.argument("workflow_id")
@click.option("--terminate", is_flag=True, help="Kill those that run; without, they go on.")
@click.option("--signal", help="With --terminate: send this to the process. Default: SIGTERM.")
@click.option("--reason", default="", help="Why; kept with the workflow and its tasks.")
def _cancel(session: Session, workflow_id: str, terminate: bool, signal: str | None, reason: str) -> None:
    """Revoke all of a workflow that has not started. Exit code 1 where it had ended before."""
    if signal and not terminate:
        raise click.UsageError("--signal needs --terminate")
    request = cancellation_of(workflow_id, terminate=terminate, signal=signal, reason=reason)
    workflow = session.client.ask("CancelWorkflow", request).workflow
    session.out.facts(_describe(workflow))
    exit_if(not workflow.cancel_reason)


@operator_command("retry")
@click.argument("workflow_id")
def _retry(session: Session, workflow_id: str) -> None:
    """Run again what did not succeed in a workflow that ended. Exit code 1 where there was nothing to run again."""
    response = session.client.ask("RetryWorkflow", workflow_service_pb2.RetryWorkflowRequest(workflow_id=workflow_id))
    session.out.facts(_describe(response.workflow))
    exit_if(not response.retried)


def _pages(session: Session, method: str, request: Any) -> Iterator[Any]:
    while True:
        page = session.client.ask(method, request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


for _command in (_list, _show, _cancel, _retry):
    workflows_command.add_command(_command)
