"""Nodes over the wire: listed in pages, large inputs read in pages, nodes added by running tasks."""

from typing import Any

import pytest

from api.graphs import Edge, Graphs, Node, TaskReport, edge, fail
from api.wire import DEADLINE, Api, Lease, Refusal, refused
from caraway.ids import uuid7
from caraway.v1 import task_pb2, worker_service_pb2, workflow_pb2, workflow_service_pb2
from support.processes import eventually

State = task_pb2.Task.State
InputPart = worker_service_pb2.InputPart


@pytest.fixture
def graphs(api: Api, queue: str) -> Graphs:
    return Graphs(api, queue)


def inputs_of(api: Api, lease: Lease) -> tuple[list[InputPart], int]:
    """All inputs of a lease that has more, and in how many pages they came."""
    assert lease.more_inputs
    assert not lease.inputs
    parts: list[InputPart] = []
    token, pages = "", 0
    while True:
        request = worker_service_pb2.GetInputsRequest(
            task_id=lease.task.task_id, lease_token=lease.lease_token, page_token=token
        )
        page = api.workers.GetInputs(request, timeout=DEADLINE)
        assert page.ByteSize() < 4 << 20
        parts += page.inputs
        pages += 1
        token = page.next_page_token
        if not token:
            return parts, pages


def grow(api: Api, lease: Lease, **what: Any) -> worker_service_pb2.ReportTasksResponse.Result:
    """Reports an end that comes with nodes."""
    return api.report(lease, **what)


# -- inputs -------------------------------------------------------------------------------------------------------


def test_large_inputs_are_read_in_pages(graphs: Graphs) -> None:
    header = [f"h{n}" for n in range(8)]
    body = graphs.task(
        "body", edge("outer", pass_as=Edge.PASS_FIRST_ARG), edge("h0", pass_as=Edge.PASS_KWARG, kwarg="k")
    )
    graphs.submit(
        *(graphs.task(node_id) for node_id in header), graphs.collect("inner", *header[:6]),
        graphs.collect("outer", "inner", *header[6:]), body,
    )  # fmt: skip
    worker = graphs.worker()
    values = {}
    leases = []
    while len(leases) < len(header):
        leases += worker.expect("leases").leases.leases
    for lease in leases:
        values[graphs.name_of(lease)] = '"' + graphs.name_of(lease) * 500_000 + '"'
        graphs.api.succeed(lease, values[graphs.name_of(lease)])
    lease = worker.lease()
    parts, pages = inputs_of(graphs.api, lease)
    assert pages >= 3
    kinds = [part.WhichOneof("part") for part in parts]
    assert kinds == [
        "input", "list_begin", "list_begin", *["payload"] * 6, "list_end", *["payload"] * 2, "list_end",
        "input", "payload",
    ]  # fmt: skip
    found = [part.payload.json for part in parts if part.HasField("payload")]
    assert found == [*(values[node_id] for node_id in header), values["h0"]]
    graphs.api.succeed(lease)
    graphs.ended()


def test_inputs_of_many_leases_fit_into_their_message(graphs: Graphs) -> None:
    count = 30
    nodes = [graphs.task("a"), *(graphs.task(f"b{n}", edge("a", pass_as=Edge.PASS_FIRST_ARG)) for n in range(count))]
    graphs.submit(*nodes)
    first = graphs.worker(1)
    value = '"' + "x" * 200_000 + '"'
    graphs.api.succeed(first.lease(), value)
    eventually(lambda: graphs.task_of(f"b{count - 1}").state == State.STATE_QUEUED)
    worker = graphs.worker(count)
    leases = worker.leases(count)
    assert 1 < sum(bool(lease.inputs) for lease in leases) < count
    for lease in leases:
        parts = list(lease.inputs) or inputs_of(graphs.api, lease)[0]
        assert parts[1].payload.json == value
        graphs.api.succeed(lease)
    assert graphs.ended().ended_counts["SUCCEEDED"] == count + 1


def test_inputs_of_a_delivery_that_is_over_are_not_read(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"), graphs.task("b", edge("a", pass_as=Edge.PASS_FIRST_ARG)))
    worker = graphs.worker()
    graphs.run(worker, 1)
    lease = worker.lease()
    request = worker_service_pb2.GetInputsRequest(task_id=lease.task.task_id, lease_token=lease.lease_token)
    assert len(graphs.api.workers.GetInputs(request, timeout=DEADLINE).inputs) == 2
    request.page_token = "nonsense"
    assert refused(lambda: graphs.api.workers.GetInputs(request, timeout=DEADLINE)).reason == "INVALID_FIELD"
    request.page_token = ""
    graphs.api.succeed(lease)
    assert refused(lambda: graphs.api.workers.GetInputs(request, timeout=DEADLINE)).reason == "LEASE_LOST"
    request.task_id = "other"
    assert refused(lambda: graphs.api.workers.GetInputs(request, timeout=DEADLINE)).reason == "LEASE_LOST"


def test_inputs_come_with_leases_by_hand_too(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"), graphs.task("b", edge("a", pass_as=Edge.PASS_FIRST_ARG)))
    request = worker_service_pb2.PollTasksRequest(worker_id=uuid7(), queues=[graphs.queue])
    graphs.api.succeed(graphs.api.workers.PollTasks(request, timeout=DEADLINE).leases[0], "7")
    lease = graphs.api.workers.PollTasks(request, timeout=DEADLINE).leases[0]
    assert lease.inputs[1].payload.json == "7"
    graphs.api.succeed(lease)


# -- lists --------------------------------------------------------------------------------------------------------


def test_nodes_are_listed_in_order_with_their_edges(graphs: Graphs) -> None:
    second = graphs.task("b", edge("a", Edge.ON_TERMINAL, Edge.PASS_KWARG, "k"))
    graphs.submit(second, graphs.collect("all", "b"), graphs.task("a"))
    nodes = graphs.nodes(page_size=2)
    assert [node.node_id for node in nodes] == ["a", "b", "all"]
    assert list(nodes[1].after) == [edge("a", Edge.ON_TERMINAL, Edge.PASS_KWARG, "k")]
    assert nodes[2].task.HasField("collected")
    graphs.run(graphs.worker(), 1)
    assert [node.node_id for node in graphs.nodes(states=[State.STATE_SUCCEEDED])] == ["a"]


def test_what_a_collect_collects_is_listed_in_the_order_of_its_edges(graphs: Graphs) -> None:
    graphs.submit(*(graphs.task(node_id) for node_id in "abc"), graphs.collect("all", "c", "a", "b"))
    graphs.run(graphs.worker(), 3)
    graphs.ended()
    nodes = graphs.nodes(collect_node_id="all", view=task_pb2.TASK_VIEW_FULL, page_size=2)
    assert [node.task.result.json for node in nodes] == ['"c"', '"a"', '"b"']
    assert refused(lambda: graphs.nodes(collect_node_id="a")).reason == "INVALID_WORKFLOW"


def test_a_page_of_large_results_stays_below_a_message(graphs: Graphs) -> None:
    header = [f"h{n}" for n in range(5)]
    graphs.submit(*(graphs.task(node_id) for node_id in header), graphs.collect("all", *header))
    worker = graphs.worker()
    leases: list[Lease] = []
    while len(leases) < 5:
        leases += worker.expect("leases").leases.leases
    for lease in leases:
        graphs.api.succeed(lease, '"' + "x" * 1_500_000 + '"')
    graphs.ended()
    request = workflow_service_pb2.ListWorkflowNodesRequest(
        workflow_id=graphs.id, collect_node_id="all", view=task_pb2.TASK_VIEW_FULL
    )
    assert len(graphs.api.workflows.ListWorkflowNodes(request, timeout=DEADLINE).nodes) == 2
    assert len(graphs.nodes(collect_node_id="all", view=task_pb2.TASK_VIEW_FULL)) == 5


def test_workflows_are_listed_newest_first(graphs: Graphs, queue: str) -> None:
    ids = []
    for _ in range(3):
        one = Graphs(graphs.api, queue)
        one.submit(one.task("a"), spec={"name": queue})
        ids.append(one.id)
    found: list[workflow_pb2.Workflow] = []
    token = ""
    while len(found) < 3:
        request = workflow_service_pb2.ListWorkflowsRequest(
            states=[workflow_pb2.Workflow.STATE_RUNNING], page_size=1, page_token=token
        )
        page = graphs.api.workflows.ListWorkflows(request, timeout=DEADLINE)
        found += [workflow for workflow in page.workflows if workflow.name == queue]
        token = page.next_page_token
        assert token or len(found) == 3
    assert [workflow.workflow_id for workflow in found] == ids[::-1]
    request = workflow_service_pb2.ListWorkflowsRequest(states=[99])  # type: ignore[list-item]
    assert refused(lambda: graphs.api.workflows.ListWorkflows(request, timeout=DEADLINE)).reason == "INVALID_FIELD"


# -- growing ------------------------------------------------------------------------------------------------------


def replaced(nodes: list[Node], output: str) -> TaskReport.Replaced:
    return TaskReport.Replaced(nodes=nodes, output_node_id=output)


def test_a_running_task_gives_its_place_to_others(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"), graphs.task("b", edge("a", pass_as=Edge.PASS_FIRST_ARG)))
    worker = graphs.worker()
    lease = worker.lease()
    nodes = [graphs.task("y", edge("x", pass_as=Edge.PASS_FIRST_ARG)), graphs.task("x")]
    result = grow(graphs.api, lease, replaced=replaced(nodes, "y"))
    assert (result.status.code, result.state) == (0, State.STATE_REPLACED)
    assert graphs.run(worker, 2) == ["x", "y"]
    lease = worker.lease()
    assert (graphs.name_of(lease), lease.inputs[1].payload.json) == ("b", '"y"')
    task = graphs.task_of("a")
    assert (task.state, task.result.json, task.replaced_by) == (State.STATE_SUCCEEDED, '"y"', f"{graphs.id}.y")
    graphs.api.succeed(lease)
    assert graphs.ended().node_count == 4


def test_a_lone_task_does_too(graphs: Graphs) -> None:
    task_id = graphs.api.submit_id(graphs.queue)
    worker = graphs.worker()
    grow(graphs.api, worker.lease(), replaced=replaced([graphs.task("x")], "x"))
    fail(graphs.api, worker.lease())
    task = graphs.api.wait(task_id, 10).task
    assert (task.state, task.error.kind, task.error.message) == (
        State.STATE_FAILED, task_pb2.TaskError.KIND_APPLICATION, "broken",
    )  # fmt: skip
    assert task.workflow_id


def test_a_running_task_adds_nodes_and_members_of_its_chord(graphs: Graphs) -> None:
    graphs.submit(
        graphs.task("a"), graphs.collect("all", "a"), graphs.task("body", edge("all", pass_as=Edge.PASS_FIRST_ARG))
    )
    worker = graphs.worker()
    nodes = [graphs.task("more"), graphs.collect("all", "more"), graphs.task("after", "a")]
    succeeded = TaskReport.Succeeded(result=task_pb2.Payload(json="1"), added_nodes=nodes)
    assert grow(graphs.api, worker.lease(), succeeded=succeeded).status.code == 0
    assert sorted(graphs.run(worker, 2)) == ["after", "more"]
    lease = worker.lease()
    assert [part.payload.json for part in lease.inputs if part.HasField("payload")] == ["1", '"more"']
    graphs.api.succeed(lease)
    assert graphs.ended().node_count == 5


@pytest.mark.parametrize(
    "case", ["no node", "a cycle", "another workflow's node", "no output", "a collect", "the task itself"]
)
def test_an_unsound_addition_is_refused_and_changes_nothing(graphs: Graphs, case: str) -> None:
    graphs.submit(graphs.task("a"), graphs.task("b", "a"))
    worker = graphs.worker()
    lease = worker.lease()
    what = {
        "no node": replaced([], "x"),
        "a cycle": replaced([graphs.task("x", "x")], "x"),
        "another workflow's node": replaced([graphs.task("x", "nowhere")], "x"),
        "no output": replaced([graphs.task("x")], "y"),
        "a collect": replaced([graphs.collect("x")], "x"),
        "the task itself": replaced([graphs.task("x", "a")], "x"),
    }
    refusal = Refusal(grow(graphs.api, lease, replaced=what[case]).status)
    assert refusal.reason in ("INVALID_WORKFLOW", "INVALID_FIELD")
    assert graphs.task_of("a").state == State.STATE_LEASED
    graphs.api.succeed(lease)
    graphs.run(worker, 1)
    assert graphs.ended().node_count == 2


def test_replacements_stand_in_one_another_so_deep_and_no_deeper(graphs: Graphs) -> None:
    deepest = 1000
    graphs.submit(graphs.task("n0"))
    # By hand: a stream without heartbeats would be ended before all this is done.
    poll = worker_service_pb2.PollTasksRequest(worker_id=uuid7(), queues=[graphs.queue])
    for depth in range(1, deepest + 1):
        [lease] = graphs.api.workers.PollTasks(poll, timeout=DEADLINE).leases
        assert grow(graphs.api, lease, replaced=replaced([graphs.task(f"n{depth}")], f"n{depth}")).status.code == 0
    [lease] = graphs.api.workers.PollTasks(poll, timeout=DEADLINE).leases
    assert graphs.name_of(lease) == f"n{deepest}"
    result = grow(graphs.api, lease, replaced=replaced([graphs.task("deeper")], "deeper"))
    assert result.state == State.STATE_FAILED
    workflow = graphs.ended()
    assert workflow.ended_counts["FAILED"] == deepest + 1
    assert "1000 deep" in graphs.task_of("n0").error.message
