"""The options that choose tasks."""

import contextlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
from google.protobuf.timestamp_pb2 import Timestamp

from caraway.commands.instants import read_instant, read_span
from caraway.commands.task_form import kind_name, state_name
from caraway.stamps import fill_stamps
from caraway.v1 import task_pb2

__all__ = ["choice_options", "read_stamps", "state_option", "task_filter"]

_STATES: Final = {state_name(value): value for value in task_pb2.Task.State.values() if value}
_KINDS: Final = {kind_name(value): value for value in task_pb2.TaskError.Kind.values() if value}

state_option: Final = click.option(
    "--state", "states", multiple=True, type=click.Choice(list(_STATES), case_sensitive=False), help="In this state."
)


def choice_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add --queue, --name, --stamp, --error-kind, each of which may be given more than once, --since and --until."""
    kind = click.Choice(list(_KINDS), case_sensitive=False)
    for option in (
        click.option("--until", metavar="DURATION|INSTANT", help="Submitted before this, or that long ago."),
        click.option("--since", metavar="DURATION|INSTANT", help="Submitted at this time, or that long ago, or later."),
        click.option("--error-kind", "kinds", multiple=True, type=kind, help="Ended with an error of this kind."),
        click.option("--stamp", "stamps", multiple=True, metavar="NAME=VALUE", help="With this stamp."),
        click.option("--name", "names", multiple=True, help="Of this task name."),
        click.option("--queue", "queues", multiple=True, help="In, or from, this queue."),
    ):
        function = option(function)
    return function


def task_filter(
    states: Sequence[str],
    queues: Sequence[str],
    names: Sequence[str],
    stamps: Sequence[str],
    kinds: Sequence[str],
    since: str | None,
    until: str | None,
) -> task_pb2.TaskFilter:
    """Make the filter that these options stand for. Raises UsageError for times that are none."""
    chosen = task_pb2.TaskFilter(
        created_after=_moment("--since", since),
        created_before=_moment("--until", until),
        states=[_STATES[name] for name in states],
        queues=queues,
        names=names,
        error_kinds=[_KINDS[name] for name in kinds],
    )
    fill_stamps(chosen.stamps, read_stamps(stamps))
    return chosen


def read_stamps(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Read NAME=VALUE pairs; what may be a number or a boolean is looked for as that too. Raises UsageError."""
    found: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.UsageError(f"--stamp needs NAME=VALUE: {text}")
        values = found.setdefault(name, [])
        values.append(value)
        with contextlib.suppress(ValueError):
            plain = json.loads(value)
            if isinstance(plain, int | float):
                values.append(plain)
    return found


def _moment(option: str, text: str | None) -> Timestamp | None:
    if text is None:
        return None
    moment, span = Timestamp(), read_span(text)
    if span is not None:
        moment.FromDatetime(datetime.now(UTC) - timedelta(seconds=span))
        return moment
    instant = read_instant(option, text)
    if instant.tzinfo is None:
        raise click.UsageError(f"{option} needs a time zone, as in 2030-01-31T12:00:00Z: {text}")
    moment.FromDatetime(instant)
    return moment
