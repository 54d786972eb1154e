"""What the supervisor tells a child on its command line."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class ChildOptions:
    """Arguments: `socket` and `shared` are descriptors; `worker` is the node's name; seconds, and KiB of memory."""

    app: str
    worker: str
    supervisor: int
    socket: int
    shared: int
    log_level: int
    soft: float | None
    hard: float | None
    max_tasks: int | None
    max_memory: int | None

    def to_text(self) -> str:
        """Return it as one argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "ChildOptions":
        """Read what `to_text` wrote."""
        return cls(**json.loads(text))


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
