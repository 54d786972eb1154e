"""How tasks end in a child, one kind after the other."""

import json

import pytest

from caraway.v1 import task_pb2
from caraway_worker.options import Limits

from .conftest import PoolMaker
from .pool_kit import lease

Kind = task_pb2.TaskError


async def test_success_carries_result_and_run_time(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    ended = await pool.run_one("add", 2, 3)
    assert ended.result == "5"
    assert 0 < ended.report.run_time.ToNanoseconds() < 1_000_000_000


async def test_many_tasks_on_two_children(make_pool: PoolMaker) -> None:
    pool = await make_pool(size=2)
    ended = await pool.run_as_wanted(*[lease("add", number, 1) for number in range(2000)])
    assert [one.result for one in ended] == [str(number + 1) for number in range(2000)]


async def test_failure_carries_type_message_traceback_and_cause(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    error = (await pool.run_one("fail", "boom")).error
    assert error.kind == Kind.KIND_APPLICATION
    assert error.type == "sample_tasks.Broken"
    assert error.message == "boom"
    assert "raise Broken(text) from error" in error.traceback
    assert "execute.py" not in error.traceback.splitlines()[1]
    assert error.causes[0].type == "builtins.KeyError"
    assert json.loads(error.detail.json) == ["boom"]


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt"])
async def test_exits_of_user_code_fail_the_task_and_not_the_child(make_pool: PoolMaker, name: str) -> None:
    pool = await make_pool()
    before = await pool.run_one("pid")
    ended = await pool.run_one("raise_one", name)
    assert ended.error.type == f"builtins.{name}"
    assert (await pool.run_one("pid")).result == before.result


async def test_ignore(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    assert (await pool.run_one("raise_one", "Ignore")).kind == "ignored"


async def test_reject_ends_and_requeue_hands_back(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    rejected = await pool.run_one("raise_one", "Reject")
    assert (rejected.kind, rejected.report.rejected.reason) == ("rejected", "not me")
    requeued = await pool.run_one("raise_one", "Requeue")
    assert (requeued.kind, requeued.report.released.reason) == ("released", "later")


async def test_retry_carries_error_and_delay(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    retry = (await pool.run_one("raise_one", "Retry")).report.retry
    assert (retry.error.type, retry.error.message) == ("builtins.OSError", "no route")
    assert retry.delay.ToMilliseconds() == 2500


async def test_retry_carries_what_it_changes(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    overrides = (await pool.run_one("retry_with", 3)).report.retry.overrides
    assert overrides.payload.json == '{"args":["xxx"],"kwargs":{}}'


async def test_retry_that_cannot_be_sent_fails(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    large = (await pool.run_one("retry_with", 3 * 1024 * 1024)).error
    assert (large.type, large.non_retryable) == ("caraway.exceptions.EncodeError", True)
    assert "what the retry is to be called with is larger than the gateway takes" in large.message
    assert (await pool.run_one("retry_soon")).error.type == "builtins.TypeError"


async def test_wrong_arguments_fail_with_type_error(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    error = (await pool.run_one("add", 1)).error
    assert (error.kind, error.type) == (Kind.KIND_APPLICATION, "builtins.TypeError")
    assert "missing 1 required positional argument" in error.message


async def test_unknown_name(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    error = (await pool.run_one("nobody.knows")).error
    assert error.kind == Kind.KIND_UNKNOWN_TASK
    assert "'nobody.knows'" in error.message


async def test_arguments_that_cannot_be_read(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    bad = lease("add")
    bad.task.payload.json = '{"args": [1,'
    error = (await pool.run(bad))[0].error
    assert (error.kind, error.non_retryable) == (Kind.KIND_PAYLOAD, True)


async def test_result_that_cannot_be_written(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    error = (await pool.run_one("no_json")).error
    assert (error.kind, error.type) == (Kind.KIND_PAYLOAD, "caraway.exceptions.EncodeError")


async def test_result_of_a_megabyte_passes_the_ring_by(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    small, large, last = await pool.run(lease("add", 1, 1), lease("big", 1_000_000), lease("add", 1, 2))
    assert (small.result, len(large.result), last.result) == ("2", 1_000_002, "3")


async def test_result_above_the_limit_fails(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    error = (await pool.run_one("big", 3 * 1024 * 1024)).error
    assert error.kind == Kind.KIND_PAYLOAD
    assert "3145730 bytes, at most 3145728" in error.message


async def test_the_gateways_limit_counts(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    pool.pool.crew.set_limits(Limits(max_payload_bytes=1000))
    error = (await pool.run_one("big", 999)).error
    assert "1001 bytes, at most 1000" in error.message


async def test_ignored_result_is_not_sent(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    one = lease("add", 1, 1)
    one.task.ignore_result = True
    ended = (await pool.run(one))[0]
    assert ended.kind == "succeeded"
    assert not ended.report.succeeded.HasField("result")


async def test_coroutine_task(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    assert (await pool.run_one("await_sleep", 0.01)).result == '"awaited"'


async def test_progress_comes_in_order_and_after_the_start(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    ended = await pool.run_one("report", 3)
    assert ended.result == '"done"'
    kinds = [report.WhichOneof("report") for _, report in pool.recorder.reports]
    assert kinds == ["started", "progress", "progress", "progress"]
    last = pool.recorder.reports[-1][1].progress
    assert (last.custom_state, json.loads(last.detail.json)) == ("PROGRESS", {"number": 2})


async def test_progress_above_the_limit_is_the_tasks_error(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    error = (await pool.run_one("big_report", 4 * 1024 * 1024)).error
    assert error.type == "caraway.exceptions.EncodeError"
    assert "the progress is larger" in error.message


async def test_tracked_task_reports_its_start_however_short(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    await pool.run_one("tracked")
    await pool.run_one("add", 1, 1)
    assert [report.WhichOneof("report") for _, report in pool.recorder.reports] == ["started"]


async def test_long_task_reports_its_start(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    ended = await pool.run_one("sleep", 0.3)
    assert [token for token, _ in pool.recorder.reports] == [ended.delivery.token]


async def test_request_shows_the_delivery(make_pool: PoolMaker) -> None:
    pool = await make_pool(soft=20.0, hard=40.0)
    one = lease("context", hard=30)
    one.task.headers["tenant"] = "acme"
    one.attempt = 3
    shown = json.loads((await pool.run(one))[0].result)
    assert shown == {
        "id": one.task.task_id,
        "task": "context",
        "attempt": 3,
        "retries": 2,
        "fence": one.fence,
        "hostname": "w@h",
        "headers": {"tenant": "acme"},
        "queue": "default",
        "timelimit": [30, 20],
    }


async def test_child_starts_without_grpc(make_pool: PoolMaker) -> None:
    pool = await make_pool()
    assert "grpc" not in json.loads((await pool.run_one("modules")).result)
