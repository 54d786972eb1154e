"""Tasks: their states, the legal transitions, and what is kept of them."""

from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """Where a task stands; the numbers are the contract's. docs/states.md draws it, a test holds both together."""

    BLOCKED = 1
    SCHEDULED = 2
    QUEUED = 3
    LEASED = 4
    RUNNING = 5
    RETRYING = 6
    SUCCEEDED = 7
    FAILED = 8
    REVOKED = 9
    EXPIRED = 10
    REJECTED = 11
    IGNORED = 12
    REPLACED = 13
    SKIPPED = 14
    TOMBSTONE = 99


WAITING = frozenset({State.SCHEDULED, State.QUEUED, State.RETRYING})
HELD = frozenset({State.LEASED, State.RUNNING})
TERMINAL = frozenset(
    {State.SUCCEEDED, State.FAILED, State.REVOKED, State.EXPIRED, State.REJECTED, State.IGNORED, State.SKIPPED},
)
FAILURES = frozenset({State.FAILED, State.REVOKED, State.EXPIRED, State.REJECTED})

_ENDS_OF_A_DELIVERY = TERMINAL - {State.SKIPPED} | {State.QUEUED, State.RETRYING, State.REPLACED}
_RUN_AGAIN = frozenset({State.TOMBSTONE, State.QUEUED, State.BLOCKED})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.BLOCKED: TERMINAL - {State.IGNORED, State.REJECTED} | {State.QUEUED, State.SCHEDULED},
    State.SCHEDULED: frozenset({State.QUEUED, State.REVOKED, State.EXPIRED}),
    State.QUEUED: frozenset({State.LEASED, State.REVOKED, State.EXPIRED}),
    State.LEASED: _ENDS_OF_A_DELIVERY | {State.RUNNING},
    State.RUNNING: _ENDS_OF_A_DELIVERY,
    State.RETRYING: frozenset({State.QUEUED, State.REVOKED, State.EXPIRED}),
    State.REPLACED: TERMINAL,
    State.SUCCEEDED: frozenset({State.TOMBSTONE, State.BLOCKED}),
    State.IGNORED: frozenset({State.TOMBSTONE, State.QUEUED}),
    **{state: _RUN_AGAIN | {State.REPLACED} for state in FAILURES},
    State.SKIPPED: frozenset({State.TOMBSTONE, State.BLOCKED, State.REPLACED}),
    State.TOMBSTONE: frozenset(),
}


# Reports after which an attempt is over and not yet counted: `retry` has counted it; `released`, and a `started` that
# came too late, were none.
_ENDS_OF_AN_ATTEMPT = frozenset({"succeeded", "failed", "rejected", "cancelled", "ignored", "lost", "replaced"})


@dataclass(frozen=True, slots=True)
class Record:
    """A task as the store keeps it. Times are microseconds of the store's clock; 0 is "not set"."""

    task_id: str
    state: State
    name: str
    queue: str
    priority: int
    revision: int
    created: int
    spec: bytes
    fingerprint: bytes
    sequence: int = 0
    fence: int = 0
    worker_id: str = ""
    retries: int = 0
    deliveries: int = 0
    lost: int = 0
    due: int = 0
    expires: int = 0
    started: int = 0
    ended: int = 0
    purge: int = 0
    result: bytes | None = None
    error: bytes | None = None
    progress: bytes | None = None
    custom_state: str = ""
    cancel_mode: str = ""
    cancel_reason: str = ""
    ended_by: str = ""
    workflow: str = ""
    number: int = 0
    collect: bool = False
    edges: int = 0
    pending: int = 0
    depth: int = 0
    members_succeeded: int = 0
    members_failed: int = 0
    inputs: bytes = b""
    blame: str = ""
    replaced_by: str = ""
    culprit: "Record | None" = None
    """The record that `blame` names, where it was read too."""

    @property
    def attempt(self) -> int:
        """Attempts begun, the running one included."""
        begun = self.state in HELD or self.state is State.REPLACED
        return self.retries + (begun or (self.is_terminal and self.ended_by in _ENDS_OF_AN_ATTEMPT))

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in TERMINAL
