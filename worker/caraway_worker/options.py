"""What the supervisor tells a child on its command line."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace


@dataclass(frozen=True, slots=True)
class ChildOptions:
    """What a child is told.

    Arguments: `pool` is how its `slots` run tasks; `include` are modules to import after the app; `socket` and `shared`
    are descriptors; `worker` is the node's name, `index` the child's place in the pool, from 1; soft and hard limits in
    seconds; `max_memory` in KiB; `stdout_level` is the log level of what tasks print, None: it is left alone;
    `start_timeout` is how many seconds the app's import may take, 0: as long as it likes; `log_format` is "text" or
    "json"; `environment` is added to the child's, and stands on no command line: it has the token; `path` is where
    modules are looked for first; `is_service`: it runs no tasks, but what of the app's code belongs to none;
    `arguments` are those of the command line that only the app may know.
    """

    app: str
    worker: str
    supervisor: int
    socket: int
    shared: int
    log_level: int
    soft: float | None = None
    hard: float | None = None
    max_tasks: int | None = None
    max_memory: int | None = None
    pool: str = "process"
    slots: int = 1
    index: int = 0
    include: tuple[str, ...] = ()
    log_file: str = ""
    stdout_level: int | None = None
    start_timeout: float = 60.0
    log_format: str = "text"
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    path: tuple[str, ...] = ()
    is_service: bool = False
    arguments: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return it as one argument."""
        return json.dumps(asdict(replace(self, environment={})))

    @classmethod
    def from_text(cls, text: str) -> "ChildOptions":
        """Read what `to_text` wrote."""
        fields = json.loads(text)
        return cls(**fields | {name: tuple(fields[name]) for name in ("include", "path", "arguments")})


@dataclass(frozen=True, slots=True)
class Limits:
    """What the gateway allows, told to children in a LIMITS frame; the contract's defaults until it is known."""

    max_payload_bytes: int = 3 * 1024 * 1024
    max_message_bytes: int = 4 * 1024 * 1024
    max_batch_size: int = 500

    def to_bytes(self) -> bytes:
        """Return it as the body of a LIMITS frame."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> "Limits":
        """Read the body of a LIMITS frame."""
        return cls(**json.loads(body))
