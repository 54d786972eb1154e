"""Tasks that run at most once: started only when their start is confirmed, and never handed back after that."""

import asyncio
import signal
from pathlib import Path

import grpc

from caraway.v1 import task_pb2, worker_service_pb2
from caraway_worker.delivery import Delivery, Ending, Stop

from .conftest import PoolMaker, WorkerMaker
from .pool_kit import PoolKit, lease, lines_of
from .stage import Result, Stage, refusal

Kind = task_pb2.TaskError


def once(name: str, *args: object, **options: float) -> worker_service_pb2.TaskLease:
    """Make a lease of a task that runs at most once."""
    made = lease(name, *args, **options)
    made.task.ack_mode = task_pb2.TaskSpec.ACK_MODE_ON_START
    return made


def confirming(kit: PoolKit) -> None:
    """Confirm each start as soon as it is reported."""
    tell = kit.recorder.on_report

    def on_report(delivery: Delivery, report: bytes) -> None:
        tell(delivery, report)
        if delivery.at_most_once and kit.recorder.reports[-1][1].HasField("started"):
            kit.loop.call_soon(kit.pool.confirm_start, delivery)

    kit.recorder.on_report = on_report  # type: ignore[method-assign]


async def test_it_runs_after_its_start_is_answered(stage: Stage, make_worker: WorkerMaker, tmp_path: Path) -> None:
    await make_worker()
    held = asyncio.Event()
    seen: list[str] = []

    def answer(report: worker_service_pb2.TaskReport) -> Result | None:
        seen.append(str(report.WhichOneof("report")))
        return None if held.is_set() else refusal(grpc.StatusCode.UNAVAILABLE, "later")

    stage.answer = answer
    one = once("note", str(tmp_path / "ran"), "x")
    stage.push(one)
    await stage.until(lambda: seen.count("started") >= 3)
    assert not (tmp_path / "ran").exists()
    held.set()
    await stage.until(lambda: stage.kinds(one) == ["started", "succeeded"])
    assert lines_of(str(tmp_path / "ran")) == ["x"]


async def test_the_tasks_own_definition_decides_where_the_spec_leaves_it_open(
    make_pool: PoolMaker, tmp_path: Path
) -> None:
    pool = await make_pool()
    path = str(tmp_path / "ran")
    left_open = pool.give(lease("note_once", path, "left open"))[0]
    assert [report.started.at_most_once for _, report in pool.recorder.reports] == [True]
    pool.pool.confirm_start(left_open)
    await pool.until(lambda: left_open.token in pool.recorder.ended)
    asked = lease("note_once", path, "at least once")
    asked.task.ack_mode = task_pb2.TaskSpec.ACK_MODE_ON_FINISH
    assert (await pool.run(asked))[0].kind == "succeeded"
    assert lines_of(path) == ["left open", "at least once"]


async def test_the_start_of_others_does_not_say_at_most_once(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    assert (await pool.run_one("tracked")).kind == "succeeded"
    assert [report.started.at_most_once for _, report in pool.recorder.reports] == [False]


async def test_it_does_not_run_when_its_start_is_answered_otherwise(
    stage: Stage, make_worker: WorkerMaker, tmp_path: Path
) -> None:
    worker = await make_worker()
    answers = [
        Result(state=task_pb2.Task.STATE_EXPIRED),
        Result(state=task_pb2.Task.STATE_REVOKED),
        Result(state=task_pb2.Task.STATE_LEASED),
        refusal(grpc.StatusCode.ABORTED, "lease lost"),
        refusal(grpc.StatusCode.INVALID_ARGUMENT, "no such report"),
    ]
    pending = list(answers)
    stage.answer = lambda report: pending.pop(0) if pending and report.HasField("started") else None
    path = str(tmp_path / "ran")
    for _ in answers:
        stage.push(once("note", path, "x"))
    await stage.until(lambda: not pending and worker.worker._pool.open_count == 0)
    last = once("note", path, "last")
    stage.push(last)
    await stage.until(lambda: stage.kinds(last) == ["started", "succeeded"])
    assert lines_of(path) == ["last"]


async def test_start_is_not_told_before_a_slot_is_free(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    confirming(pool)
    first, second = pool.give(once("sleep", 0.15), once("add", 1, 1))
    await pool.until_running(first)
    assert [token for token, _ in pool.recorder.reports] == [first.token]
    await pool.until(lambda: second.token in pool.recorder.ended)
    assert pool.recorder.ended[second.token].result == "2"


async def test_many_among_others(make_pool: PoolMaker, tmp_path: Path) -> None:
    pool = await make_pool(size=2)
    confirming(pool)
    path = str(tmp_path / "ran")
    ended = await pool.run_as_wanted(*[(once if n % 3 else lease)("note", path, str(n)) for n in range(300)])
    assert {one.kind for one in ended} == {"succeeded"}
    assert sorted(lines_of(path), key=int) == [str(n) for n in range(300)]


async def test_what_found_no_slot_in_time_goes_back(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    confirming(pool)
    await pool.until_running(pool.give(lease("sleep", 1))[0])
    behind = pool.give(once("add", 1, 1))[0]
    await pool.until(lambda: behind.token in pool.recorder.ended)
    assert pool.recorder.ended[behind.token].kind == "released"
    assert not pool.recorder.reports or pool.recorder.reports[0][0] != behind.token


async def test_a_started_one_that_is_killed_is_lost_and_not_handed_back(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    confirming(pool)
    running = pool.give(once("nap", 60))[0]
    await pool.until_running(running)
    pool.pool.kill_running("now")
    await pool.until(lambda: running.token in pool.recorder.ended)
    assert pool.recorder.ended[running.token].kind == "lost"


async def test_one_whose_start_may_be_known_is_lost_when_it_must_end(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    waits = pool.give(once("add", 1, 1))[0]
    assert [token for token, _ in pool.recorder.reports] == [waits.token]
    pool.pool.stop(waits, Stop(Ending.HANDED_BACK, kill=True, reason="deaf"))
    assert pool.recorder.ended[waits.token].kind == "lost"
    assert (await pool.run_one("add", 1, 1)).result == "2"


async def test_hard_limit_of_another_slot_loses_it(make_pool: PoolMaker) -> None:
    pool = await make_pool(pool="thread", slots=3)
    confirming(pool)
    careful, plain = pool.give(once("nap", 60), lease("nap", 60))
    for one in (careful, plain):
        await pool.until_running(one)
    ended = await pool.run_one("nap", 60, hard=0.2)
    assert ended.error.kind == Kind.KIND_TIME_LIMIT
    assert pool.recorder.ended[careful.token].error.kind == Kind.KIND_WORKER_LOST
    assert pool.recorder.ended[plain.token].kind == "released"


async def test_child_that_dies_while_the_start_is_confirmed(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    waits = pool.give(once("add", 1, 2))[0]
    child = next(iter(pool.pool.children.values()))
    child.signal(signal.SIGKILL)
    await pool.until(lambda: child.number not in pool.pool.children)
    pool.pool.confirm_start(waits)
    await pool.until(lambda: waits.token in pool.recorder.ended)
    assert pool.recorder.ended[waits.token].result == "3"


async def test_drain_runs_what_is_confirmed_and_hands_back_what_is_not_told(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    told, untold = pool.give(once("add", 1, 2), once("add", 1, 3))
    pool.pool.hand_back_unstarted("drain")
    assert pool.recorder.ended[untold.token].kind == "released"
    assert told.token not in pool.recorder.ended
    pool.pool.confirm_start(told)
    await pool.until(lambda: told.token in pool.recorder.ended)
    assert pool.recorder.ended[told.token].result == "3"


async def test_requeue_by_the_task_itself_is_a_rejection(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    confirming(pool)
    ended = (await pool.run(once("raise_one", "Requeue")))[0]
    assert (ended.kind, ended.report.rejected.reason) == ("rejected", "later")


async def test_requeue_is_a_rejection_where_the_task_s_own_definition_says_at_most_once(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    confirming(pool)
    ended = (await pool.run(lease("put_back_once")))[0]
    assert (ended.kind, ended.report.rejected.reason) == ("rejected", "later")
    late = lease("put_back_once")
    late.task.ack_mode = task_pb2.TaskSpec.ACK_MODE_ON_FINISH  # the call says otherwise
    assert (await pool.run(late))[0].kind == "released"
