"""New nodes as the scripts take them: in batches, each small enough for one script."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from caraway_server.core.workflow import On
from caraway_server.store.values import NewTask

MOST_EDGES_OF_A_TASK = 200
# Nodes and edges. Making a node costs the store more than accepting a task: 250 took up to 31 ms on a slow machine.
MOST_IN_ONE_BATCH = 125


@dataclass(frozen=True, slots=True)
class NewEdge:
    """An edge that leads to a new node, from the node `source`; `passing` is the contract's number."""

    source: str
    on: On = On.SUCCESS
    passing: int = 0
    kwarg: str = ""


@dataclass(frozen=True, slots=True)
class NewNode:
    """A node to be made, or further edges of a collect that is there.

    Attributes:
        node_id: its task's id.
        edges: those that lead to it.
        task: None: it is a collect.
        fingerprint: of a collect.
        open: a collect that waits for the seal.
        extends: it is there already; `edges` come after those that it has.
        replaces: the task that takes its outcome.
    """

    node_id: str
    edges: Sequence[NewEdge] = ()
    task: NewTask | None = None
    fingerprint: bytes = b""
    open: bool = False
    extends: bool = False
    replaces: str = ""


Item = tuple[Any, ...]


def batches_of(nodes: Sequence[NewNode], depth: int = 0) -> list[list[Item]]:
    """Items as making.lua takes them, in batches of at most MOST_IN_ONE_BATCH nodes and edges.

    Args:
        nodes: none stands before a node that it comes after.
        depth: how many replacements they stand in.
    """
    batches: list[list[Item]] = []
    room = 0
    for node in nodes:
        for item in _items_of(node, depth):
            weight = 1 + len(item[2])
            if weight > room:
                batches.append([])
                room = MOST_IN_ONE_BATCH
            batches[-1].append(item)
            room -= weight
    return batches


def parts_of_nodes(nodes: Sequence[NewNode], depth: int = 0) -> tuple[bytes, ...]:
    """The same as entries of an outbox, packed."""
    return tuple(msgpack.packb(("part", batch), use_bin_type=False) for batch in batches_of(nodes, depth))


def latest_in(nodes: Sequence[NewNode]) -> int:
    """The latest instant that a node names; 0: none does."""
    return max((max(node.task.at, node.task.until) for node in nodes if node.task is not None), default=0)


def waiting_in(nodes: Sequence[NewNode]) -> dict[str, int]:
    """How many of the nodes enter which queue at once."""
    counts: dict[str, int] = {}
    for node in nodes:
        if node.task is not None and not node.edges:
            counts[node.task.queue] = counts.get(node.task.queue, 0) + 1
    return counts


def _items_of(node: NewNode, depth: int) -> Iterator[Item]:
    edges = [(edge.source, int(edge.on), edge.passing, edge.kwarg) for edge in node.edges]
    if node.task is not None:
        task = node.task
        yield (
            "task", node.node_id, edges, depth, node.replaces, task.fingerprint, task.spec, task.name, task.queue,
            task.priority, task.at, task.delay, task.until, task.ttl, task.result_ttl, task.ignore_result, task.once,
            task.parent,
        )  # fmt: skip
        return
    size = MOST_IN_ONE_BATCH // 2 - 1  # two to a batch, whatever else there is
    pieces = [edges[start : start + size] for start in range(0, len(edges), size)] or [[]]
    for index, piece in enumerate(pieces):
        last = index == len(pieces) - 1
        if node.extends:
            yield ("more", node.node_id, piece)
        elif index == 0:
            yield ("collect", node.node_id, piece, depth, "", node.fingerprint, node.open, not last)
        else:
            # What holds the collect until its own last edge is released with that; an open one waits for the seal.
            yield ("rest", node.node_id, piece, last and not node.open)
