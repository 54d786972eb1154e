"""What goes into the store's transitions and what comes out. Times are microseconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from caraway_server.core.inputs import InputPart
from caraway_server.core.task import Record, State
from caraway_server.core.workflow import WorkflowState


@dataclass(frozen=True, slots=True)
class Limits:
    """What the store holds every task to.

    Attributes:
        max_queue_length: tasks that may wait in one queue.
        result_ttl: how long an ended task is kept unless it says otherwise.
        max_lost: lost deliveries after which a task is quarantined.
        lease: how long a delivery lasts without renewal.
        reaper_gap: a longer pause between two passes of the reaper is an outage.
        dedup_window: how long the id of a deleted task stays taken.
        horizon: how far ahead an instant may lie.
        wait_replicas: replicas that must have a change before it is answered.
        max_workflow_nodes: nodes of one workflow.
        hold: after which a script that can leave the rest to its next call does so; at least one task is handled.
    """

    max_queue_length: int = 10_000_000
    result_ttl: int = 86_400_000_000
    max_lost: int = 5
    lease: int = 15_000_000
    reaper_gap: int = 5_000_000
    dedup_window: int = 600_000_000
    horizon: int = 315_360_000_000_000
    wait_replicas: int = 0
    max_workflow_nodes: int = 1_000_000
    hold: int = 5_000


class NewTask(NamedTuple):
    """A task to be accepted. `at` and `until` are instants, `delay` and `ttl` times from acceptance; 0 is "not set".

    A tuple, in the order in which the script takes it: tens of thousands a second are made and packed.
    """

    task_id: str
    fingerprint: bytes
    spec: bytes
    name: str
    queue: str
    priority: int
    at: int = 0
    delay: int = 0
    until: int = 0
    ttl: int = 0
    result_ttl: int = 0
    watch: bool = False
    ignore_result: bool = False
    unique_key: str = ""
    unique_window: int = 0
    on_conflict: str = "r"
    once: bool = False
    parent: str = ""


class Submitted(NamedTuple):
    """How a task was taken, in the order in which the script tells it.

    `word` is created, replaced, known, deleted, deduplicated, conflict, unique_conflict, queue_full, too_far or
    rejected; `holder` the task that holds the uniqueness key.
    """

    word: str
    state: int
    revision: int
    created: int
    due: int
    holder: str = ""


@dataclass(frozen=True, slots=True)
class LeaseWish:
    """What a worker would take: at most `count` tasks of these queues and names (None: any), `max_bytes` in all."""

    worker_id: str
    queues: Sequence[str]
    names: Sequence[str] | None
    count: int
    max_bytes: int


class Lease(NamedTuple):
    """One delivery. `expires_in` is the time until the task expires, 0 where it does not.

    `ready` is since when it could be leased. `inputs` are the packed edges of a node of a workflow, `handed` what comes
    along them; with `more_inputs` that is to be read in pages.
    """

    task_id: str
    fence: str
    spec: bytes
    retries: int
    created: int
    expires_in: int
    deliveries: int
    name: str = ""
    queue: str = ""
    priority: int = 0
    inputs: bytes = b""
    handed: tuple[InputPart, ...] = ()
    more_inputs: bool = False
    ready: int = 0


class ReportKind(StrEnum):
    """What a worker reports of a delivery."""

    STARTED = "started"
    PROGRESS = "progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETRY = "retry"
    RELEASED = "released"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    IGNORED = "ignored"
    LOST = "lost"
    REPLACED = "replaced"


class Report(NamedTuple):
    """A report: `blob` is the result, the error or the progress; `wait` goes with RETRY; `ran_for` is 0 where unknown.

    The blob of a LOST one is the error under which the task ends if it was lost too often. `parts` are nodes that come
    with it, as batches.parts_of_nodes() packs them, `node_count` how many; `output` goes with REPLACED. `once` goes
    with STARTED: this delivery runs at most once, whether the task was submitted so or not.
    """

    kind: ReportKind
    task_id: str
    fence: str
    ran_for: int = 0
    blob: bytes = b""
    wait: int = 0
    custom_state: str = ""
    override: "Override | None" = None
    parts: tuple[bytes, ...] = ()
    node_count: int = 0
    output: str = ""
    once: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """What a retried task is to be different in: its whole new spec, and "", -1 or 0 where nothing changes."""

    spec: bytes
    queue: str = ""
    priority: int = -1
    until: int = 0
    ttl: int = 0


@dataclass(frozen=True, slots=True)
class LossErrors:
    """The errors, as bytes of the contract, under which lost deliveries end a task.

    Attributes:
        quarantined: lost too often.
        lost: lost once, and it may run only once.
        lapsed: of a workflow whose producer vanished.
    """

    quarantined: bytes = b""
    lost: bytes = b""
    lapsed: bytes = b""


NO_ERRORS = LossErrors()


class Reported(NamedTuple):
    """What became of a report: ok, lease_lost or not_found; the task's state; whether its cancellation is asked for."""

    word: str
    state: int
    cancel_requested: bool


@dataclass(frozen=True, slots=True)
class Cancel:
    """A cancellation to be told to the worker that holds the delivery.

    `mode` is p (only what has not started), c (tell it) or t (tell and kill); `worker_id` is empty in answers to a
    renewal.
    """

    task_id: str
    fence: str
    mode: str
    reason: str
    grace: int
    signal: str
    worker_id: str = ""


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a renewal found: the tokens (id, fence) that are lost, and the cancellations asked for."""

    lost: list[tuple[str, str]] = field(default_factory=list)
    cancels: list[Cancel] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of a duty: how many tasks it moved, and in how many seconds the next one is due (None: nothing is)."""

    count: int
    next_in: float | None


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """Note: a task that this gateway watches changed; the record comes with it where this gateway itself ended it."""

    task_id: str
    state: State
    revision: int
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class WorkArrived:
    """Note: there is work in a queue that this gateway's workers found empty."""

    queue: str


@dataclass(frozen=True, slots=True)
class Missed:
    """Note: notes may have been lost; look at everything again."""


@dataclass(frozen=True, slots=True)
class WorkflowChanged:
    """Note: a workflow that this gateway watches changed."""

    workflow_id: str
    state: WorkflowState
    revision: int


@dataclass(frozen=True, slots=True)
class RelayDue:
    """Note: a workflow has something to be done next."""


@dataclass(frozen=True, slots=True)
class DueChanged:
    """Note: a task was scheduled that is due before all others."""


@dataclass(frozen=True, slots=True)
class CommandGiven:
    """Note: these workers are to do something; `command` is a message of the contract."""

    worker_ids: frozenset[str]
    command: bytes


@dataclass(frozen=True, slots=True)
class CommandAnswered:
    """Note: a worker answered a command that this gateway gave; `reply` is a message of the contract."""

    command_id: str
    worker_id: str
    reply: bytes


Note = (
    TaskChanged
    | WorkArrived
    | Cancel
    | Missed
    | DueChanged
    | WorkflowChanged
    | RelayDue
    | CommandGiven
    | CommandAnswered
)
