"""What receivers of before_task_publish and after_task_publish are told of a task, in Celery's words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from caraway import request
from caraway.payload import ReadingRules, decode_arguments
from caraway.queues import DEFAULT_QUEUE
from caraway.signals import after_task_publish, before_task_publish
from caraway.spec import CallOptions
from caraway.v1 import task_pb2

__all__ = ["after", "before"]


def before(
    task_id: str,
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    options: CallOptions,
    turned: Callable[[int], int],
    family: tuple[str, str | None] | None = None,
) -> CallOptions:
    """Send before_task_publish; returns the options with the headers as receivers left them.

    `turned` turns a priority into the app's words. `family` are the ids of root and parent, by default as a submit from
    here has them.

    `headers` has the task's own headers, beside what Celery's have of a task (`id`, `task`, `root_id`, `parent_id`,
    `shadow`, `eta`, `expires`, `timelimit`), which can be read and not changed.
    """
    root_id, parent_id = family or _family(task_id)
    facts: dict[str, Any] = {
        "id": task_id,
        "task": name,
        "root_id": root_id,
        "parent_id": parent_id,
        "shadow": options.get("shadow"),
        "eta": options.get("eta"),
        "expires": options.get("expires"),
        "timelimit": [options.get("time_limit"), options.get("soft_time_limit")],
    }
    given = options.get("headers") or {}
    headers = {**given, **facts}
    priority = options.get("priority")
    before_task_publish.send(
        sender=name,
        body=(tuple(args), dict(kwargs), {}),
        exchange="",
        routing_key=options.get("queue") or DEFAULT_QUEUE,
        headers=headers,
        properties={"correlation_id": task_id, "priority": None if priority is None else turned(priority)},
        declare=[],
        retry_policy=options.get("retry_policy"),
    )
    own = {
        name: given[name] if name in facts else value
        for name, value in headers.items()
        if name not in facts or name in given
    }
    return cast(CallOptions, {**options, "headers": own})


def _family(task_id: str) -> tuple[str, str | None]:
    running = request.current()
    if running is None or running.called_directly:
        return task_id, None
    return running.root_id or running.id, running.id


def after(spec: task_pb2.TaskSpec, rules: ReadingRules) -> None:
    """Send after_task_publish for a task that the gateway has taken; `rules` are those of the app that wrote it."""
    headers: dict[str, Any] = dict(spec.headers)
    root, parent = headers.pop(request.ROOT_HEADER, spec.task_id), headers.pop(request.PARENT_HEADER, None)
    shadow = headers.pop(request.SHADOW_HEADER, None)
    headers |= {"id": spec.task_id, "task": spec.name, "root_id": root, "parent_id": parent, "shadow": shadow}
    after_task_publish.send(
        sender=spec.name,
        body=(*decode_arguments(spec, rules), {}),
        exchange="",
        routing_key=spec.queue or DEFAULT_QUEUE,
        headers=headers,
    )
