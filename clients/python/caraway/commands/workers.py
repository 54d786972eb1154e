"""`caraway workers`."""

from typing import Any

import click

from caraway.commands.connection import Session, operator_command
from caraway.commands.subcommands import ListByDefault
from caraway.commands.task_form import instant
from caraway.readings import read_workers
from caraway.v1 import control_service_pb2

__all__ = ["describe_worker", "workers_command"]

_COLUMNS = ("worker_id", "name", "state", "queues", "leases", "concurrency", "heartbeat_time")


def describe_worker(worker: control_service_pb2.Worker) -> dict[str, Any]:
    """Give a worker as a document."""
    info = worker.info
    document = {
        "worker_id": worker.worker_id,
        "name": info.name or None,
        "state": control_service_pb2.Worker.State.Name(worker.state).removeprefix("STATE_"),
        "queues": list(worker.queues),
        "task_names": list(worker.task_names),
        "leases": worker.lease_count,
        "concurrency": info.concurrency or None,
        "pool": info.pool or None,
        "hostname": info.hostname or None,
        "pid": info.pid or None,
        "sdk": info.sdk or None,
        "language": info.language or None,
        "connect_time": instant(worker, "connect_time"),
        "heartbeat_time": instant(worker, "heartbeat_time"),
    }
    return {name: value for name, value in document.items() if value is not None}


@click.group(cls=ListByDefault, name="workers")
def workers_command() -> None:
    """List workers (without a subcommand), or show one."""


@operator_command("list")
def _list(session: Session) -> None:
    """List workers that were seen of late."""
    session.out.table(_COLUMNS, map(describe_worker, read_workers(session.client)))


@operator_command("show")
@click.argument("worker_id")
def _show(session: Session, worker_id: str) -> None:
    """Show one worker."""
    response = session.client.ask("GetWorker", control_service_pb2.GetWorkerRequest(worker_id=worker_id))
    session.out.facts(describe_worker(response.worker))


workers_command.add_command(_list)
workers_command.add_command(_show)
