"""`caraway retry`."""

from collections.abc import Sequence

import click

from caraway.commands.connection import Session, chunks, exit_if, operator_command
from caraway.commands.filters import choice_options, task_filter
from caraway.commands.tasks import show_results
from caraway.readings import pages
from caraway.v1 import task_pb2, task_service_pb2

__all__ = ["retry_command"]

_Result = task_service_pb2.RetryTasksResponse.Result


@operator_command("retry")
@click.argument("task_ids", nargs=-1)
@click.option("--dead", is_flag=True, help="Every FAILED task that the options below choose.")
@choice_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def retry_command(
    session: Session,
    task_ids: tuple[str, ...],
    dead: bool,
    queues: tuple[str, ...],
    names: tuple[str, ...],
    stamps: tuple[str, ...],
    kinds: tuple[str, ...],
    since: str | None,
    until: str | None,
    yes: bool,
) -> None:
    """Send tasks that ended without success back to their queues. Exit code 1 where one was not retried."""
    if dead == bool(task_ids):
        raise click.UsageError("name tasks, or give --dead")
    if not dead:
        if queues or names or stamps or kinds or since or until:
            raise click.UsageError("--queue, --name, --stamp, --error-kind, --since and --until need --dead")
        retried = [
            _retry(session, chunk) for chunk in session.out.in_steps("retrying", chunks(task_ids), len(task_ids))
        ]
        exit_if(not all(retried))
        return
    if not yes:
        click.confirm("Retry every FAILED task that these options choose?", abort=True, err=True)
    well, found = True, 0
    # The list goes from the latest purge time on: a task that fails again meanwhile is behind us.
    chosen = task_filter(["FAILED"], queues, names, stamps, kinds, since, until)
    for page in session.out.in_steps("retrying", pages(session.client, chosen)):
        if page:
            found += len(page)
            well &= _retry(session, [task.task_id for task in page])
    session.out.remark(f"{found} FAILED tasks were found")
    exit_if(not well)


def _retry(session: Session, ids: Sequence[str]) -> bool:
    request = task_service_pb2.RetryTasksRequest(selector=task_pb2.TaskSelector(task_ids=ids))
    response = session.client.ask("RetryTasks", request)
    return show_results(session, response.results, _Result.Outcome, frozenset({_Result.OUTCOME_QUEUED}))
