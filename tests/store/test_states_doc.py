"""docs/states.md draws the states as the code has them: diagram, table and TRANSITIONS agree."""

import re
from pathlib import Path

from caraway.v1 import task_pb2
from caraway_server.core.task import TERMINAL, TRANSITIONS, State

DOC = Path(__file__).parents[2] / "docs" / "states.md"
Arrows = set[tuple[str, str]]


def allowed() -> Arrows:
    """TRANSITIONS, with the ways in and out."""
    arrows = {(state.name, target.name) for state, targets in TRANSITIONS.items() for target in targets}
    return arrows | {("new", "BLOCKED"), ("new", "SCHEDULED"), ("new", "QUEUED"), ("TOMBSTONE", "gone")}


def drawn() -> Arrows:
    """The arrows of the diagram. [*] is "new" where it begins an arrow, and "gone" where it ends one."""
    diagram = re.search(r"```mermaid\nstateDiagram-v2\n(.*?)```", DOC.read_text(), re.S)
    assert diagram is not None
    arrows = re.findall(r"^\s*(\S+) --> (\S+)", diagram[1], re.M)
    return {("new" if a == "[*]" else a, "gone" if b == "[*]" else b) for a, b in arrows}


def tabled() -> Arrows:
    """The rows of the table."""
    return set(re.findall(r"^\| (\w+) \| (\w+) \| \S", DOC.read_text(), re.M)) - {("from", "to")}


def test_the_diagram_shows_what_the_code_allows() -> None:
    assert drawn() == allowed()


def test_the_table_shows_what_the_code_allows() -> None:
    assert tabled() == allowed()


def test_the_states_are_the_contracts() -> None:
    contract = {name.removeprefix("STATE_"): number for name, number in task_pb2.Task.State.items() if number}
    assert contract == {state.name: state.value for state in State if state is not State.TOMBSTONE}
    assert all(state >= State.SUCCEEDED for state in TERMINAL)
