"""`caraway revoke` and `caraway delete`."""

from typing import Any

import click

from caraway.commands.connection import Session, chunks, exit_if, operator_command
from caraway.commands.filters import read_stamps
from caraway.stamp_revocation import revoking_stamped
from caraway.steps import carry_out
from caraway.v1 import task_pb2, task_service_pb2

__all__ = ["delete_command", "revoke_command", "show_results"]


def show_results(session: Session, results: Any, outcome_names: Any, well: frozenset[int]) -> bool:
    """Write what became of each task. True: all are `well`."""
    for result in results:
        outcome = outcome_names.Name(result.outcome).removeprefix("OUTCOME_")
        session.out.line(f"{result.task_id}  {outcome}", {"task_id": result.task_id, "outcome": outcome})
    return all(result.outcome in well for result in results)


@operator_command("revoke")
@click.argument("task_ids", nargs=-1)
@click.option("--stamp", "stamps", multiple=True, metavar="NAME=VALUE", help="Every unended task with this stamp.")
@click.option("--terminate", is_flag=True, help="Kill those that run; without, they go on.")
@click.option("--signal", help="With --terminate: send this to the process. Default: SIGTERM.")
@click.option("--reason", default="", help="Why; kept with the task.")
def revoke_command(
    session: Session,
    task_ids: tuple[str, ...],
    stamps: tuple[str, ...],
    terminate: bool,
    signal: str | None,
    reason: str,
) -> None:
    """Revoke tasks: what has not started never starts. Exit code 1 where one had ended before, or is not there."""
    if signal and not terminate:
        raise click.UsageError("--signal needs --terminate")
    if bool(stamps) == bool(task_ids):
        raise click.UsageError("name tasks, or give --stamp")
    if stamps:
        steps = revoking_stamped(read_stamps(stamps), terminate=terminate, signal=signal, reason=reason or None)
        for task_id in carry_out(session.client, steps):
            session.out.line(task_id, {"task_id": task_id})
        return
    outcomes = task_service_pb2.RevokeTasksResponse.Result
    modes = task_service_pb2.RevokeTasksRequest
    well = True
    for chunk in session.out.in_steps("revoking", chunks(task_ids), len(task_ids)):
        request = task_service_pb2.RevokeTasksRequest(
            selector=task_pb2.TaskSelector(task_ids=chunk),
            mode=modes.MODE_TERMINATE if terminate else modes.MODE_PENDING_ONLY,
            reason=reason,
            signal=signal or "",
        )
        good = frozenset({outcomes.OUTCOME_REVOKED, outcomes.OUTCOME_CANCEL_REQUESTED})
        well &= show_results(session, session.client.revoke(request).results, outcomes.Outcome, good)
    exit_if(not well)


@operator_command("delete")
@click.argument("task_ids", nargs=-1, required=True)
def delete_command(session: Session, task_ids: tuple[str, ...]) -> None:
    """Forget ended tasks with their results. Exit code 1 where one has not ended, or is not there."""
    outcomes = task_service_pb2.DeleteTasksResponse.Result
    well = True
    for chunk in session.out.in_steps("deleting", chunks(task_ids), len(task_ids)):
        request = task_service_pb2.DeleteTasksRequest(selector=task_pb2.TaskSelector(task_ids=chunk))
        good = frozenset({outcomes.OUTCOME_DELETED})
        well &= show_results(session, session.client.delete(request).results, outcomes.Outcome, good)
    exit_if(not well)
