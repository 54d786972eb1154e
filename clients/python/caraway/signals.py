"""The signals, by Celery's names and with Celery's arguments; docs/signals.md says where each is sent.

@task_failure.connect
def note(sender, task_id, exception, **kwargs):
    print(f"{sender.name}[{task_id}] failed: {exception}")
"""

from typing import Final

from caraway.dispatch import Signal

__all__ = [
    "after_task_publish",
    "before_task_publish",
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

task_success: Final = Signal("task_success", {"result"})
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
