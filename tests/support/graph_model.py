"""Random workflows, and a plain model of what they must come to: the rules of core/workflow.py, applied all at once."""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from caraway_server.core.task import FAILURES, State
from caraway_server.core.workflow import FAILURE_EDGES, On, Outcome, Verdict, decide, first_failure

RETURN, FAIL, IGNORE, STUMBLE, REPLACE, ADD = "return", "fail", "ignore", "stumble", "replace", "add"
STUMBLES = 2  # failures of one that stumbles
FIRST_ARG, LIST, KWARG = 1, 2, 3
_MOST_EDGES = 4
_DEEPEST = 2  # replacements in one another


@dataclass(frozen=True)
class PlayedEdge:
    """An edge from a node."""

    source: str
    on: On
    passing: int = 0

    @property
    def kwarg(self) -> str:
        """The keyword, where it is passed by one."""
        return f"k{self.source}" if self.passing == KWARG else ""


@dataclass(frozen=True)
class PlayedNode:
    """A node, and what its task does: `plan`, and with REPLACE and ADD the nodes that it comes up with.

    `joins`: a collect that is named again, with edges from the added nodes `joining`.
    """

    node_id: str
    edges: tuple[PlayedEdge, ...] = ()
    collect: bool = False
    plan: str = RETURN
    nodes: tuple["PlayedNode", ...] = ()
    output: str = ""
    joins: str = ""
    joining: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """How a node must end. `culprit`: the task that failed by itself, where another one did."""

    state: State
    value: object = None
    culprit: str = ""
    error: str = ""

    @property
    def outcome(self) -> Outcome:
        """What it means to those that come after."""
        if self.state is State.SUCCEEDED:
            return Outcome.SUCCESS
        if self.state not in FAILURES:
            return Outcome.NEITHER
        return Outcome.DEPENDENCY if self.culprit else Outcome.FAILURE


def digest(node_id: str, inputs: object) -> str:
    """What a task returns: a short text that any other input would change."""
    return hashlib.sha1(repr((node_id, inputs)).encode()).hexdigest()[:12]


# -- making -------------------------------------------------------------------------------------------------------


class Maker:
    """Makes random graphs.

    Args:
        chance: seeded.
        prefix: of all ids.
    """

    def __init__(self, chance: random.Random, prefix: str) -> None:
        self._chance = chance
        self._prefix = prefix
        self._made = 0
        self._joined: set[str] = set()

    def graph(self, count: int, depth: int = 0) -> list[PlayedNode]:
        """So many nodes, each after some of those before it."""
        nodes: list[PlayedNode] = []
        for _ in range(count):
            nodes.append(self._node(nodes, depth))
        return [self._with_addition(node, nodes) for node in nodes] if depth == 0 else nodes

    def _id(self) -> str:
        self._made += 1
        return f"{self._prefix}{self._made:03d}"

    def _node(self, before: Sequence[PlayedNode], depth: int) -> PlayedNode:
        chance = self._chance
        sources = chance.sample(before, min(len(before), chance.choice([0, 1, 1, 2, 2, 3, _MOST_EDGES])))
        if chance.random() < 0.2:
            on = chance.choice([On.SUCCESS, On.SUCCESS, On.TERMINAL])
            return PlayedNode(self._id(), tuple(PlayedEdge(source.node_id, on) for source in sources), collect=True)
        edges = tuple(
            PlayedEdge(
                source.node_id,
                chance.choices([On.SUCCESS, On.TERMINAL, On.FAILURE, On.OWN_FAILURE], [6, 3, 2, 1])[0],
                chance.choice([0, FIRST_ARG, LIST, KWARG]),
            )
            for source in sources
        )
        plan = chance.choices([RETURN, FAIL, IGNORE, STUMBLE, REPLACE], [14, 3, 1, 2, 2 if depth < _DEEPEST else 0])[0]
        if plan != REPLACE:
            return PlayedNode(self._id(), edges, plan=plan)
        node_id = self._id()
        nodes = self.graph(chance.randint(1, 4), depth + 1)
        tasks = [node for node in nodes if not node.collect]
        if not tasks:
            return PlayedNode(node_id, edges)
        return PlayedNode(node_id, edges, plan=REPLACE, nodes=tuple(nodes), output=chance.choice(tasks).node_id)

    def _with_addition(self, node: PlayedNode, graph: Sequence[PlayedNode]) -> PlayedNode:
        """Lets a task that returns add nodes, now and then, and members to a collect that it is in."""
        if node.collect or node.plan != RETURN or self._chance.random() > 0.15:
            return node
        added = [PlayedNode(self._id()), PlayedNode(self._id(), (PlayedEdge(node.node_id, On.SUCCESS, FIRST_ARG),))]
        joins = [
            one.node_id for one in graph
            if one.collect and any(edge.source == node.node_id and edge.on is On.SUCCESS for edge in one.edges)
            and one.node_id not in self._joined
        ]  # fmt: skip
        if not joins:
            return replace(node, plan=ADD, nodes=tuple(added))
        self._joined.add(joins[0])
        return replace(node, plan=ADD, nodes=tuple(added), joins=joins[0], joining=(added[0].node_id,))


def all_of(nodes: Sequence[PlayedNode]) -> Iterator[PlayedNode]:
    """The nodes, and those that they come up with."""
    for node in nodes:
        yield node
        yield from all_of(node.nodes)


# -- evaluating ---------------------------------------------------------------------------------------------------


@dataclass
class Model:
    """What a graph must come to.

    Attributes:
        graph: its nodes.
        kept: of an earlier run, how what is not run again has ended.
        replaced: tasks that were replaced in an earlier run.
    """

    graph: Sequence[PlayedNode]
    kept: Mapping[str, Ended] = field(default_factory=dict)
    replaced: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._nodes = {node.node_id: node for node in all_of(self.graph)}
        self._known: dict[str, Ended] = dict(self.kept)

    def ends(self) -> dict[str, Ended]:
        """How each node ends; those that never come to be are left out."""
        found: dict[str, Ended] = {}
        pending = list(self.graph)
        while pending:
            node = pending.pop()
            found[node.node_id] = self.end_of(node.node_id)
            if self.came_up_with_nodes(node.node_id):
                pending.extend(node.nodes)
        return found

    def came_up_with_nodes(self, node_id: str) -> bool:
        """Whether a task made the nodes of its plan."""
        node = self._nodes[node_id]
        if node.plan == ADD:
            return self.end_of(node_id).state is State.SUCCEEDED
        return node.plan == REPLACE and (node_id in self.replaced or self._verdict(node)[0] is Verdict.RUNS)

    def edges_of(self, node_id: str) -> tuple[PlayedEdge, ...]:
        """A node's edges; of a collect with those that were added to it."""
        node = self._nodes[node_id]
        extra = [
            PlayedEdge(joining, On.SUCCESS)
            for other in self.graph
            if other.joins == node_id and self.came_up_with_nodes(other.node_id)
            for joining in other.joining
        ]
        return (*node.edges, *extra)

    def end_of(self, node_id: str) -> Ended:
        """How one node ends."""
        if node_id not in self._known:
            self._known[node_id] = self._evaluate(self._nodes[node_id])
        return self._known[node_id]

    def _verdict(self, node: PlayedNode) -> tuple[Verdict, int | None]:
        edges = self.edges_of(node.node_id)
        return decide([(edge.on, self.end_of(edge.source).outcome) for edge in edges], is_collect=node.collect)

    def _evaluate(self, node: PlayedNode) -> Ended:
        if node.node_id in self.replaced:
            return self._as_replacement(node)
        verdict, failed_by = self._verdict(node)
        if verdict is Verdict.SKIPPED:
            return Ended(State.SKIPPED)
        if failed_by is not None:
            source = self.edges_of(node.node_id)[failed_by].source
            return Ended(State.FAILED, culprit=self.end_of(source).culprit or source)
        if node.collect:
            return Ended(State.SUCCEEDED, [self.leaf(edge.source) for edge in self.edges_of(node.node_id)])
        if node.plan == FAIL:
            return Ended(State.FAILED, error=node.node_id)
        if node.plan == IGNORE:
            return Ended(State.IGNORED)
        if node.plan == REPLACE:
            return self._as_replacement(node)
        return Ended(State.SUCCEEDED, digest(node.node_id, self.inputs_of(node.node_id)))

    def _as_replacement(self, node: PlayedNode) -> Ended:
        return self.end_of(node.output)

    def inputs_of(self, node_id: str) -> list[Any]:
        """What is handed on to a task."""
        edges = self._nodes[node_id].edges
        first = first_failure([(edge.on, self.end_of(edge.source).outcome) for edge in edges])
        return [
            [edge.passing, edge.kwarg, edge.source, self.leaf(edge.source)]
            for index, edge in enumerate(edges)
            if edge.passing and (edge.on not in FAILURE_EDGES or index == first)
        ]

    def leaf(self, node_id: str) -> object:
        """A node's value, as it is handed on."""
        ended = self.end_of(node_id)
        if ended.state in FAILURES:
            return {"failed": node_id, "culprit": ended.culprit}
        return ended.value

    def again(self) -> "Model":
        """The model of a retry in which nothing fails: what succeeded or was ignored is kept."""
        ends = self.ends()
        kept = {node_id: ended for node_id, ended in ends.items() if ended.state in (State.SUCCEEDED, State.IGNORED)}
        while True:  # a collect of anything that runs again is decided again
            renewed = {
                node_id for node_id in kept if self._nodes[node_id].collect
                and any(edge.source not in kept for edge in self.edges_of(node_id))
            }  # fmt: skip
            if not renewed:
                break
            kept = {node_id: ended for node_id, ended in kept.items() if node_id not in renewed}
        replaced = frozenset(
            node.node_id for node in self._nodes.values()
            if node.node_id in ends and node.plan == REPLACE and self.came_up_with_nodes(node.node_id)
        )  # fmt: skip
        graph = [_mended(node, kept, replaced) for node in self.graph]
        return Model(graph, kept, replaced)


def _mended(node: PlayedNode, kept: Mapping[str, Ended], replaced: frozenset[str]) -> PlayedNode:
    """What a node does when it runs again."""
    nodes = tuple(_mended(one, kept, replaced) for one in node.nodes)
    if node.plan == ADD and node.node_id not in kept:
        return replace(node, plan=RETURN, nodes=(), joins="", joining=())
    if node.plan == REPLACE and node.node_id not in replaced:
        return replace(node, plan=RETURN, nodes=(), output="")
    return replace(node, plan=RETURN if node.plan == FAIL else node.plan, nodes=nodes)
