"""The worker against a gateway on a real socket: credit, renewal, reconnection, cancels, draining."""

import asyncio
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from caraway.v1 import task_pb2, worker_service_pb2

from .conftest import WorkerMaker
from .pool_kit import lease
from .stage import HEARTBEAT, LEASE, Response, Result, Stage, refusal


async def test_tasks_run_and_are_reported(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    hello = stage.session.hello
    assert list(hello.queues) == ["default"]
    assert "add" in hello.task_names
    assert not hello.all_task_names
    assert hello.worker_id.startswith("w@h#")
    leases = [lease("add", number, 1) for number in range(500)]
    stage.push(*leases)
    await stage.until(lambda: len(stage.reports) == 500)
    assert sorted(one.task_id for one in stage.reports) == sorted(one.task.task_id for one in leases)
    assert {one.WhichOneof("report") for one in stage.reports} == {"succeeded"}
    assert stage.report_calls < 250


async def test_credit_is_one_a_slot_at_first_and_never_shrinks(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker(concurrency=2)
    await stage.until(lambda: stage.session.allowance == 2)
    stage.push(*[lease("add", number, 1) for number in range(300)])
    await stage.until(lambda: len(stage.reports) == 300)
    await stage.until(lambda: stage.session.allowance - stage.session.sent > 50)


async def test_busy_slots_take_no_credit(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    one, *rest = [lease("sleep", 0.5), *[lease("add", 1, 1) for _ in range(3)]]
    stage.push(one, *rest)
    await stage.until(lambda: stage.kinds(one) == ["started"])
    assert len(stage.waiting) == 3
    await stage.until(lambda: all(stage.kinds(other) == ["succeeded"] for other in rest))
    assert stage.kinds(one) == ["started", "succeeded"]


async def test_heartbeats_list_all_that_is_held(stage: Stage, make_worker: WorkerMaker) -> None:
    """Running and finished but unconfirmed alike."""
    await make_worker(concurrency=2)
    long, short = lease("sleep", 30), lease("add", 1, 1)
    stage.fail_reports = 10_000
    stage.push(long, short)
    both = {long.lease_token, short.lease_token}
    await stage.until(lambda: bool(stage.session.heartbeats) and set(stage.session.heartbeats[-1]) == both)
    stage.fail_reports = 0
    await stage.until(lambda: stage.kinds(short) == ["succeeded"])
    seen = len(stage.session.heartbeats)
    await stage.until(lambda: len(stage.session.heartbeats) > seen + 1)
    assert stage.session.heartbeats[-1] == [long.lease_token]


async def test_reports_are_repeated_until_they_are_taken(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    stage.fail_reports = 3
    one = lease("add", 1, 1)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["succeeded"])
    assert stage.report_calls == 4


async def test_one_report_that_is_unavailable_is_sent_again(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    answers = [refusal(grpc.StatusCode.UNAVAILABLE, "later"), None]
    stage.answer = lambda _report: answers.pop(0)
    one = lease("add", 1, 1)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["succeeded"])


async def test_refused_result_becomes_a_failure(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()

    def refuse_success(report: worker_service_pb2.TaskReport) -> Result | None:
        return refusal(grpc.StatusCode.INVALID_ARGUMENT, "no such field") if report.HasField("succeeded") else None

    stage.answer = refuse_success
    one = lease("add", 1, 1)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["failed"])
    assert "no such field" in stage.reports[-1].failed.error.message
    seen = len(stage.session.heartbeats)
    await stage.until(lambda: len(stage.session.heartbeats) > seen + 1)
    assert stage.session.heartbeats[-1] == []


async def test_lease_lost_on_a_report_drops_it(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    calls: list[str] = []

    def lose(report: worker_service_pb2.TaskReport) -> Result:
        calls.append(report.lease_token)
        return refusal(grpc.StatusCode.ABORTED, "lease lost")

    stage.answer = lose
    stage.push(lease("add", 1, 1))
    await stage.until(lambda: len(calls) == 1)
    seen = len(stage.session.heartbeats)
    await stage.until(lambda: len(stage.session.heartbeats) > seen + 2)
    assert stage.session.heartbeats[-1] == []
    assert len(calls) == 1


async def test_gateways_payload_limit_reaches_the_child(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    one = lease("big", 200_000)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["failed"])
    assert stage.reports[-1].failed.error.kind == task_pb2.TaskError.KIND_PAYLOAD
    assert "at most 100000" in stage.reports[-1].failed.error.message


async def test_broken_stream_is_resumed_and_the_task_goes_on(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    one = lease("sleep", 0.6)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["started"])
    stage.session.out.put_nowait(None)  # the gateway ends the stream
    await stage.until(lambda: len(stage.sessions) == 2)
    assert list(stage.session.hello.held_lease_tokens) == [one.lease_token]
    assert stage.sessions[0].hello.worker_id == stage.session.hello.worker_id
    await stage.until(lambda: stage.kinds(one) == ["started", "succeeded"])
    another = lease("add", 1, 1)
    stage.push(another)
    await stage.until(lambda: stage.kinds(another) == ["succeeded"])


async def test_gateway_restart_of_less_than_a_lease(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    one = lease("sleep", 0.3)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["started"])
    await stage.stop()
    await stage.start()
    await stage.until(lambda: stage.kinds(one) == ["started", "succeeded"], deadline=5)
    await stage.until(lambda: len(stage.sessions) == 2, deadline=5)


async def test_silent_gateway_gets_a_new_stream(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    stage.mute = True
    await stage.until(lambda: len(stage.sessions) >= 2, deadline=HEARTBEAT * 10)
    stage.mute = False
    seen = stage.session
    await stage.until(lambda: stage.session.heartbeats != [])
    one = lease("add", 1, 1)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["succeeded"])
    assert seen.hello.worker_id == stage.session.hello.worker_id


async def test_deaf_worker_stops_its_tasks_and_hands_them_back(stage: Stage, make_worker: WorkerMaker) -> None:
    worker = await make_worker()
    one = lease("busy", 60)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["started"])
    pool = worker.worker._pool
    pid = next(iter(pool.children.values())).pid
    loop = asyncio.get_running_loop()
    await stage.stop()
    began = loop.time()
    await stage.until(lambda: pid not in [child.pid for child in pool.children.values()])
    # The lease lasts 1 s from the last answered heartbeat; then the task has 1 s to see that it is cancelled.
    assert LEASE + 1 - HEARTBEAT * 2 < loop.time() - began < LEASE + 2.5
    await stage.start()
    await stage.until(lambda: stage.kinds(one) == ["started", "released"])


async def test_lease_that_an_ack_calls_lost_is_stopped_and_not_reported(stage: Stage, make_worker: WorkerMaker) -> None:
    worker = await make_worker()
    one = lease("busy", 60)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["started"])
    stage.lost.add(one.lease_token)
    await stage.until(lambda: worker.worker._pool.open_count == 0, deadline=5)
    another = lease("add", 1, 1)
    stage.push(another)
    await stage.until(lambda: stage.kinds(another) == ["succeeded"])
    assert stage.kinds(one) == ["started"]


async def test_start_answered_with_revoked_stops_the_task(stage: Stage, make_worker: WorkerMaker) -> None:
    worker = await make_worker()
    stage.answer = lambda report: Result(state=task_pb2.Task.STATE_REVOKED) if report.HasField("started") else None
    stage.push(lease("busy", 60))
    await stage.until(lambda: worker.worker._pool.open_count == 1)
    await stage.until(lambda: worker.worker._pool.open_count == 0, deadline=5)
    assert stage.reports == []


async def test_start_answered_with_a_cancel_request_tells_the_task(
    stage: Stage, make_worker: WorkerMaker, tmp_path: Path
) -> None:
    await make_worker()
    stage.answer = lambda report: Result(cancel_requested=True) if report.HasField("started") else None
    one = lease("until_cancelled", str(tmp_path / "begun"))
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["succeeded"])


@pytest.mark.parametrize("terminate", [False, True])
async def test_cancel_over_the_stream(stage: Stage, make_worker: WorkerMaker, tmp_path: Path, terminate: bool) -> None:
    await make_worker()
    begun = tmp_path / "begun"
    one = lease("until_cancelled", str(begun))
    stage.push(one)
    await stage.until(begun.exists)
    item = worker_service_pb2.CancelLeases.Item(lease_token=one.lease_token, terminate=terminate)
    unknown = worker_service_pb2.CancelLeases.Item(lease_token="ended long ago", terminate=True)
    stage.session.out.put_nowait(Response(cancel=worker_service_pb2.CancelLeases(items=[unknown, item])))
    await stage.until(lambda: stage.kinds(one)[-1:] == ["cancelled" if terminate else "succeeded"])


async def test_pending_only_over_the_stream_leaves_a_running_task_alone(
    stage: Stage, make_worker: WorkerMaker, tmp_path: Path
) -> None:
    await make_worker()
    begun = tmp_path / "begun"
    one = lease("until_cancelled", str(begun))
    stage.push(one)
    await stage.until(begun.exists)
    for pending_only in (True, False):
        item = worker_service_pb2.CancelLeases.Item(lease_token=one.lease_token, pending_only=pending_only)
        if not pending_only:
            item.terminate = True
        stage.session.out.put_nowait(Response(cancel=worker_service_pb2.CancelLeases(items=[item])))
    # Had the first one told it, it would have succeeded by itself before the second could kill it.
    await stage.until(lambda: stage.kinds(one)[-1:] == ["cancelled"])


async def test_goaway_drains_the_stream_and_opens_another(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    first = stage.session
    stage.session.out.put_nowait(Response(goaway=worker_service_pb2.Goaway(reason="restart")))
    await stage.until(lambda: len(stage.sessions) == 2)
    assert first.drained
    one = lease("add", 1, 1)
    await stage.until(lambda: stage.session.allowance > 0)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["succeeded"])


async def test_sigterm_drains(stage: Stage, make_worker: WorkerMaker) -> None:
    worker = await make_worker()
    one = lease("sleep", 0.5)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["started"])
    worker.signal()
    await stage.until(lambda: stage.session.drained)
    assert not worker.task.done()
    assert await worker.exit_code() == 0
    assert stage.kinds(one) == ["started", "succeeded"]


async def test_second_sigterm_hands_back_what_runs(stage: Stage, make_worker: WorkerMaker) -> None:
    worker = await make_worker()
    one = lease("busy", 60)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["started"])
    worker.signal()
    await stage.until(lambda: stage.session.drained)
    worker.signal()
    assert await worker.exit_code() == 0
    assert stage.kinds(one) == ["started", "released"]


async def test_drain_timeout_hands_back_what_runs(stage: Stage, make_worker: WorkerMaker) -> None:
    worker = await make_worker(drain_timeout=timedelta(seconds=0.3))
    one = lease("busy", 60)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["started"])
    worker.signal()
    assert await worker.exit_code() == 0
    assert stage.kinds(one) == ["started", "released"]


async def test_reports_of_one_task_stay_in_order(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker(concurrency=2)
    leases = [lease("report", 3) for _ in range(100)]
    stage.push(*leases)
    await stage.until(lambda: all(stage.kinds(one)[-1:] == ["succeeded"] for one in leases))
    for one in leases:
        assert stage.kinds(one) == ["started", "progress", "progress", "progress", "succeeded"]


async def test_call_that_is_refused_as_a_whole_is_taken_apart(stage: Stage, make_worker: WorkerMaker) -> None:
    """One report that no gateway will take must not hold up the others of its batch."""
    await make_worker(concurrency=2)
    bad = lease("add", 0, 0)
    stage.refuse_call = lambda request: any(
        one.lease_token == bad.lease_token and one.HasField("succeeded") for one in request.reports
    )
    leases = [bad, *[lease("add", number, 1) for number in range(50)]]
    stage.push(*leases)
    await stage.until(lambda: len(stage.reports) == len(leases))
    assert stage.kinds(bad) == ["failed"]
    assert all(stage.kinds(one) == ["succeeded"] for one in leases[1:])
