"""Inputs that did not fit into the lease: read in pages before the task starts, and what may happen meanwhile."""

import asyncio

import grpc
import pytest

from caraway.payload import encode
from caraway.v1 import task_pb2, worker_service_pb2, workflow_pb2

from .conftest import WorkerMaker
from .pool_kit import lease
from .stage import LEASE, Response, Stage

Part = worker_service_pb2.InputPart
TaskLease = worker_service_pb2.TaskLease


def with_inputs(stage: Stage, *values: int) -> TaskLease:
    """A lease of add(..., 1), whose first argument is handed on, a part to a page."""
    given = lease("add", *values)
    given.more_inputs = True
    start = Part(input=Part.Input(pass_as=workflow_pb2.WorkflowNode.Edge.PASS_FIRST_ARG))
    stage.input_pages[given.task.task_id] = [[start], [Part(payload=encode(41))]]
    return given


async def reading(stage: Stage, *leases: TaskLease) -> None:
    """Hands leases out, and waits until their inputs are asked for, which are not answered."""
    stage.inputs_ready.clear()
    stage.push(*leases)
    await stage.until(lambda: len(stage.input_calls) == len(leases))


async def test_a_task_starts_once_all_its_inputs_are_there(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    given = with_inputs(stage, 1)
    await reading(stage, given)
    beats = len(stage.session.heartbeats)
    # Held, and not handed back for want of a slot, however long that takes.
    await stage.until(lambda: len(stage.session.heartbeats) > beats + 2)
    assert stage.session.heartbeats[-1] == [given.lease_token]
    assert stage.kinds(given) == []
    stage.inputs_ready.set()
    await stage.until(lambda: stage.kinds(given) == ["succeeded"])
    assert stage.reports[0].succeeded.result.json == "42"
    assert len(stage.input_calls) == 2


async def test_others_run_meanwhile(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker(concurrency=2)
    other = lease("add", 1, 1)
    await reading(stage, with_inputs(stage, 1))
    stage.push(other)
    await stage.until(lambda: stage.kinds(other) == ["succeeded"])


async def test_a_gateway_that_fails_is_asked_again(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    given = with_inputs(stage, 1)
    stage.input_status = grpc.StatusCode.UNAVAILABLE
    stage.push(given)
    await stage.until(lambda: len(stage.input_calls) > 2)
    stage.input_status = None
    await stage.until(lambda: stage.kinds(given) == ["succeeded"])


async def test_inputs_that_are_refused_for_good_fail_the_task(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    given = with_inputs(stage, 1)
    stage.input_status = grpc.StatusCode.INVALID_ARGUMENT
    stage.push(given)
    await stage.until(lambda: stage.kinds(given) == ["failed"])
    error = stage.reports[0].failed.error
    assert (error.kind, error.non_retryable) == (task_pb2.TaskError.KIND_PAYLOAD, True)


async def test_one_that_is_cancelled_meanwhile_never_starts(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    given = with_inputs(stage, 1)
    await reading(stage, given)
    item = worker_service_pb2.CancelLeases.Item(lease_token=given.lease_token)
    stage.session.out.put_nowait(Response(cancel=worker_service_pb2.CancelLeases(items=[item])))
    await stage.until(lambda: stage.kinds(given) == ["cancelled"])


async def test_one_whose_lease_is_lost_meanwhile_is_dropped(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    given = with_inputs(stage, 1)
    await reading(stage, given)
    await stage.until(lambda: [given.lease_token] in stage.session.heartbeats)
    stage.lost.add(given.lease_token)
    await stage.until(lambda: stage.session.heartbeats[-1] == [])
    assert stage.kinds(given) == []


@pytest.mark.parametrize("deaf", [False, True])
async def test_they_are_handed_back_at_the_end_and_by_a_deaf_worker(
    stage: Stage, make_worker: WorkerMaker, deaf: bool
) -> None:
    worker = await make_worker()
    given = with_inputs(stage, 1)
    await reading(stage, given)
    if deaf:
        stage.mute = True
        async with asyncio.timeout(10 * LEASE):
            await stage.until(lambda: stage.kinds(given) == ["released"])
    else:
        worker.signal()
        assert await worker.exit_code() == 0
        assert stage.kinds(given) == ["released"]
