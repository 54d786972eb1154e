"""`caraway call`."""

from datetime import datetime
from typing import Any

import click

from caraway.commands.connection import Session, operator_command
from caraway.commands.reading import show_outcome
from caraway.exceptions import DecodeError, EncodeError
from caraway.ids import uuid7
from caraway.payload import decode_text
from caraway.spec import CallOptions, fill
from caraway.v1 import task_pb2

__all__ = ["call_command"]


@operator_command("call")
@click.argument("name")
@click.option("--args", "args_text", metavar="JSON", default="[]", help="Positional arguments, a JSON list.")
@click.option("--kwargs", "kwargs_text", metavar="JSON", default="{}", help="Keyword arguments, a JSON object.")
@click.option("--queue", help="Where it waits. Default: default.")
@click.option("--priority", type=click.IntRange(0, 9), help="Higher first. Default: 4.")
@click.option("--countdown", metavar="SECONDS", type=click.FloatRange(min=0), help="Start that much later.")
@click.option("--eta", metavar="INSTANT", help="Start not before this: ISO 8601 with a time zone.")
@click.option("--expires", metavar="SECONDS|INSTANT", help="End as EXPIRED when not started by then.")
@click.option("--task-id", help="Its id; repeating the call with it is safe. Default: a new UUIDv7.")
@click.option("--wait", metavar="SECONDS", type=click.FloatRange(min=0), help="Wait for its end, and write its result.")
def call_command(
    session: Session,
    name: str,
    args_text: str,
    kwargs_text: str,
    queue: str | None,
    priority: int | None,
    countdown: float | None,
    eta: str | None,
    expires: str | None,
    task_id: str | None,
    wait: float | None,
) -> None:
    """Submit the task NAME; write its id or, with --wait, what it returned."""
    options: CallOptions = {"queue": queue, "priority": priority, "countdown": countdown}
    if eta is not None:
        options["eta"] = _instant("--eta", eta)
    if expires is not None:
        span = _span(expires)
        options["expires"] = _instant("--expires", expires) if span is None else span
    args, kwargs = _json("--args", args_text, list), _json("--kwargs", kwargs_text, dict)
    spec = task_pb2.TaskSpec()
    task_id = task_id or uuid7()
    try:
        fill(spec, task_id, name, args, kwargs, options)
    except (TypeError, ValueError, EncodeError) as error:
        raise click.UsageError(str(error)) from error
    session.client.submit(spec)
    if wait is None:
        session.out.line(task_id, {"task_id": task_id})
        return
    session.out.remark(f"task {task_id}")
    show_outcome(session, session.client.wait(task_id, wait))


def _json(option: str, text: str, kind: type) -> Any:
    word = "a list" if kind is list else "an object"
    try:
        value = decode_text(text)
    except DecodeError as error:
        raise click.UsageError(f"{option} is to be {word} of JSON: {error}") from error
    if type(value) is not kind:
        raise click.UsageError(f"{option} is to be {word} of JSON, not {text}")
    return value


def _span(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _instant(option: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"{option} is no instant like 2030-01-31T12:00:00Z: {text}") from error
