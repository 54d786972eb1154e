"""What receivers of before_task_publish and after_task_publish are told of a task, in Celery's words."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from caraway import request
from caraway.payload import decode_arguments
from caraway.signals import after_task_publish, before_task_publish
from caraway.spec import CallOptions
from caraway.v1 import task_pb2

__all__ = ["after", "before"]

DEFAULT_QUEUE = "default"


def before(
    task_id: str, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: CallOptions
) -> CallOptions:
    """Send before_task_publish; returns the options with the headers as receivers left them.

    `headers` has the task's own headers, beside what Celery's have of a task (`id`, `task`, `root_id`, `parent_id`,
    `shadow`, `eta`, `expires`, `timelimit`), which can be read and not changed.
    """
    running = request.current()
    inside = running is not None and not running.called_directly
    facts: dict[str, Any] = {
        "id": task_id,
        "task": name,
        "root_id": (running.root_id or running.id) if inside and running is not None else task_id,
        "parent_id": running.id if inside and running is not None else None,
        "shadow": options.get("shadow"),
        "eta": options.get("eta"),
        "expires": options.get("expires"),
        "timelimit": [options.get("time_limit"), options.get("soft_time_limit")],
    }
    given = options.get("headers") or {}
    headers = {**given, **facts}
    before_task_publish.send(
        sender=name,
        body=(tuple(args), dict(kwargs), {}),
        exchange="",
        routing_key=options.get("queue") or DEFAULT_QUEUE,
        headers=headers,
        properties={"correlation_id": task_id, "priority": options.get("priority")},
        declare=[],
        retry_policy=options.get("retry_policy"),
    )
    own = {
        name: given[name] if name in facts else value
        for name, value in headers.items()
        if name not in facts or name in given
    }
    return cast(CallOptions, {**options, "headers": own})


def after(spec: task_pb2.TaskSpec) -> None:
    """Send after_task_publish for a task that the gateway has taken."""
    headers: dict[str, Any] = dict(spec.headers)
    root, parent = headers.pop(request.ROOT_HEADER, spec.task_id), headers.pop(request.PARENT_HEADER, None)
    shadow = headers.pop(request.SHADOW_HEADER, None)
    headers |= {"id": spec.task_id, "task": spec.name, "root_id": root, "parent_id": parent, "shadow": shadow}
    after_task_publish.send(
        sender=spec.name,
        body=(*decode_arguments(spec), {}),
        exchange="",
        routing_key=spec.queue or DEFAULT_QUEUE,
        headers=headers,
    )
