"""The options of Celery's worker that have nothing to do here."""

import functools
from collections.abc import Callable
from typing import Any

import click

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
            if options.pop(option) and not options.get("setting_adopt"):
                click.echo(f"Warning: {names[-1]} has no effect: {why}", err=True)
        return command(**options)

    wrapped: Callable[..., Any] = warn_and_call
    for names, option, why in reversed(_ACCEPTED):
        wrapped = click.option(*names, option, is_flag=True, help=f"Accepted with a warning: {why}.")(wrapped)
    return wrapped
