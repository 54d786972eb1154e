"""`caraway call --many`: a task a line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

import click

from caraway.collector import Collector
from caraway.commands.connection import Session, exit_if
from caraway.exceptions import DecodeError, PayloadError
from caraway.ids import uuid7
from caraway.json_text import decode_text
from caraway.spec import CallOptions, fill
from caraway.v1 import task_pb2, task_service_pb2

__all__ = ["json_of", "spec_of", "submit_lines"]


def json_of(what: str, text: str, *kinds: type) -> Any:
    """Read a JSON list or object. Raises click.UsageError."""
    words = " or ".join("a list" if kind is list else "an object" for kind in kinds)
    try:
        value = decode_text(text)
    except DecodeError as error:
        raise click.UsageError(f"{what} is to be {words} of JSON: {error}") from error
    if type(value) not in kinds:
        raise click.UsageError(f"{what} is to be {words} of JSON")
    return value


def spec_of(
    task_id: str, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: CallOptions
) -> task_pb2.TaskSpec:
    """Make a task to be submitted. Raises click.UsageError."""
    spec = task_pb2.TaskSpec()
    try:
        fill(spec, task_id, name, args, dict(kwargs), options)
    except (TypeError, ValueError, PayloadError) as error:
        raise click.UsageError(str(error)) from error
    return spec


def submit_lines(session: Session, name: str, lines: TextIO, options: CallOptions) -> None:
    """Submit a task for each line, and write the ids. All lines are read first: a wrong one lets nothing be sent."""
    batches = list(_batches(name, lines, options))
    refused = False
    for batch in session.out.in_steps("submitting", batches, sum(map(len, batches))):
        response = session.client.submit_batch(task_service_pb2.BatchSubmitTasksRequest(requests=batch))
        for request, result in zip(batch, response.results, strict=True):
            task_id = request.task.task_id
            if result.WhichOneof("outcome") == "error":
                refused = True
                session.out.error(f"{task_id}: {result.error.message}")
            else:
                session.out.line(task_id, {"task_id": task_id})
    exit_if(refused)


def _batches(name: str, lines: TextIO, options: CallOptions) -> Iterator[Sequence[task_service_pb2.SubmitTaskRequest]]:
    """Read the lines into batches, each of which fits into one message."""
    collector = Collector()
    for number, line in enumerate(lines, 1):
        if line.strip():
            collector.begin().CopyFrom(_spec(number, line, name, options))
            if full := collector.end():
                yield full.requests
    if rest := collector.take():
        yield rest.requests


def _spec(number: int, line: str, name: str, options: CallOptions) -> task_pb2.TaskSpec:
    what = f"line {number}"
    given = json_of(what, line.strip(), list, dict)
    if isinstance(given, list):
        given = {"args": given}
    if unknown := given.keys() - {"args", "kwargs", "task_id"}:
        raise click.UsageError(f"{what} has {', '.join(sorted(unknown))}; there are args, kwargs and task_id")
    task_id = given.get("task_id") or uuid7()
    if not isinstance(task_id, str):
        raise click.UsageError(f"{what}: task_id is to be text")
    args, kwargs = given.get("args", []), given.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise click.UsageError(f"{what}: args is to be a list, kwargs an object")
    return spec_of(task_id, name, args, kwargs, options)
