"""What receivers of signals are told of a process of the worker, from its start to its end."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from caraway.app import Caraway
from caraway.exceptions import ImproperlyConfigured
from caraway.signals import (
    celeryd_after_setup,
    celeryd_init,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
)
from caraway.worker import WorkerInstance
from caraway_worker import log_of_app
from caraway_worker.options import ChildOptions


class WrongOptions(ImproperlyConfigured):
    """The command line has what is no option of the app's, or lacks one."""


_OF_THE_PROCESS = ("socket", "shared", "supervisor", "environment", "arguments")


def instance_of(app: Caraway, options: ChildOptions, own: Mapping[str, Any] = MappingProxyType({})) -> WorkerInstance:
    """The worker that a process with these options belongs to; `own` are the app's own options."""
    return WorkerInstance(app, options.worker, options.supervisor, options.pool, options.slots, own)


def found(app: Caraway, options: ChildOptions) -> WorkerInstance:
    """The app is found; its modules are not imported yet. Returns the worker that this process belongs to.

    Raises WrongOptions.
    """
    own = _own_options(app, options)
    instance = instance_of(app, options, own)
    known = {name: value for name, value in asdict(options).items() if name not in _OF_THE_PROCESS}
    celeryd_init.send(
        sender=options.worker,
        instance=instance,
        conf=app.conf,
        options={**known, **own, "app": app},
    )
    return instance


def _own_options(app: Caraway, options: ChildOptions) -> Mapping[str, Any]:
    if not options.arguments and not app.user_options:
        return {}
    # Here and not above: click takes 50 ms to load, and most apps have no options of their own.
    from click import UsageError  # noqa: PLC0415

    from caraway import user_options  # noqa: PLC0415

    try:
        return user_options.read(app, "worker", options.arguments)
    except UsageError as error:
        raise WrongOptions(error.format_message()) from error


def imported(app: Caraway, options: ChildOptions, instance: WorkerInstance) -> None:
    """All modules are imported; no task is taken yet."""
    log_of_app.set_up(app, options)
    worker_init.send(sender=instance)
    celeryd_after_setup.send(sender=options.worker, instance=instance, conf=app.conf)
    if not options.is_service:
        worker_process_init.send(sender=options.worker)


def ended(options: ChildOptions) -> None:
    """All that was assigned has ended."""
    if not options.is_service:
        worker_process_shutdown.send(sender=options.worker, pid=os.getpid(), exitcode=0)
