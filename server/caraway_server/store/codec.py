"""Records and tokens as they stand in the store."""

from collections.abc import Mapping

from caraway_server.core.task import Record, State
from caraway_server.core.workflow import WorkflowRecord, WorkflowState

_TEXT = {
    "n": "name",
    "q": "queue",
    "w": "worker_id",
    "S": "custom_state",
    "C": "cancel_mode",
    "Cr": "cancel_reason",
    "y": "ended_by",
    "F": "workflow",
    "K": "blame",
    "V": "replaced_by",
}
_NUMBERS = {
    "p": "priority",
    "k": "sequence",
    "r": "revision",
    "c": "created",
    "e": "fence",
    "a": "retries",
    "v": "deliveries",
    "o": "lost",
    "d": "due",
    "x": "expires",
    "b": "started",
    "z": "ended",
    "u": "purge",
    "N": "number",
    "G": "collect",
    "M": "edges",
    "B": "pending",
    "Q": "depth",
    "Ms": "members_succeeded",
    "Mf": "members_failed",
}
_BLOBS = {"t": "spec", "f": "fingerprint", "R": "result", "E": "error", "P": "progress", "I": "inputs"}


def record_from(task_id: str, fields: Mapping[bytes, bytes]) -> Record | None:
    """The record behind a hash's fields; None where there is none, or only its tombstone."""
    state = fields.get(b"s")
    if state is None or int(state) == State.TOMBSTONE:
        return None
    values: dict[str, object] = {"task_id": task_id, "state": State(int(state))}
    for field, raw in fields.items():
        letter = field.decode()
        if name := _NUMBERS.get(letter):
            values[name] = int(raw)
        elif name := _TEXT.get(letter):
            values[name] = raw.decode()
        elif name := _BLOBS.get(letter):
            values[name] = raw
    values["collect"] = bool(values.get("collect"))
    return Record(**values)  # type: ignore[arg-type]


_WORKFLOW_TEXT = {
    "m": "name", "Et": "error_text", "K": "blame", "C": "cancel_mode", "Cr": "cancel_reason",
}  # fmt: skip
_WORKFLOW_NUMBERS = {
    "c": "created", "z": "ended_at", "u": "purge", "r": "revision", "t": "accepted", "n": "made", "b": "blocked",
    "U": "parts", "l": "last_part", "w": "open",
}  # fmt: skip


def workflow_from(workflow_id: str, fields: Mapping[bytes, bytes]) -> WorkflowRecord | None:
    """The workflow behind a hash's fields; None where there is none, or only its tombstone."""
    state = fields.get(b"s")
    if state is None or int(state) == State.TOMBSTONE:
        return None
    values: dict[str, object] = {"workflow_id": workflow_id, "state": WorkflowState(int(state))}
    ended = {}
    for field, raw in fields.items():
        letter = field.decode()
        if name := _WORKFLOW_NUMBERS.get(letter):
            values[name] = int(raw)
        elif name := _WORKFLOW_TEXT.get(letter):
            values[name] = raw.decode()
        elif letter == "E":
            values["error"] = raw
        elif letter[0] == "e" and letter[1:]:
            ended[State(int(letter[1:]))] = int(raw)
    values["open"] = bool(values.get("open"))
    return WorkflowRecord(**values, ended=ended)  # type: ignore[arg-type]


def token_for(task_id: str, fence: str) -> str:
    """The lease token of a delivery; opaque to everybody else."""
    return f"{fence}.{task_id}"


def token_parts(token: str) -> tuple[str, str]:
    """The task's id and the fence of a token; a token that is none yields a fence that no delivery has."""
    fence, dot, task_id = token.partition(".")
    return (task_id, fence) if dot and fence.isdecimal() else (token, "none")
