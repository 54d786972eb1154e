"""What a child tells of the app that it has loaded."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """One registered task: its name, its own limits in seconds, and some of its options."""

    name: str
    soft: float | None
    hard: float | None
    track_started: bool
    reject_on_worker_lost: bool = True
    acks_late: bool = True


@dataclass(frozen=True, slots=True)
class Catalog:
    """The app: how it reaches the gateway (as environment variables), its queues, and whether others may be served too,
    what to do with unknown names ("wait" or "fail"), and its tasks.

    `worker` has the settings of a worker that the app's configuration names, by the fields of `settings.Settings`.
    `log_line` is the form of the log's lines that it names, `log_times` that of times in it; empty: none.
    `listens` names the signals of the worker's main part that have receivers, `commands` the app's own commands.
    """

    app: str
    client: dict[str, str] = field(repr=False)  # it may hold a token
    queues: tuple[str, ...]
    any_queue: bool
    unknown_task: str
    tasks: tuple[TaskEntry, ...]
    listens: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    worker: dict[str, Any] = field(default_factory=dict)
    log_line: str = ""
    log_times: str = ""

    def to_bytes(self) -> bytes:
        """Return it as the body of a READY frame."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> "Catalog":
        """Read the body of a READY frame."""
        fields = json.loads(body)
        fields["queues"] = tuple(fields["queues"])
        fields["tasks"] = tuple(TaskEntry(**entry) for entry in fields["tasks"])
        fields["listens"], fields["commands"] = tuple(fields["listens"]), tuple(fields["commands"])
        return cls(**fields)
