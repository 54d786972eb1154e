"""`caraway watch`."""

from typing import Any

import click

from caraway.commands.connection import Session, exit_if, operator_command
from caraway.commands.task_form import ENDED_BADLY, describe
from caraway.v1 import task_pb2, task_service_pb2

__all__ = ["watch_command"]


@operator_command("watch")
@click.argument("task_ids", nargs=-1, required=True)
def watch_command(session: Session, task_ids: tuple[str, ...]) -> None:
    """Write how tasks stand, and each change, until all have ended. Exit code 1 where one failed or is not there."""
    request = task_service_pb2.WatchTasksRequest(
        selector=task_pb2.TaskSelector(task_ids=list(dict.fromkeys(task_ids))), until_terminal=True
    )
    bad: set[str] = set()
    missing: set[str] = set()
    for response in session.client.watch(request):
        if response.HasField("task"):
            _show(session, response.task)
            # A task that failed may have been sent back since.
            (bad.add if response.task.state in ENDED_BADLY else bad.discard)(response.task.task_id)
            continue
        if response.bookmark.gap:
            session.out.remark("changes were missed; what follows is how the tasks stand now")
        for task_id in response.bookmark.missing_task_ids:
            if task_id not in missing:
                missing.add(task_id)
                session.out.error(f"there is no task {task_id}")
    exit_if(bool(bad or missing))


def _show(session: Session, task: task_pb2.Task) -> None:
    document: dict[str, Any] = describe(task)
    parts = [task.task_id, document["state"], task.custom_state, task.spec.name, task.error.message]
    session.out.line("  ".join(filter(None, parts)), document)
