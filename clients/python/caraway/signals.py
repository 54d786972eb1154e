"""The signals, by Celery's names and with Celery's arguments; docs/signals.md says where each is sent.

@task_failure.connect
def note(sender, task_id, exception, **kwargs):
    print(f"{sender.name}[{task_id}] failed: {exception}")
"""

from typing import Final

from caraway.dispatch import Signal

__all__ = [
    "after_setup_logger",
    "after_setup_task_logger",
    "after_task_publish",
    "before_task_publish",
    "celeryd_after_setup",
    "celeryd_init",
    "heartbeat_sent",
    "import_modules",
    "setup_logging",
    "task_failure",
    "task_internal_error",
    "task_postrun",
    "task_prerun",
    "task_received",
    "task_rejected",
    "task_retry",
    "task_revoked",
    "task_success",
    "task_unknown",
    "user_preload_options",
    "worker_init",
    "worker_process_init",
    "worker_process_shutdown",
    "worker_ready",
    "worker_shutdown",
    "worker_shutting_down",
]

before_task_publish: Final = Signal(
    "before_task_publish", {"body", "exchange", "routing_key", "headers", "properties", "declare", "retry_policy"}
)
"""A task is about to be submitted; the sender is its name. What a receiver adds to `headers` is sent."""

after_task_publish: Final = Signal("after_task_publish", {"body", "exchange", "routing_key", "headers"})
"""A task was submitted; the sender is its name."""

task_received: Final = Signal("task_received", {"request"})
"""A worker was given a task."""

task_prerun: Final = Signal("task_prerun", {"task_id", "task", "args", "kwargs"})
"""An attempt begins."""

task_postrun: Final = Signal("task_postrun", {"task_id", "task", "args", "kwargs", "retval", "state"})
"""An attempt has ended, however."""

task_success: Final = Signal("task_success", {"result", "runtime"})
task_retry: Final = Signal("task_retry", {"request", "reason", "einfo"})
task_failure: Final = Signal("task_failure", {"task_id", "exception", "args", "kwargs", "traceback", "einfo"})

task_internal_error: Final = Signal(
    "task_internal_error", {"task_id", "args", "kwargs", "request", "exception", "traceback", "einfo"}
)
"""What a task returned or raised could not be written down, for a reason that is not its own."""

task_revoked: Final = Signal("task_revoked", {"request", "terminated", "signum", "expired"})
"""A task that a worker has was revoked, or expired."""

task_rejected: Final = Signal("task_rejected", {"message", "exc"})
"""A worker was given a task whose arguments can't be read."""

task_unknown: Final = Signal("task_unknown", {"message", "exc", "name", "id"})
"""A worker was given a task that its app does not know."""

user_preload_options: Final = Signal("user_preload_options", {"app", "options"})
"""A command was given options that the app adds to all: `app.user_options["preload"]`."""

import_modules: Final = Signal("import_modules")
"""A program imports the app's modules of tasks; the sender is the app."""

celeryd_init: Final = Signal("celeryd_init", {"instance", "conf", "options"})
"""A process of a worker has found the app, and nothing else yet; the sender is the worker's name."""

worker_init: Final = Signal("worker_init")
"""A process of a worker has imported its modules; the sender is the worker."""

celeryd_after_setup: Final = Signal("celeryd_after_setup", {"instance", "conf"})
"""A process of a worker is set up; the sender is the worker's name."""

setup_logging: Final = Signal("setup_logging", {"loglevel", "logfile", "format", "colorize"})
"""A process of a worker has imported its modules. With a receiver, that does all of the log: nothing is set up."""

after_setup_logger: Final = Signal("after_setup_logger", {"logger", "loglevel", "logfile", "format", "colorize"})
"""The log is set up, in the root logger, which receivers may change."""

after_setup_task_logger: Final = Signal(
    "after_setup_task_logger", {"logger", "loglevel", "logfile", "format", "colorize"}
)
"""The same of the parent of all tasks' loggers, caraway.task."""

worker_process_init: Final = Signal("worker_process_init")
"""A process that runs tasks is about to take the first; the sender is the worker's name."""

worker_process_shutdown: Final = Signal("worker_process_shutdown", {"pid", "exitcode"})
"""A process that runs tasks has run its last, and exits; the sender is the worker's name."""

worker_ready: Final = Signal("worker_ready")
"""A worker takes tasks; the sender is the worker."""

heartbeat_sent: Final = Signal("heartbeat_sent")
"""A worker has renewed its leases; the sender is the worker."""

worker_shutting_down: Final = Signal("worker_shutting_down", {"sig", "how", "exitcode"})
"""A worker begins to end, or goes on to a sooner end; the sender is the worker's name."""

worker_shutdown: Final = Signal("worker_shutdown")
"""A worker is about to exit: all its tasks have ended, and are reported; the sender is the worker."""
