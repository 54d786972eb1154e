"""Hooks of a task's class: their order, their arguments, in every pool, for plain functions and coroutines."""

import json
from typing import Any

import pytest

from caraway import Caraway
from caraway.v1 import task_pb2

from .conftest import PoolMaker, WorkerStarter
from .pool_kit import Ended, PoolKit, lease
from .worker_process import DEADLINE

POOLS = ["process", "thread", "asyncio", "gevent"]
TASKS = ["plain", "awaited", "plain_awaited_hooks", "awaited_plain_hooks"]
every_pool = pytest.mark.parametrize("kind", POOLS)
every_task = pytest.mark.parametrize("name", TASKS)


async def act(pool: PoolKit, name: str, how: str) -> tuple[Ended, list[Any]]:
    """Run a task, and ask what was called around it."""
    ended = await pool.run_one(name, how, more=1)
    return ended, json.loads((await pool.run_one("seen", name)).result)


@every_pool
@every_task
async def test_hooks_are_called_in_order_with_celerys_arguments(make_pool: PoolMaker, kind: str, name: str) -> None:
    pool = await make_pool(app="hook_tasks", pool=kind)
    ended, seen = await act(pool, name, "well")
    id_ = ended.delivery.task_id
    call = [id_, ["well"], {"more": 1}]
    assert ended.result == '"well"'
    assert seen == [
        ["before_start", *call, id_],
        ["on_success", "well", *call, id_],
        ["after_return", "SUCCESS", "well", *call, False, id_],
    ]

    ended, seen = await act(pool, name, "fail")
    id_ = ended.delivery.task_id
    call = [id_, ["fail"], {"more": 1}]
    assert ended.error.type == "builtins.KeyError"
    assert seen == [
        ["before_start", *call, id_],
        ["on_failure", "KeyError('gone')", *call, True, id_],
        ["after_return", "FAILURE", "KeyError('gone')", *call, True, id_],
    ]

    ended, seen = await act(pool, name, "retry")
    id_ = ended.delivery.task_id
    assert (ended.kind, ended.report.retry.delay.seconds) == ("retry", 5)
    assert seen[1:] == [["on_retry", "OSError('away')", id_, ["retry"], {"more": 1}, "Retry", id_]]


async def test_a_task_that_ends_without_outcome_has_only_been_started(make_pool: PoolMaker) -> None:
    pool = await make_pool(app="hook_tasks")
    for how, kind in (("ignore", "ignored"), ("reject", "rejected")):
        ended, seen = await act(pool, "plain", how)
        assert ended.kind == kind
        assert [call[0] for call in seen] == ["before_start"]


async def test_a_result_that_cannot_be_written_is_a_failure_to_the_hooks(make_pool: PoolMaker) -> None:
    pool = await make_pool(app="hook_tasks")
    ended, seen = await act(pool, "plain", "unwritable")
    assert ended.error.kind == task_pb2.TaskError.KIND_PAYLOAD
    assert [call[0] for call in seen] == ["before_start", "on_failure", "after_return"]
    assert "EncodeError" in seen[1][1]


async def test_what_before_start_raises_ends_the_attempt(make_pool: PoolMaker) -> None:
    pool = await make_pool(app="hook_tasks")
    ended = await pool.run_one("broken_before")
    assert (ended.error.type, ended.error.message) == ("builtins.SystemExit", "before_start is broken")
    seen = json.loads((await pool.run_one("seen", "broken_before")).result)
    assert [call[0] for call in seen] == ["before_start", "on_failure", "after_return"]


@every_pool
async def test_what_later_hooks_raise_changes_nothing(make_pool: PoolMaker, kind: str) -> None:
    pool = await make_pool(app="hook_tasks", pool=kind)
    for how, kind_ in (("well", "succeeded"), ("fail", "failed"), ("retry", "retry")):
        ended = await pool.run_one("broken_after", how)
        assert ended.kind == kind_
    seen = json.loads((await pool.run_one("seen", "broken_after")).result)
    assert [call[0] for call in seen] == [
        "before_start", "on_success", "after_return", "before_start", "on_failure", "after_return", "before_start",
        "on_retry",
    ]  # fmt: skip


async def test_of_the_time_limits_only_the_hard_one_strikes_in_a_later_hook(make_pool: PoolMaker) -> None:
    pool = await make_pool(app="hook_tasks")
    assert (await pool.run_one("slow_end", 0.6, soft=0.2)).result == "0.6"
    assert (await pool.run_one("slow_end", 60, hard=0.4)).error.kind == task_pb2.TaskError.KIND_TIME_LIMIT


async def test_one_instance_serves_all_tasks_of_a_process(make_pool: PoolMaker) -> None:
    pool = await make_pool(app="hook_tasks", pool="thread", slots=3)
    ended = await pool.run(*[lease("connected") for _ in range(9)])
    assert {json.loads(one.result)[0] for one in ended} == {1}
    assert len({json.loads(one.result)[1] for one in ended}) > 1


def test_hooks_of_the_solo_pool_and_what_the_log_says(start_worker: WorkerStarter, app: Caraway) -> None:
    worker = start_worker("-P", "solo", "-Q", "solo-hooks", app="hook_tasks").ready()
    result = app.send_task("broken_after", ("well",), queue="solo-hooks", shadow="shown")
    assert result.get(timeout=DEADLINE) == "well"
    seen = app.send_task("seen", ("broken_after",), queue="solo-hooks").get(timeout=DEADLINE)
    assert [call[0] for call in seen] == ["before_start", "on_success", "after_return"]
    worker.wait_for(rf"shown\[{result.id}\]: the task's on_success raised; its outcome stays as it is")
    worker.wait_for("SystemExit: on_success is broken")


def test_expected_errors_are_no_errors_to_the_log(start_worker: WorkerStarter, app: Caraway) -> None:
    worker = start_worker("-Q", "expected", app="hook_tasks").ready()
    result = app.send_task("expected", queue="expected", shadow="shown instead")
    with pytest.raises(KeyError, match="nobody home"):
        result.get(timeout=DEADLINE)
    worker.wait_for(rf"INFO.*Task shown instead\[{result.id}\] raised expected: builtins.KeyError: 'nobody home'")
    assert not any(f"{result.id}] raised unexpected" in line for line in worker.lines)


async def test_a_task_that_is_not_to_be_requeued_fails_with_its_process(make_pool: PoolMaker) -> None:
    pool = await make_pool(app="hook_tasks")
    ended = await pool.run_one("die_for_good")
    assert (ended.kind, ended.error.kind) == ("failed", task_pb2.TaskError.KIND_WORKER_LOST)
    assert "exit code 7" in ended.error.message
