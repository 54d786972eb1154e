"""What receivers of signals are told of a process of the worker, from its start to its end."""

import os
from dataclasses import asdict

from caraway.app import Caraway
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

_OF_THE_PROCESS = ("socket", "shared", "supervisor", "environment")


def instance_of(app: Caraway, options: ChildOptions) -> WorkerInstance:
    """The worker that a process with these options belongs to."""
    return WorkerInstance(app, options.worker, options.supervisor, options.pool, options.slots)


def found(app: Caraway, options: ChildOptions) -> None:
    """The app is found; its modules are not imported yet."""
    known = {name: value for name, value in asdict(options).items() if name not in _OF_THE_PROCESS}
    celeryd_init.send(
        sender=options.worker,
        instance=instance_of(app, options),
        conf=app.conf,
        options={**known, "app": app},
    )


def imported(app: Caraway, options: ChildOptions) -> None:
    """All modules are imported; no task is taken yet."""
    log_of_app.set_up(app, options)
    instance = instance_of(app, options)
    worker_init.send(sender=instance)
    celeryd_after_setup.send(sender=options.worker, instance=instance, conf=app.conf)
    if not options.is_service:
        worker_process_init.send(sender=options.worker)


def ended(options: ChildOptions) -> None:
    """All that was assigned has ended."""
    if not options.is_service:
        worker_process_shutdown.send(sender=options.worker, pid=os.getpid(), exitcode=0)
