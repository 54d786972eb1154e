"""Workflows with real workers: what nodes hand on reaches the tasks' arguments, and tasks add nodes."""

from collections.abc import Iterator

import pytest

from api.wire import DEADLINE, Api
from caraway import Caraway
from caraway.exceptions import TaskRevokedError
from caraway.ids import uuid7
from caraway.payload import decode
from caraway.v1 import task_pb2, workflow_pb2, workflow_service_pb2
from e2e.graph_tasks import Edge, Node, after, collect, node
from support.gateway import GatewayProcess
from support.worker import WorkerProcess

State = task_pb2.Task.State
Flow = workflow_pb2.Workflow.State


@pytest.fixture(scope="module")
def api(gateway: GatewayProcess) -> Iterator[Api]:
    """A client of a gateway at which a worker of graph_tasks works."""
    worker = WorkerProcess(gateway.target, "e2e.graph_tasks", "-c", "2").ready()
    made = Api(gateway.target)
    yield made
    made.close()
    worker.stop()


def run(api: Api, *nodes: Node) -> workflow_pb2.Workflow:
    """Submits a workflow and waits for its end."""
    spec = workflow_pb2.WorkflowSpec(workflow_id=uuid7(), nodes=nodes)
    request = workflow_service_pb2.SubmitWorkflowRequest(workflow=spec)
    api.workflows.SubmitWorkflow(request, timeout=DEADLINE)
    wait = workflow_service_pb2.WaitWorkflowRequest(workflow_id=spec.workflow_id)
    response = api.workflows.WaitWorkflow(wait, timeout=60)
    assert response.done, response
    return response.workflow


def result(api: Api, of: Node) -> object:
    """What a node's task returned."""
    task = api.get(of.node_id)
    assert task.state == State.STATE_SUCCEEDED, task.error
    return decode(task.result)


def test_a_chain(api: Api) -> None:
    first = node("add", 1, 2)
    second = node("add", 10, after=[after(first)])
    third = node("add", 100, after=[after(second)])
    assert run(api, first, second, third).state == Flow.STATE_SUCCEEDED
    assert result(api, third) == 113


def test_a_chord(api: Api) -> None:
    header = [node("add", n, n) for n in range(50)]
    join = collect(*header)
    one = node("add", 500, 500)
    body = node("total", after=[after(join), after(one, pass_as=Edge.PASS_KWARG, kwarg="plus")])
    run(api, *header, join, one, body)
    assert result(api, body) == 2 * sum(range(50)) + 1000


def test_where_what_is_handed_on_stands_among_the_arguments(api: Api) -> None:
    a, b, c, d = (node("add", n, 0) for n in range(1, 5))
    nested = collect(collect_inner := collect(a, b), c)
    edges = [
        after(a), after(b, pass_as=Edge.PASS_LIST), after(c), after(d, pass_as=Edge.PASS_LIST),
        after(nested, pass_as=Edge.PASS_KWARG, kwarg="k"), after(d, pass_as=0),
    ]  # fmt: skip
    last = node("shape", "own", after=edges, k="own", z=1)
    run(api, a, b, c, d, collect_inner, nested, last)
    assert result(api, last) == [[[2, 4], 1, 3, "own"], {"k": [[1, 2], 3], "z": 1}]


def test_an_error_handler_takes_the_error(api: Api) -> None:
    bad = node("broken", "no milk")
    later = node("add", 1, after=[after(bad)])
    handler = node("explain", after=[after(later, on=Edge.ON_FAILURE)])
    workflow = run(api, bad, later, handler)
    assert (workflow.state, workflow.error.message) == (Flow.STATE_FAILED, "no milk")
    assert result(api, handler)[0] == later.node_id  # type: ignore[index]
    assert api.get(later.node_id).error.failed_task_id == bad.node_id


def test_inputs_beyond_a_message_reach_the_task(api: Api) -> None:
    header = [node("text", letter, 1_500_000) for letter in "abcdef"]
    join = collect(*header)
    body = node("first_letters", after=[after(join)])
    run(api, *header, join, body)
    assert result(api, body) == "abcdef"


def test_a_task_that_is_replaced_ends_as_its_replacement(api: Api) -> None:
    replaced = node("replace_by_sum", 2, 3)
    last = node("add", 10, after=[after(replaced)])
    assert run(api, replaced, last).node_count == 4
    assert (result(api, replaced), result(api, last)) == (6, 16)


def test_the_states_of_nodes_by_celerys_names(api: Api) -> None:
    first = node("add", 1, 2)
    handler = node("explain", after=[after(first, on=Edge.ON_FAILURE)])
    slow = node("add", 1, after=[after(first)])
    slow.task.delay.FromSeconds(60)
    last = node("add", 2, after=[after(slow)])
    spec = workflow_pb2.WorkflowSpec(workflow_id=uuid7(), nodes=[first, handler, slow, last])
    api.workflows.SubmitWorkflow(workflow_service_pb2.SubmitWorkflowRequest(workflow=spec), timeout=DEADLINE)
    app = Caraway(target=api.target)
    results = [app.AsyncResult(one.node_id) for one in (first, handler, last)]
    assert results[0].get(timeout=10) == 3
    assert results[1].get(timeout=10) is None, "it was not needed"
    assert [result.state for result in results] == ["SUCCESS", "IGNORED", "PENDING"]
    with pytest.raises(ValueError, match="may need its result"):
        results[0].forget()
    request = workflow_service_pb2.CancelWorkflowRequest(workflow_id=spec.workflow_id)
    api.workflows.CancelWorkflow(request, timeout=DEADLINE)
    with pytest.raises(TaskRevokedError):
        results[2].get(timeout=10)
    app.close()


def test_a_lone_task_is_replaced_again_and_again(api: Api) -> None:
    task = node("count_down", 20).task
    api.submit(task.queue, name=task.name, task_id=task.task_id, payload=task.payload)
    ended = api.wait(task.task_id, 20)
    assert ended.done
    assert decode(ended.task.result) == 0


def test_a_member_adds_members_to_its_chord(api: Api) -> None:
    join_id = uuid7()
    first = node("join_more", join_id, [5, 6, 7])
    join = Node(node_id=join_id, collect=Node.Collect(task_id=join_id), after=[Edge(node_id=first.node_id)])
    body = node("total", after=[after(join)])
    assert run(api, first, join, body).node_count == 6
    assert result(api, body) == 18


def test_a_replacement_that_fits_no_message_fails_the_task(api: Api) -> None:
    bad = node("replace_by_too_much")
    assert run(api, bad).state == Flow.STATE_FAILED
    error = api.get(bad.node_id).error
    assert (error.kind, error.type) == (task_pb2.TaskError.KIND_PAYLOAD, "caraway.exceptions.EncodeError")
    assert "workflow" in error.message
