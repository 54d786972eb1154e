"""`caraway queues` and `caraway purge`."""

from typing import Any

import click

from caraway.commands.connection import Session, operator_command
from caraway.commands.progress import progress
from caraway.commands.subcommands import ListByDefault
from caraway.commands.task_form import instant
from caraway.v1 import admin_service_pb2

__all__ = ["purge_command", "queues_command"]

_COLUMNS = ("name", "waiting", "queued", "max_length", "paused", "pause_note")


def _describe(queue: admin_service_pb2.Queue) -> dict[str, Any]:
    document = {
        "name": queue.name,
        "waiting": queue.waiting,
        "queued": queue.queued,
        "max_length": queue.max_length or None,
        "paused": queue.paused,
        "pause_note": queue.pause_note or None,
        "pause_time": instant(queue, "pause_time"),
    }
    return {name: value for name, value in document.items() if value is not None}


@click.group(cls=ListByDefault, name="queues")
def queues_command() -> None:
    """List queues (without a subcommand), pause, resume or limit one."""


@operator_command("list")
def _list(session: Session) -> None:
    """List queues: those that hold tasks, and those for which something was set."""
    request = admin_service_pb2.ListQueuesRequest()
    found: list[dict[str, Any]] = []
    while True:
        response = session.client.ask("ListQueues", request)
        found += map(_describe, response.queues)
        if not response.next_page_token:
            break
        request.page_token = response.next_page_token
    session.out.table(_COLUMNS, found)


@operator_command("pause")
@click.argument("name")
@click.option("--note", default="", help="Why, for whoever sees it paused.")
def _pause(session: Session, name: str, note: str) -> None:
    """Stop leasing from a queue; tasks are still accepted, and those that workers hold go on."""
    response = session.client.ask("PauseQueue", admin_service_pb2.PauseQueueRequest(name=name, note=note))
    session.out.facts(_describe(response.queue))


@operator_command("resume")
@click.argument("name")
def _resume(session: Session, name: str) -> None:
    """Lease from a paused queue again."""
    response = session.client.ask("ResumeQueue", admin_service_pb2.ResumeQueueRequest(name=name))
    session.out.facts(_describe(response.queue))


@operator_command("limit")
@click.argument("name")
@click.argument("max_length", type=click.IntRange(min=0))
def _limit(session: Session, name: str, max_length: int) -> None:
    """Let at most MAX_LENGTH tasks wait in a queue; 0 is the gateway's own limit."""
    request = admin_service_pb2.UpdateQueueRequest(name=name, max_length=max_length)
    session.out.facts(_describe(session.client.ask("UpdateQueue", request).queue))


for _command in (_list, _pause, _resume, _limit):
    queues_command.add_command(_command)


@operator_command("purge")
@click.argument("queue")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge_command(session: Session, queue: str, yes: bool) -> None:
    """Revoke every task that is QUEUED in a queue."""
    if not yes:
        click.confirm(f"Revoke every task that is QUEUED in {queue}?", abort=True, err=True)
    purged, more = 0, True
    with progress(f"purging {queue}") as advance:
        while more:
            response = session.client.ask("PurgeQueue", admin_service_pb2.PurgeQueueRequest(name=queue))
            purged += response.purged_count
            more = response.more
            advance(response.purged_count)
    session.out.line(f"{purged} tasks were revoked", {"queue": queue, "purged_count": purged})
