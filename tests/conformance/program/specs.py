"""Specs of the suite as calls of the library."""

from datetime import datetime
from typing import Any

from caraway import Caraway
from caraway.ids import uuid7
from caraway.payload import decode
from caraway.spec import fill
from caraway.unique import Unique
from caraway.v1 import task_pb2

SAME = ("task_id", "queue", "priority", "headers", "ignore_result", "result_ttl")


def read(text: str) -> Any:
    """Read a value of a request."""
    return decode(task_pb2.Payload(json=text))


def call_of(task: dict[str, Any]) -> dict[str, Any]:
    """Give the arguments of `app.send_task`."""
    options = {name: task[name] for name in SAME if name in task}
    if "delay" in task:
        options["countdown"] = task["delay"]
    if "schedule_time" in task:
        options["eta"] = datetime.fromisoformat(task["schedule_time"])
    if "ttl" in task:
        options["expires"] = task["ttl"]
    if "expire_time" in task:
        options["expires"] = datetime.fromisoformat(task["expire_time"])
    limits = task.get("time_limits", {})
    if "soft" in limits:
        options["soft_time_limit"] = limits["soft"]
    if "hard" in limits:
        options["time_limit"] = limits["hard"]
    if "ack_mode" in task:
        options["acks_late"] = task["ack_mode"] == "ON_FINISH"
    if "unique" in task:
        rule = task["unique"]
        options["unique"] = Unique(rule["key"], rule.get("window"), rule.get("on_conflict", "REJECT").lower())
    args, kwargs = read(task.get("args", "[]")), read(task.get("kwargs", "{}"))
    return {"name": task["name"], "args": args, "kwargs": kwargs, **options}


def submit(app: Caraway, task: dict[str, Any]) -> str:
    """Submit a task, and give its id."""
    call = call_of(task)
    if "retry_policy" not in task:
        return app.send_task(**call).id
    # Python's tasks say themselves how they are retried (autoretry_for); a policy of the call is the gateway's alone.
    spec = task_pb2.TaskSpec()
    name, args, kwargs = call.pop("name"), call.pop("args"), call.pop("kwargs")
    fill(spec, call.pop("task_id", None) or uuid7(), name, args, kwargs, call)  # type: ignore[arg-type]
    for field, value in task["retry_policy"].items():
        if field.endswith("_backoff"):
            getattr(spec.retry_policy, field).FromNanoseconds(int(value * 1e9))
        elif field.endswith("_types"):
            getattr(spec.retry_policy, field).extend(value)
        else:
            setattr(spec.retry_policy, field, value)
    return app.gateway.submit(spec)
