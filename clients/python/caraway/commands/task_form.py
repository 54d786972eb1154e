"""Tasks as documents: what commands write of them."""

import base64
import json
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from caraway.exceptions import PayloadError
from caraway.json_text import encode_text
from caraway.payload import decode
from caraway.stamps import stamps_of
from caraway.v1 import task_pb2

__all__ = [
    "ENDED_BADLY",
    "describe",
    "failure",
    "failure_text",
    "instant",
    "kind_name",
    "payload_document",
    "state_name",
]

_State = task_pb2.Task
ENDED_BADLY: Final = frozenset({_State.STATE_FAILED, _State.STATE_REVOKED, _State.STATE_EXPIRED, _State.STATE_REJECTED})
"""Ended, and without what the caller wanted."""


def state_name(state: int) -> str:
    """Name a state as --state takes it."""
    return _State.State.Name(state).removeprefix("STATE_")  # type: ignore[arg-type]


def kind_name(kind: int) -> str:
    """Name the kind of an error as --error-kind takes it."""
    return task_pb2.TaskError.Kind.Name(kind).removeprefix("KIND_")  # type: ignore[arg-type]


def instant(message: Any, field: str) -> str | None:
    """Give a time in UTC, to the second; None where it is not set."""
    if not message.HasField(field):
        return None
    value: Timestamp = getattr(message, field)
    return Timestamp(seconds=value.seconds).ToJsonString()


def describe(task: task_pb2.Task) -> dict[str, Any]:
    """Give a task as it stands. Arguments that were given another text to be shown by are never shown themselves."""
    document: dict[str, Any] = {
        "task_id": task.task_id,
        "state": state_name(task.state),
        "name": task.spec.name,
        "queue": task.spec.queue,
        "priority": task.spec.priority,
        "attempt": task.attempt,
        "delivery_count": task.delivery_count,
        "lost_count": task.lost_count or None,
        "worker_id": task.worker_id or None,
        "custom_state": task.custom_state or None,
        "cancel_reason": task.cancel_reason or None,
        "parent_task_id": task.spec.parent_task_id or None,
        "stamps": stamps_of(task.spec) or None,
        **_arguments(task.spec),
    }
    for field in ("create_time", "start_time", "next_attempt_time", "end_time", "purge_time"):
        document[field] = instant(task, field)
    if task.HasField("progress"):
        document["progress"] = payload_document(task.progress)
    if task.HasField("error"):
        document["error"] = _error(task.error)
    return {name: value for name, value in document.items() if value is not None}


def failure(task: task_pb2.Task) -> str:
    """Say in one line how a task ended that did not succeed."""
    said = failure_text(task.error)
    return ": ".join(filter(None, (f"the task {task.task_id} ended {state_name(task.state)}", said)))


def failure_text(error: task_pb2.TaskError) -> str:
    """Say in one line what an error says; empty: nothing."""
    return ": ".join(filter(None, (error.type, error.message)))


def payload_document(payload: task_pb2.Payload) -> Any:
    """Give a payload as JSON, its tags as they are (docs/payload.md); in base64 where it can't be read here."""
    body = payload.WhichOneof("body")
    if body == "json":
        return json.loads(payload.json)
    if body is None:
        return None
    try:
        return json.loads(encode_text(decode(payload)))
    except PayloadError:
        # A pickle, which is never read here, or what only its own program knows.
        return {
            "content_type": payload.content_type,
            "content_encodings": list(payload.content_encodings),
            "base64": base64.b64encode(payload.data).decode(),
        }


def _arguments(spec: task_pb2.TaskSpec) -> dict[str, Any]:
    given: Any = payload_document(spec.payload)
    given = given if isinstance(given, dict) else {}
    # The BASIC view has the texts only. One text hides its own half: the other is shown where it is there.
    return {
        "args": spec.args_repr or (_text(given["args"]) if given.get("args") else None),
        "kwargs": spec.kwargs_repr or (_text(given["kwargs"]) if given.get("kwargs") else None),
    }


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _error(error: task_pb2.TaskError) -> dict[str, Any]:
    found = {
        "kind": kind_name(error.kind),
        "type": error.type,
        "message": error.message,
        "traceback": error.traceback,
    }
    return {name: value for name, value in found.items() if value}
