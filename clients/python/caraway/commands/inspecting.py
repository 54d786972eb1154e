"""`caraway inspect`: what Celery's users ask of workers, answered from the store; no worker is asked."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import click

from caraway.commands.connection import Session, exit_if, operator_command
from caraway.commands.task_form import describe
from caraway.commands.workers import describe_worker
from caraway.readings import tasks_held, tasks_of_queues, workers_there
from caraway.v1 import control_service_pb2, task_pb2

__all__ = ["inspect_command"]

_Worker = control_service_pb2.Worker
_TASK_COLUMNS: Final = ("worker", "task_id", "name", "queue", "attempt", "start_time", "args", "kwargs")

Rows = Iterator[dict[str, Any]]


def _held(state: task_pb2.Task.State.ValueType) -> Callable[[Session, list[_Worker]], Rows]:
    """Tasks in a state, by the worker that holds them."""

    def rows(session: Session, workers: list[_Worker]) -> Rows:
        for worker, task in tasks_held(session.client, workers, state):
            yield {"worker": worker.info.name, **describe(task)}

    return rows


def _scheduled(session: Session, workers: list[_Worker]) -> Rows:
    """They wait in the store; each is told of every worker that serves its queue."""
    states = [task_pb2.Task.STATE_SCHEDULED, task_pb2.Task.STATE_RETRYING]
    for worker, task in tasks_of_queues(session.client, workers, states):
        yield {"worker": worker.info.name, **describe(task)}


def _registered(_session: Session, workers: list[_Worker]) -> Rows:
    for worker in workers:
        # A worker that takes every name, known or not, has told none.
        for name in sorted(worker.task_names) or ["*"]:
            yield {"worker": worker.info.name, "task": name}


def _queues(_session: Session, workers: list[_Worker]) -> Rows:
    for worker in workers:
        for queue in worker.queues:
            yield {"worker": worker.info.name, "queue": queue}


def _stats(_session: Session, workers: list[_Worker]) -> Rows:
    for worker in workers:
        yield {"worker": worker.info.name, **describe_worker(worker)}


_METHODS: Final = {
    "active": (_TASK_COLUMNS, _held(task_pb2.Task.STATE_RUNNING)),
    "reserved": (_TASK_COLUMNS, _held(task_pb2.Task.STATE_LEASED)),
    "scheduled": (("worker", "task_id", "name", "queue", "next_attempt_time", "args", "kwargs"), _scheduled),
    "registered": (("worker", "task"), _registered),
    "active_queues": (("worker", "queue"), _queues),
    "stats": (("worker", "state", "pool", "concurrency", "leases", "pid", "connect_time", "heartbeat_time"), _stats),
}


@operator_command("inspect")
@click.argument("method", type=click.Choice(list(_METHODS)))
@click.option("-d", "--destination", "wanted", multiple=True, help="Only this worker, by name or id; may be repeated.")
def inspect_command(session: Session, method: str, wanted: tuple[str, ...]) -> None:
    """Show what workers do, from the store: no worker is asked, so a busy one answers too.

    active: tasks that run; reserved: leased, and not reported as begun; scheduled: tasks that wait for their time in
    queues that the worker serves (they wait in the store); registered: tasks that it knows; active_queues; stats. Exit
    code 1 where no worker is there, or not the one that is named.
    """
    workers = workers_there(session.client)
    known = {name for worker in workers for name in (worker.worker_id, worker.info.name)}
    missing = [name for name in wanted if name not in known]
    if wanted:
        workers = [worker for worker in workers if {worker.worker_id, worker.info.name} & set(wanted)]
    if workers:
        columns, rows = _METHODS[method]
        session.out.table(columns, rows(session, workers))
    for name in missing:
        session.out.error(f"there is no worker {name}")
    if not workers and not missing:
        session.out.error("no worker is there")
    exit_if(bool(missing) or not workers)
