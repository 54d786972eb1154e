"""`caraway list` and `caraway count`."""

import click

from caraway.commands.connection import Session, operator_command
from caraway.commands.filters import choice_options, state_option, task_filter
from caraway.commands.task_form import describe
from caraway.readings import pages
from caraway.v1 import task_service_pb2

__all__ = ["count_command", "list_command"]

_COLUMNS = ("task_id", "state", "name", "queue", "attempt", "create_time", "args", "kwargs")


@operator_command("list")
@state_option
@choice_options
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Tasks at most.")
@click.option("--all", "unlimited", is_flag=True, help="Without a limit.")
def list_command(
    session: Session,
    states: tuple[str, ...],
    queues: tuple[str, ...],
    names: tuple[str, ...],
    stamps: tuple[str, ...],
    kinds: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int,
    unlimited: bool,
) -> None:
    """List tasks. Naming states makes it cheap; without, every task may be looked at."""
    chosen = task_filter(states, queues, names, stamps, kinds, since, until)
    found = session.out.in_steps("listing", pages(session.client, chosen, None if unlimited else limit))
    session.out.table(_COLUMNS, (describe(task) for page in found for task in page))


@operator_command("count")
@click.option("--by", type=click.Choice(["state", "queue"]), default="state", show_default=True, help="Group by this.")
def count_command(session: Session, by: str) -> None:
    """Count tasks by state, or those that wait by queue."""
    groups = task_service_pb2.CountTasksRequest
    group = groups.GROUP_BY_QUEUE if by == "queue" else groups.GROUP_BY_STATE
    response = session.client.ask("CountTasks", groups(group_by=group))
    counts = dict(sorted(response.counts.items()))
    if session.out.as_json:
        session.out.facts(counts)
    else:
        session.out.table((by, "tasks"), [{by: key, "tasks": number} for key, number in counts.items()])
