"""Tasks as the suite reads them."""

from typing import Any

from caraway.payload import decode, encode
from caraway.v1 import task_pb2
from conformance.program.failures import error_of, state_name


def task_of(task: task_pb2.Task) -> dict[str, Any]:
    """Write a task; values go through the library's reader and writer."""
    return {
        "task_id": task.task_id,
        "state": state_name(task),
        "name": task.spec.name,
        "queue": task.spec.queue,
        "priority": task.spec.priority if task.spec.HasField("priority") else None,
        "attempt": task.attempt,
        "delivery_count": task.delivery_count,
        "lost_count": task.lost_count,
        "revision": task.revision,
        "custom_state": task.custom_state or None,
        "progress": encode(decode(task.progress)).json if task.HasField("progress") else None,
        "result": encode(decode(task.result)).json if task.HasField("result") else None,
        "error": error_of(task.error) if task.HasField("error") else None,
        "cancel_reason": task.cancel_reason or None,
    }
