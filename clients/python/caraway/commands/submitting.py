"""`caraway call`."""

from datetime import timedelta
from typing import Any, TextIO, cast

import click

from caraway.commands.connection import Session, operator_command
from caraway.commands.filters import read_stamps
from caraway.commands.instants import read_instant, read_span
from caraway.commands.reading import show_outcome
from caraway.commands.settings_options import Duration
from caraway.commands.submitting_many import json_of, spec_of, submit_lines
from caraway.compression import NAMES
from caraway.ids import uuid7
from caraway.serialization import SAFE
from caraway.spec import CallOptions

__all__ = ["call_command"]


@operator_command("call")
@click.argument("name")
@click.option("--args", "args_text", metavar="JSON", default="[]", help="Positional arguments, a JSON list.")
@click.option("--kwargs", "kwargs_text", metavar="JSON", default="{}", help="Keyword arguments, a JSON object.")
@click.option("--queue", help="Where it waits. Default: default.")
@click.option("--priority", type=click.IntRange(0, 9), help="Higher first. Default: 4.")
@click.option("--countdown", metavar="DURATION", type=Duration(), help="Start that much later.")
@click.option("--eta", metavar="INSTANT", help="Start not before this: ISO 8601 with a time zone.")
@click.option("--expires", metavar="DURATION|INSTANT", help="End as EXPIRED when not started by then.")
@click.option("--serializer", type=click.Choice(SAFE), help="How the arguments are written. Default: json.")
@click.option("--compression", type=click.Choice(NAMES), help="How they are compressed. Default: not.")
@click.option("--argsrepr", metavar="TEXT", help="What lists show instead of the positional arguments.")
@click.option("--kwargsrepr", metavar="TEXT", help="What lists show instead of the keyword arguments.")
@click.option(
    "--acks-late/--no-acks-late", default=None, help="At least or at most once. Default: as the worker's task."
)
@click.option("--stamp", "marks", multiple=True, metavar="NAME=VALUE", help="A mark to find it by.")
@click.option("--task-id", help="Its id; repeating the call with it is safe. Default: a new UUIDv7.")
@click.option("--wait", metavar="DURATION", type=Duration(), help="Wait for its end, and write its result.")
@click.option("--many", type=click.File(encoding="utf-8"), help="A task a line: a JSON list, or an object; -: stdin.")
def call_command(
    session: Session,
    name: str,
    args_text: str,
    kwargs_text: str,
    queue: str | None,
    priority: int | None,
    countdown: timedelta | None,
    eta: str | None,
    expires: str | None,
    task_id: str | None,
    wait: timedelta | None,
    many: TextIO | None,
    marks: tuple[str, ...],
    **shape: Any,
) -> None:
    """Submit the task NAME; write its id or, with --wait, what it returned. With --many, submit a task a line."""
    options: CallOptions = {"queue": queue, "priority": priority}
    options.update(cast(CallOptions, shape))
    if marks:
        options["stamps"] = {name: values[0] for name, values in read_stamps(marks).items()}
    if countdown is not None:
        options["countdown"] = countdown.total_seconds()
    if eta is not None:
        options["eta"] = read_instant("--eta", eta)
    if expires is not None:
        span = read_span(expires)
        options["expires"] = read_instant("--expires", expires) if span is None else span
    if many is not None:
        if task_id or wait is not None or args_text != "[]" or kwargs_text != "{}":
            raise click.UsageError("--many goes with neither --args, --kwargs, --task-id nor --wait")
        submit_lines(session, name, many, options)
        return
    task_id = task_id or uuid7()
    args, kwargs = json_of("--args", args_text, list), json_of("--kwargs", kwargs_text, dict)
    session.client.submit(spec_of(task_id, name, args, kwargs, options))
    if wait is None:
        session.out.line(task_id, {"task_id": task_id})
        return
    session.out.remark(f"task {task_id}")
    show_outcome(session, session.client.wait(task_id, wait.total_seconds()))
