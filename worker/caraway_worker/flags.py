"""Types of command line options, and the options of Celery's worker that have nothing to do here."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click


class Seconds(click.ParamType[timedelta]):
    """A duration in seconds."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it."""
        if isinstance(value, timedelta):
            return value
        try:
            return timedelta(seconds=float(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)


class Names(click.ParamType[tuple[str, ...]]):
    """Names with commas between them."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Read them."""
        if isinstance(value, tuple):
            return value
        return tuple(name.strip() for name in str(value).split(",") if name.strip())


class Scale(click.ParamType[tuple[int, int]]):
    """The most and the fewest processes: MAX,MIN, or MAX alone."""

    name = "scale"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read them; Celery's 0 as the fewest is 1: one child is always there."""
        if isinstance(value, tuple):
            return value
        most, _, fewest = str(value).partition(",")
        try:
            return int(most), max(1, int(fewest or 1))
        except ValueError:
            self.fail(f"{value!r} is not MAX,MIN", param, ctx)


_ACCEPTED = (
    (("-B", "--beat"), "beat", "schedules do not exist yet in this version: nothing is scheduled"),
    (("-E", "--task-events"), "task_events", "the gateway keeps what Celery's workers tell in events"),
    (("--without-gossip",), "without_gossip", "workers do not gossip"),
    (("--without-mingle",), "without_mingle", "workers do not mingle"),
    (("--without-heartbeat",), "without_heartbeat", "a worker without heartbeats would lose its leases; it sends them"),
)


def accepted_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add flags that programs of Celery's users give: each is answered by a warning, and changes nothing."""

    @functools.wraps(command)
    def warn_and_call(**options: Any) -> Any:
        for names, option, why in _ACCEPTED:
            if options.pop(option) and not options.get("adopt"):
                click.echo(f"Warning: {names[-1]} has no effect: {why}", err=True)
        return command(**options)

    wrapped: Callable[..., Any] = warn_and_call
    for names, option, why in reversed(_ACCEPTED):
        wrapped = click.option(*names, option, is_flag=True, help=f"Accepted with a warning: {why}.")(wrapped)
    return wrapped
