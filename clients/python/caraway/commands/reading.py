"""`caraway result` and `caraway status`."""

import json

import click

from caraway.commands.connection import Session, chunks, exit_if, operator_command
from caraway.commands.task_form import ENDED_BADLY, describe, failure, payload_document, state_name
from caraway.v1 import task_pb2, task_service_pb2

__all__ = ["result_command", "show_outcome", "status_command"]

_State = task_pb2.Task
_ENDED = ENDED_BADLY | {_State.STATE_SUCCEEDED, _State.STATE_IGNORED, _State.STATE_SKIPPED}


def show_outcome(session: Session, task: task_pb2.Task) -> None:
    """Write what an ended task returned; end with exit code 1 where it did not succeed."""
    if session.out.as_json:
        document = describe(task)
        if task.HasField("result"):
            document["result"] = payload_document(task.result)
        session.out.facts(document)
    if task.state in ENDED_BADLY:
        session.out.error(failure(task))
    elif not session.out.as_json:
        session.out.block(json.dumps(payload_document(task.result), ensure_ascii=False))
    exit_if(task.state in ENDED_BADLY)


@operator_command("result")
@click.argument("task_id")
def result_command(session: Session, task_id: str) -> None:
    """Write, as JSON, what the task returned. One that failed, or has not ended, ends the command with exit code 1."""
    task = session.client.read(task_id, full=True)
    if task.state in _ENDED:
        show_outcome(session, task)
        return
    if session.out.as_json:
        session.out.facts(describe(task))
    session.out.error(f"the task {task_id} has not ended: it is {state_name(task.state)}")
    exit_if(True)


@operator_command("status")
@click.argument("task_ids", nargs=-1, required=True)
def status_command(session: Session, task_ids: tuple[str, ...]) -> None:
    """Show how tasks stand. An id of which there is no task ends the command with exit code 1."""
    missing = False
    for chunk in chunks(task_ids):
        request = task_service_pb2.BatchGetTasksRequest(task_ids=chunk, view=task_pb2.TASK_VIEW_FULL)
        while request.task_ids:
            response = session.client.ask("BatchGetTasks", request)
            for task in response.tasks:
                _show(session, task, apart=len(task_ids) > 1)
            for task_id in response.missing_task_ids:
                missing = True
                session.out.error(f"there is no task {task_id}")
            # What outgrew the reply is asked for again.
            request.task_ids[:] = response.unread_task_ids
    exit_if(missing)


def _show(session: Session, task: task_pb2.Task, *, apart: bool) -> None:
    document = describe(task)
    if session.out.as_json:
        session.out.facts(document)
        return
    error = document.pop("error", {})
    traceback = error.pop("traceback", "")
    document |= {f"error_{name}": value for name, value in error.items()}
    session.out.facts(document)
    if traceback:
        session.out.block(traceback)
    if apart:
        click.echo()
