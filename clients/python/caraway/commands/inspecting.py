"""`caraway inspect`: what Celery's users ask of workers; most is answered from the store, and no worker is asked."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import click

from caraway.commands.asking import APP_TIMEOUT, Answers, choose, conclude, read_arguments, show_answers
from caraway.commands.connection import Session, operator_command
from caraway.commands.settings_options import Duration
from caraway.commands.task_form import describe
from caraway.commands.workers import describe_worker
from caraway.readings import tasks_held, tasks_of_queues
from caraway.settings import DURATION
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


_ASKED: Final = ("ping", "conf", "report")
"""What only the workers themselves can tell."""


class _Method(click.Choice[str]):
    """What is asked: one of these, or a command of the app, whose names only workers know."""

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """As the usage has it."""
        return "METHOD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take any."""
        return str(value)


@operator_command("inspect")
@click.argument("method", type=_Method([*_METHODS, *_ASKED]))
@click.argument("arguments", nargs=-1, metavar="[VALUE|NAME=VALUE]...")
@click.option("-d", "--destination", "wanted", multiple=True, help="Only this worker, by name or id; may be repeated.")
@click.option(
    "-t", "--timeout", metavar="DURATION", type=Duration(), default=None,
    help=f"How long workers that are asked are waited for.  [default: 1s; for commands of the app {APP_TIMEOUT}]",
)  # fmt: skip
def inspect_command(
    session: Session, method: str, arguments: tuple[str, ...], wanted: tuple[str, ...], timeout: timedelta | None
) -> None:
    """Show what workers do, most of it from the store: there no worker is asked, so a busy one answers too.

    active: tasks that run; reserved: leased, and not reported as begun; scheduled: tasks that wait for their time in
    queues that the worker serves (they wait in the store); registered: tasks that it knows; active_queues; stats.

    Asked of the workers: ping; conf: settings that differ from their defaults; report: versions, platform, settings;
    and any command of the app (docs/extending.md), with its arguments.

    Exit code 1 where no worker is there, or not the one that is named, or one that is asked is silent or answers with
    an error.
    """
    if arguments and (method in _METHODS or method in _ASKED):
        raise click.UsageError(f"{method} takes no arguments; a worker is named by --destination")
    workers, missing = choose(session, wanted)
    answers = Answers()
    if workers and method in _METHODS:
        columns, rows = _METHODS[method]
        session.out.table(columns, rows(session, workers))
    elif workers:
        patience = timeout or DURATION.read("1s" if method in _ASKED else APP_TIMEOUT)
        answers = show_answers(session, method, read_arguments(arguments), workers, patience)
    conclude(session, workers, missing, answers)
