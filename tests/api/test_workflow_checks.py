"""Graphs that make no sense are refused whole, with what is wrong with them."""

from collections.abc import Callable

import pytest
import redis

from api.graphs import Edge, Graphs, Node, TaskReport, edge
from api.wire import Api, Refusal, numbers, refused
from caraway.v1 import task_pb2
from support.gateway import GatewayProcess


@pytest.fixture
def graphs(api: Api, queue: str) -> Graphs:
    return Graphs(api, queue)


def unique(graphs: Graphs) -> list[Node]:
    node = graphs.task("a")
    node.task.uniqueness.key = "key"
    return [node]


UNSOUND: dict[str, tuple[Callable[[Graphs], list[Node]], str, str]] = {
    "a cycle": (lambda g: [g.task("x"), g.task("a", "b"), g.task("b", "a")], "a", "comes after itself"),
    "itself": (lambda g: [g.task("a", "a")], "a", "comes after itself"),
    "a cycle of collects": (lambda g: [g.collect("a", "b"), g.collect("b", "a")], "a", "comes after itself"),
    "an unknown node": (lambda g: [g.task("a", "nowhere")], "a", "'nowhere', which is no node"),
    "a repeated node": (lambda g: [g.task("a"), g.task("a")], "a", "twice"),
    "no kind": (lambda g: [Node(node_id="a")], "a", "neither a task nor a collect"),
    "another id": (lambda g: [g.task("a", task_id="b")], "a", "let node_id be the same"),
    "an id of a collect": (lambda g: [g.collect("a", task_id="b")], "a", "let node_id be the same"),
    "too long an id": (lambda g: [g.task("a" * 250)], "a" * 250, "longer than 255"),
    "a kwarg without a name": (
        lambda g: [g.task("x"), g.task("a", edge("x", pass_as=Edge.PASS_KWARG))], "a", "PASS_KWARG",
    ),
    "a name without a kwarg": (lambda g: [g.task("x"), g.task("a", edge("x", kwarg="k"))], "a", "PASS_KWARG"),
    "a collect that takes": (
        lambda g: [g.task("x"), g.collect("a", edge("x", pass_as=Edge.PASS_LIST))], "a", "pass nothing",
    ),
    "a collect of failures": (lambda g: [g.task("x"), g.collect("a", edge("x", Edge.ON_FAILURE))], "a", "ON_TERMINAL"),
    "an unknown kind of edge": (lambda g: [g.task("x"), g.task("a", edge("x", 99))], "a", "not known"),
    "too many edges": (
        lambda g: [*(g.task(f"n{n}") for n in range(201)), g.task("a", *(f"n{n}" for n in range(201)))], "a",
        "at most 200",
    ),
    "uniqueness": (unique, "a", "uniqueness"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNSOUND)
def test_an_unsound_graph_is_refused_whole(graphs: Graphs, case: str) -> None:
    nodes, node_id, says = UNSOUND[case]
    refusal = refused(lambda: graphs.submit(*nodes(graphs)))
    assert (refusal.reason, refusal.metadata["node_id"]) == ("INVALID_WORKFLOW", node_id)
    assert says in refusal.message
    assert refused(graphs.get).reason == "WORKFLOW_NOT_FOUND"


def test_a_task_that_can_not_be_accepted_is_named(graphs: Graphs) -> None:
    bad = graphs.task("bad", priority=10)
    refusal = refused(lambda: graphs.submit(graphs.task("a"), bad))
    assert (refusal.reason, refusal.metadata["field"], refusal.metadata["node_id"]) == (
        "INVALID_FIELD", "task.priority", "bad",
    )  # fmt: skip
    inexact = graphs.task("bad", args=numbers(2.0**60))
    refusal = refused(lambda: graphs.submit(graphs.task("a"), inexact))
    assert (refusal.reason, refusal.metadata["node_id"]) == ("NUMBER_NOT_EXACT", "bad")


def test_a_task_that_exists_already_is_named(graphs: Graphs) -> None:
    taken = graphs.api.submit_id(graphs.queue)
    refusal = refused(lambda: graphs.submit(graphs.task("a"), graphs.task(taken, task_id=taken)))
    assert (refusal.reason, refusal.metadata["task_id"]) == ("TASK_ID_CONFLICT", taken)
    assert refused(graphs.get).reason == "WORKFLOW_NOT_FOUND"


@pytest.mark.parametrize(
    ("request_fields", "field"),
    [
        ({}, "workflow.nodes"),
        ({"spec": {"name": "n" * 256}}, "workflow.name"),
        ({"producer_lease": {"seconds": 5}}, "workflow.nodes"),
        ({"open": True, "producer_lease": {"nanos": 1000}}, "producer_lease"),
        ({"open": True, "producer_lease": {"seconds": 100_000}}, "producer_lease"),
    ],
)
def test_a_field_out_of_its_range_is_named(graphs: Graphs, request_fields: dict[str, object], field: str) -> None:
    refusal = refused(lambda: graphs.submit(**request_fields))
    assert (refusal.reason, refusal.metadata["field"]) == ("INVALID_FIELD", field)


def test_an_instant_too_far_ahead_is_refused(graphs: Graphs) -> None:
    far = {"seconds": 8_000_000_000}
    refusal = refused(lambda: graphs.submit(graphs.task("a", schedule_time=far)))
    assert (refusal.reason, refusal.metadata["field"]) == ("INVALID_FIELD", "nodes.task.schedule_time")
    graphs.submit(graphs.task("a"))
    lease = graphs.worker().lease()
    grown = TaskReport.Succeeded(added_nodes=[graphs.task("b", expire_time=far)])
    assert Refusal(graphs.api.report(lease, succeeded=grown).status).reason == "INVALID_FIELD"
    graphs.api.succeed(lease)


def test_a_lease_without_parts_is_refused(graphs: Graphs) -> None:
    refusal = refused(lambda: graphs.submit(graphs.task("a"), producer_lease={"seconds": 5}))
    assert refusal.metadata["field"] == "producer_lease"


def test_a_workflow_has_its_limit(graphs: Graphs, gateway: GatewayProcess) -> None:
    graphs.submit(graphs.task("a"), open=True)
    with redis.Redis.from_url(gateway.redis_url) as store:  # as if it had grown so far
        store.hset(f"caraway:{{0}}:workflow:{graphs.id}", "t", 1_000_000)
    refusal = refused(lambda: graphs.append(1, graphs.task("b")))
    assert (refusal.reason, refusal.metadata) == (
        "WORKFLOW_FULL", {"workflow_id": graphs.id, "max_nodes": "1000000"},
    )  # fmt: skip
    lease = graphs.worker().lease()
    grown = TaskReport.Succeeded(added_nodes=[graphs.task("c")])
    assert Refusal(graphs.api.report(lease, succeeded=grown).status).reason == "WORKFLOW_FULL"
    graphs.api.succeed(lease)
    graphs.seal()


def test_an_unsound_part_changes_nothing(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"), graphs.collect("closed", "a"), graphs.collect("all", open=True), open=True)
    parts = {
        "b": [graphs.task("b", "nowhere")],
        f"{graphs.id}.closed": [graphs.task("b"), graphs.collect("closed", "b")],
    }
    for node_id, nodes in parts.items():
        refusal = refused(lambda nodes=nodes: graphs.append(1, *nodes))  # type: ignore[misc]
        assert (refusal.reason, refusal.metadata["node_id"]) == ("INVALID_WORKFLOW", node_id)
    taken = refused(lambda: graphs.append(1, graphs.task("b"), graphs.task("a")))
    assert (taken.reason, taken.metadata["task_id"]) == ("TASK_ID_CONFLICT", f"{graphs.id}.a")
    assert graphs.get().node_count == 3
    graphs.seal(error=task_pb2.TaskError(message="enough"))
