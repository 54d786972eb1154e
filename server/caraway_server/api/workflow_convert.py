"""Workflows as the contract's messages, and their errors."""

from caraway.v1 import task_pb2, workflow_pb2
from caraway_server.api.convert import dependency_error
from caraway_server.api.durations import fill
from caraway_server.core.errors import Refused
from caraway_server.core.workflow import WorkflowRecord, WorkflowState


def workflow_from(record: WorkflowRecord) -> workflow_pb2.Workflow:
    """A workflow as it stands."""
    workflow = workflow_pb2.Workflow(
        workflow_id=record.workflow_id, state=record.state.value, name=record.name, node_count=record.accepted,  # type: ignore[arg-type]
        blocked_count=record.blocked, open=record.open, revision=record.revision,
        ended_counts={state.name: count for state, count in record.ended.items()},
    )  # fmt: skip
    fill(workflow.create_time, record.created)
    if record.is_terminal:
        fill(workflow.end_time, record.ended_at)
        fill(workflow.purge_time, record.purge)
    _fill_error(workflow, record)
    return workflow


def _fill_error(workflow: workflow_pb2.Workflow, record: WorkflowRecord) -> None:
    if record.error is not None:
        workflow.error.ParseFromString(record.error)
    elif record.error_text:
        workflow.error.kind, workflow.error.message = task_pb2.TaskError.KIND_APPLICATION, record.error_text
    elif record.cancel_mode and record.state is not WorkflowState.FAILED:
        workflow.cancel_reason = record.cancel_reason
    elif record.blame:
        workflow.error.CopyFrom(dependency_error(record.blame, record.culprit))


def not_found(workflow_id: str) -> Refused:
    """There is no such workflow."""
    return Refused(
        "WORKFLOW_NOT_FOUND",
        f"there is no workflow {workflow_id!r}: it was never submitted here, or its time is over",
        workflow_id=workflow_id,
    )


def found(workflow_id: str, record: WorkflowRecord | None) -> workflow_pb2.Workflow:
    """The workflow.

    Raises:
        Refused: there is none.
    """
    if record is None:
        raise not_found(workflow_id)
    return workflow_from(record)
