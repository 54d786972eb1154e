"""What every canvas compiles to: nodes, and the edges that lead to them. Words are workflow.proto's."""

import enum
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Compiling", "Edge", "Flow", "Node", "On", "Pass"]


class On(enum.Enum):
    """On what outcome of the earlier node an edge fires."""

    SUCCESS = "success"
    FAILURE = "failure"
    """It failed, or a node before it did."""
    OWN_FAILURE = "own failure"
    """It failed by itself."""


class Pass(enum.Enum):
    """What an edge hands on."""

    NOTHING = "nothing"
    FIRST = "first"
    """The outcome, before the other positional arguments."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`source` comes before."""

    source: str
    on: On = On.SUCCESS
    passes: Pass = Pass.FIRST


@dataclass(frozen=True, slots=True)
class Node:
    """A call of a task, or, without a task's name, a collect: the list of the outcomes of the nodes before it.

    `group` is the id of the collect that it is a member of.
    """

    id: str
    task: str = ""
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    after: tuple[Edge, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """What reaches a part of a canvas from the parts before it.

    `joined` says that a collect stands before it: it then also hears of errors of what was collected. `values` are
    handed on like outcomes, where they are known before anything runs. `group` is the id of the collect that takes its
    outcome.
    """

    edges: tuple[Edge, ...] = ()
    joined: bool = False
    values: tuple[Any, ...] = ()
    group: str = ""


Compiling = Generator[Node, None, Flow]
"""Gives nodes, never one before those that it comes after, and returns what flows on to what follows."""
