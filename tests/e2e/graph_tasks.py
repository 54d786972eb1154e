"""Tasks of the end-to-end tests of workflows, and how their nodes are written."""

from typing import Any

from caraway import Caraway
from caraway.exceptions import Replaced
from caraway.ids import uuid7
from caraway.payload import encode_arguments
from caraway.request import current
from caraway.v1 import task_pb2, workflow_pb2

app = Caraway("e2e.graphs", default_queue="graphs")

Node = workflow_pb2.WorkflowNode
Edge = Node.Edge


def node(name: str, *args: Any, after: Any = (), node_id: str = "", **kwargs: Any) -> Node:
    """A call of a task of this module as a node, with an id of its own."""
    node_id = node_id or uuid7()
    spec = task_pb2.TaskSpec(
        task_id=node_id, name=f"e2e.graph_tasks.{name}", queue="graphs", payload=encode_arguments(args, kwargs)
    )
    return Node(node_id=node_id, task=spec, after=after)


def after(before: Node, on: int = 0, pass_as: int = Edge.PASS_FIRST_ARG, kwarg: str = "") -> Edge:
    """An edge from a node."""
    return Edge(node_id=before.node_id, on=on, pass_as=pass_as, kwarg=kwarg)  # type: ignore[arg-type]


def collect(*members: Node) -> Node:
    """A node that collects others."""
    node_id = uuid7()
    edges = [Edge(node_id=member.node_id) for member in members]
    return Node(node_id=node_id, collect=Node.Collect(task_id=node_id), after=edges)


@app.task
def add(x: int, y: int) -> int:
    return x + y


@app.task
def total(numbers: list[int], *, plus: int = 0) -> int:
    return sum(numbers) + plus


@app.task
def text(letter: str, size: int) -> str:
    return letter * size


@app.task
def first_letters(texts: list[str]) -> str:
    return "".join(value[0] for value in texts)


@app.task
async def shape(*args: Any, **kwargs: Any) -> list[Any]:
    return [list(args), kwargs]


@app.task
def broken(message: str) -> None:
    raise ValueError(message)


@app.task
def explain(request: Any, exc: BaseException, _traceback: str) -> list[str]:
    return [request.id, type(exc).__name__, str(exc)]


@app.task
def replace_by_sum(x: int, y: int) -> None:
    first = node("add", x, y)
    last = node("add", 1, after=[after(first)])
    raise Replaced([last, first], last.node_id)


@app.task
def count_down(n: int) -> int:
    if n == 0:
        return 0
    again = node("count_down", n - 1)
    raise Replaced([again], again.node_id)


@app.task
def join_more(join_id: str, numbers: list[int]) -> int:
    running = current()
    assert running is not None
    members = [node("add", number, 0) for number in numbers]
    edges = [Edge(node_id=member.node_id) for member in members]
    running.added_nodes = [*members, Node(node_id=join_id, collect=Node.Collect(task_id=join_id), after=edges)]
    return 0


@app.task
def replace_by_too_much() -> None:
    raise Replaced([node("text", "x" * 1_000_000, 1) for _ in range(4)], "x")
