"""Workflows over the wire: accepted, run, waited for, watched, cancelled, run again."""

import pytest

from api.graphs import Edge, Graphs, edge, fail
from api.wire import DEADLINE, Api, refused
from caraway.ids import uuid7
from caraway.v1 import task_pb2, task_service_pb2, workflow_pb2, workflow_service_pb2

State = task_pb2.Task.State
Flow = workflow_pb2.Workflow.State


@pytest.fixture
def graphs(api: Api, queue: str) -> Graphs:
    return Graphs(api, queue)


def test_a_chain_hands_on_what_each_link_returned(graphs: Graphs) -> None:
    accepted = graphs.submit(graphs.task("a"), graphs.task("b", edge("a", pass_as=Edge.PASS_FIRST_ARG)))
    assert accepted.created
    assert accepted.workflow.state == Flow.STATE_RUNNING
    assert (accepted.workflow.node_count, accepted.workflow.blocked_count) == (2, 1)
    worker = graphs.worker()
    graphs.api.succeed(worker.lease(), '{"from": "a"}')
    lease = worker.lease()
    assert graphs.name_of(lease) == "b"
    assert [part.WhichOneof("part") for part in lease.inputs] == ["input", "payload"]
    assert lease.inputs[0].input.pass_as == Edge.PASS_FIRST_ARG
    assert lease.inputs[1].payload.json == '{"from": "a"}'
    graphs.api.succeed(lease)
    workflow = graphs.ended()
    assert (workflow.state, dict(workflow.ended_counts)) == (Flow.STATE_SUCCEEDED, {"SUCCEEDED": 2})
    assert workflow.end_time.ToMicroseconds() >= workflow.create_time.ToMicroseconds()


def test_the_task_of_a_node_can_be_waited_for_at_once(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"), graphs.task("b", "a"))
    task = graphs.task_of("b")
    assert (task.state, task.workflow_id, task.node_id) == (State.STATE_BLOCKED, graphs.id, "b")
    worker = graphs.worker()
    graphs.run(worker, 2)
    response = graphs.api.wait(f"{graphs.id}.b", 10)
    assert response.done
    assert response.task.result.json == '"b"'


def test_a_node_may_have_an_id_of_its_own(graphs: Graphs) -> None:
    ids = [uuid7() for _ in range(3)]
    graphs.submit(
        graphs.task(ids[0], task_id=ids[0]), graphs.task("b", ids[0]), graphs.collect(ids[1], "b", task_id=ids[1])
    )
    graphs.run(graphs.worker(), 2)
    task = graphs.api.wait(ids[1], 10).task
    assert (task.state, task.node_id) == (State.STATE_SUCCEEDED, ids[1])
    collected = task.collected
    assert (collected.node_count, collected.succeeded_count, collected.ended_count) == (1, 1, 1)


def test_a_failed_header_reaches_body_and_handler(graphs: Graphs) -> None:
    handler = graphs.task("handler", edge("body", Edge.ON_FAILURE, Edge.PASS_FIRST_ARG))
    body = graphs.task("body", edge("all", pass_as=Edge.PASS_FIRST_ARG))
    graphs.submit(graphs.task("x"), graphs.task("y"), graphs.collect("all", "x", "y"), body, handler)
    worker = graphs.worker()
    assert graphs.run(worker, 2, failing={"y"}) == ["x", "y"]
    lease = worker.lease()
    failure = lease.inputs[1].failure
    assert (graphs.name_of(lease), failure.task_id) == ("handler", f"{graphs.id}.body")
    error = failure.error
    assert (error.kind, error.failed_kind) == (task_pb2.TaskError.KIND_DEPENDENCY, task_pb2.TaskError.KIND_APPLICATION)
    assert (error.failed_task_id, error.type, error.message) == (f"{graphs.id}.y", "builtins.ValueError", "broken")
    graphs.api.succeed(lease)
    workflow = graphs.ended()
    assert (workflow.state, workflow.error.failed_task_id) == (Flow.STATE_FAILED, f"{graphs.id}.y")
    task = graphs.task_of("body")
    assert (task.state, task.error.kind) == (State.STATE_FAILED, task_pb2.TaskError.KIND_DEPENDENCY)
    assert task.error.traceback == "at line 1"
    waited = graphs.api.wait(f"{graphs.id}.body", 1).task
    assert waited.error.message == "broken"


def test_a_wait_ends_with_the_error_of_another_task(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"), graphs.task("b", "a"))
    worker = graphs.worker()
    call = graphs.api.tasks.WaitTask.future(
        task_service_pb2.WaitTaskRequest(task_id=f"{graphs.id}.b"), timeout=DEADLINE
    )
    fail(graphs.api, worker.lease())
    task = call.result().task
    assert (task.error.kind, task.error.message) == (task_pb2.TaskError.KIND_DEPENDENCY, "broken")


def test_the_same_submit_twice_is_one_workflow(graphs: Graphs) -> None:
    nodes = [graphs.task("a"), graphs.task("b", "a")]
    assert graphs.submit(*nodes).created
    assert not graphs.submit(*nodes).created
    refusal = refused(lambda: graphs.submit(graphs.task("c")))
    assert (refusal.reason, refusal.metadata["workflow_id"]) == ("WORKFLOW_ID_CONFLICT", graphs.id)


def test_what_is_checked_only_is_not_accepted(graphs: Graphs) -> None:
    assert graphs.submit(graphs.task("a"), validate_only=True).workflow.node_count == 1
    assert refused(graphs.get).reason == "WORKFLOW_NOT_FOUND"


def test_an_unknown_workflow_is_not_found(graphs: Graphs) -> None:
    calls = [graphs.get, graphs.wait, graphs.cancel, graphs.retry, graphs.seal, graphs.nodes, lambda: graphs.append(1)]
    for call in calls:
        refusal = refused(call)
        assert (refusal.reason, refusal.metadata["workflow_id"]) == ("WORKFLOW_NOT_FOUND", graphs.id)


def test_thousands_of_nodes_in_one_message_are_there_when_it_is_answered(graphs: Graphs) -> None:
    count = 3000
    nodes = [graphs.task("n0"), *(graphs.task(f"n{n}", f"n{n - 1}") for n in range(1, count))]
    accepted = graphs.submit(*reversed(nodes)).workflow
    assert accepted.node_count == count
    assert graphs.task_of(f"n{count - 1}").state == State.STATE_BLOCKED
    assert not graphs.submit(*reversed(nodes)).created
    graphs.cancel(reason="enough")
    workflow = graphs.ended()
    assert (workflow.state, workflow.cancel_reason) == (Flow.STATE_CANCELLED, "enough")
    assert dict(workflow.ended_counts) == {"REVOKED": count}


def test_parts_start_as_they_arrive(graphs: Graphs) -> None:
    graphs.submit(graphs.collect("all", open=True), open=True)
    worker = graphs.worker()
    for part in (1, 2):
        assert graphs.append(part, graphs.task(f"n{part}"), graphs.collect("all", f"n{part}")) == part
        assert graphs.run(worker, 1) == [f"n{part}"]
    assert graphs.append(2, graphs.task("n2")) == 2, "a repeat"
    graphs.append(3, graphs.task("body", edge("all", pass_as=Edge.PASS_LIST)))
    assert graphs.task_of("body").state == State.STATE_BLOCKED
    assert not graphs.seal().open
    lease = worker.lease()
    kinds = [part.WhichOneof("part") for part in lease.inputs]
    assert kinds == ["input", "list_begin", "payload", "payload", "list_end"]
    graphs.api.succeed(lease)
    assert graphs.ended().state == Flow.STATE_SUCCEEDED


def test_a_part_out_of_order_is_refused(graphs: Graphs) -> None:
    graphs.submit(open=True)
    refusal = refused(lambda: graphs.append(2, graphs.task("a")))
    assert (refusal.reason, refusal.metadata["last_part"]) == ("WORKFLOW_PART_MISSING", "0")
    assert refused(lambda: graphs.append(0, graphs.task("a"))).reason == "INVALID_FIELD"
    graphs.seal()
    assert refused(lambda: graphs.append(1, graphs.task("a"))).reason == "WORKFLOW_NOT_OPEN"


def test_a_producer_that_gives_up_ends_its_workflow(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"), graphs.task("b", "a"), open=True)
    worker = graphs.worker()
    lease = worker.lease()
    graphs.seal(error=task_pb2.TaskError(type="builtins.OSError", message="no more milk"))
    cancel = worker.expect("cancel").cancel.items[0]
    assert (cancel.lease_token, cancel.terminate) == (lease.lease_token, True)
    graphs.api.report(lease, cancelled={})
    workflow = graphs.ended()
    assert (workflow.state, workflow.error.message) == (Flow.STATE_FAILED, "no more milk")
    assert refused(graphs.retry).reason == "WORKFLOW_NOT_RETRYABLE"


def test_a_producer_that_vanishes_does_too(graphs: Graphs) -> None:
    request = workflow_service_pb2.SubmitWorkflowRequest(open=True)
    request.producer_lease.FromSeconds(1)
    graphs.submit(graphs.task("a"), open=True, producer_lease=request.producer_lease)
    workflow = graphs.ended()
    assert workflow.state == Flow.STATE_FAILED
    assert "vanished" in workflow.error.message
    assert graphs.task_of("a").state == State.STATE_REVOKED


def test_a_retry_runs_what_failed(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"), graphs.task("b", "a"), graphs.task("c", "b"))
    worker = graphs.worker()
    graphs.run(worker, 2, failing={"b"})
    assert graphs.ended().state == Flow.STATE_FAILED
    response = graphs.retry()
    assert response.retried
    assert not graphs.retry().retried
    assert graphs.run(worker, 2) == ["b", "c"]
    assert graphs.ended().state == Flow.STATE_SUCCEEDED


def test_a_result_that_is_needed_is_not_deleted(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"), graphs.task("b", "a"))
    worker = graphs.worker()
    graphs.run(worker, 1)
    selector = task_pb2.TaskSelector(task_ids=[f"{graphs.id}.a"])
    request = task_service_pb2.DeleteTasksRequest(selector=selector)
    outcomes = task_service_pb2.DeleteTasksResponse.Result
    assert graphs.api.tasks.DeleteTasks(request, timeout=DEADLINE).results[0].outcome == outcomes.OUTCOME_NEEDED
    graphs.run(worker, 1)
    graphs.ended()
    assert graphs.api.tasks.DeleteTasks(request, timeout=DEADLINE).results[0].outcome == outcomes.OUTCOME_DELETED


def test_a_wait_that_is_over_answers_how_it_stands(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"))
    response = graphs.wait(0.2)
    assert not response.done
    assert response.workflow.state == Flow.STATE_RUNNING


def test_a_wait_for_a_change_ends_with_it(graphs: Graphs) -> None:
    revision = graphs.submit(graphs.task("a"), graphs.task("b")).workflow.revision
    worker = graphs.worker()
    request = workflow_service_pb2.WaitWorkflowRequest(workflow_id=graphs.id, after_revision=revision)
    call = graphs.api.workflows.WaitWorkflow.future(request, timeout=DEADLINE)
    graphs.run(worker, 1)
    response = call.result()
    assert response.workflow.revision > revision
    assert not response.done
    graphs.run(worker, 1)


def test_a_watch_tells_how_a_workflow_goes_on_until_its_end(graphs: Graphs) -> None:
    graphs.submit(graphs.task("a"), graphs.task("b", "a"), graphs.task("c", "b"))
    request = workflow_service_pb2.WatchWorkflowRequest(workflow_id=graphs.id)
    stream = iter(graphs.api.workflows.WatchWorkflow(request, timeout=DEADLINE))
    first = next(stream).workflow
    assert first.state == Flow.STATE_RUNNING
    graphs.run(graphs.worker(), 3)
    told = [first, *(response.workflow for response in stream)]
    revisions = [workflow.revision for workflow in told]
    assert revisions == sorted(set(revisions))
    assert (told[-1].state, told[-1].ended_counts["SUCCEEDED"]) == (Flow.STATE_SUCCEEDED, 3)
    again = graphs.api.workflows.WatchWorkflow(request, timeout=DEADLINE)
    assert [response.workflow.state for response in again] == [Flow.STATE_SUCCEEDED]
