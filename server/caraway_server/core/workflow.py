"""Workflows: their graphs, and the rules by which nodes are decided. The store's graph.lua applies the same rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from heapq import heappop, heappush

from caraway_server.core.task import FAILURES, Record, State


class On(IntEnum):
    """On what outcome of its node an edge fires; the numbers are the contract's."""

    SUCCESS = 1
    FAILURE = 2
    TERMINAL = 3
    OWN_FAILURE = 4


FAILURE_EDGES = frozenset({On.FAILURE, On.OWN_FAILURE})


class Outcome(Enum):
    """What the end of a node means to those that come after it."""

    SUCCESS = "it succeeded"
    FAILURE = "it failed by itself"
    DEPENDENCY = "it failed because a node before it did"
    NEITHER = "it was ignored, or not needed"


class Verdict(Enum):
    """What becomes of a node once all nodes before it have ended."""

    RUNS = "it runs; a collect succeeds"
    FAILS = "it fails, because one that was to succeed did"
    SKIPPED = "it is not needed"


class WorkflowState(IntEnum):
    """Where a workflow stands; the numbers are the contract's."""

    RUNNING = 1
    SUCCEEDED = 2
    FAILED = 3
    CANCELLED = 4


@dataclass(frozen=True, slots=True)
class WorkflowRecord:
    """A workflow as the store keeps it. Times are microseconds of the store's clock; 0 is "not set"."""

    workflow_id: str
    state: WorkflowState
    name: str
    revision: int
    created: int
    accepted: int
    made: int = 0
    blocked: int = 0
    parts: int = 0
    last_part: int = 0
    open: bool = False
    ended_at: int = 0
    purge: int = 0
    error: bytes | None = None
    error_text: str = ""
    blame: str = ""
    cancel_mode: str = ""
    cancel_reason: str = ""
    ended: Mapping[State, int] = field(default_factory=dict)
    culprit: Record | None = None
    """The record of the task that `blame` names, where it was read too."""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens to it, unless it is retried."""
        return self.state is not WorkflowState.RUNNING


def outcome_of(record: Record) -> Outcome:
    """What a terminal node's end means."""
    if record.state is State.SUCCEEDED:
        return Outcome.SUCCESS
    if record.state not in FAILURES:
        return Outcome.NEITHER
    return Outcome.DEPENDENCY if record.blame else Outcome.FAILURE


def fires(on: On, outcome: Outcome, *, into_collect: bool = False) -> bool:
    """Whether an edge fires. Ignored and skipped nodes complete a collect, and send nothing on."""
    if on is On.SUCCESS:
        return outcome is Outcome.SUCCESS or (into_collect and outcome is Outcome.NEITHER)
    if on is On.FAILURE:
        return outcome in (Outcome.FAILURE, Outcome.DEPENDENCY)
    if on is On.OWN_FAILURE:
        return outcome is Outcome.FAILURE
    return True


def first_failure(edges: Sequence[tuple[On, Outcome]]) -> int | None:
    """The first failure edge that fires: the one whose error is handed on."""
    return next(
        (index for index, (on, outcome) in enumerate(edges) if on in FAILURE_EDGES and fires(on, outcome)), None
    )


def decide(edges: Sequence[tuple[On, Outcome]], *, is_collect: bool = False) -> tuple[Verdict, int | None]:
    """What becomes of a node, and the edge that it fails by (None: it does not).

    Args:
        edges: in their order, each with the outcome of its node.
        is_collect: whether the node is a collect.
    """
    dead = [
        index for index, (on, outcome) in enumerate(edges)
        if on not in FAILURE_EDGES and not fires(on, outcome, into_collect=is_collect)
    ]  # fmt: skip
    failed = [index for index in dead if edges[index][1] is not Outcome.NEITHER]
    if failed:
        return Verdict.FAILS, failed[0]
    waits_for_failure = any(on in FAILURE_EDGES for on, _ in edges)
    if dead or (waits_for_failure and first_failure(edges) is None):
        return Verdict.SKIPPED, None
    return Verdict.RUNS, None


class CycleError(ValueError):
    """The graph has a cycle; `node` is one of the nodes on it, or after it."""

    def __init__(self, node: str) -> None:
        super().__init__(f"node {node!r} comes after itself, or after a node that does")
        self.node = node


def in_order(before: Mapping[str, Sequence[str]]) -> list[str]:
    """The nodes in an order in which none stands before a node that it comes after, else as they were given.

    Args:
        before: for each node those that it comes after; names that are no keys don't matter.

    Raises:
        CycleError: there is no such order.
    """
    places = {node: place for place, node in enumerate(before)}
    after: dict[str, list[str]] = {}
    waits = dict.fromkeys(before, 0)
    for node, sources in before.items():
        for source in sources:
            if source in places:
                after.setdefault(source, []).append(node)
                waits[node] += 1
    ready = [places[node] for node, count in waits.items() if count == 0]  # ascending, so a heap
    names = list(before)
    ordered = []
    while ready:
        node = names[heappop(ready)]
        ordered.append(node)
        for successor in after.get(node, ()):
            waits[successor] -= 1
            if waits[successor] == 0:
                heappush(ready, places[successor])
    if len(ordered) < len(names):
        raise CycleError(next(node for node in names if waits[node]))
    return ordered
