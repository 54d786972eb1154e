"""Signals in a worker: those around an attempt, in every pool, and those that its main part knows of."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from caraway import Caraway
from caraway.exceptions import NotRegistered, TaskRevokedError
from caraway.v1 import task_pb2, worker_service_pb2
from caraway_worker.notice import Notice
from caraway_worker.notices import Notices
from support.processes import eventually

from .conftest import PoolMaker, WorkerStarter
from .pool_kit import PoolKit, lease
from .worker_process import DEADLINE

every_pool = pytest.mark.parametrize("kind", ["process", "thread", "asyncio", "gevent"])


async def act(pool: PoolKit, name: str, how: str) -> tuple[str, list[list[Any]]]:
    """Run a task, and ask what was called around it."""
    id_ = (await pool.run_one(name, how, more=1)).delivery.task_id
    return id_, json.loads((await pool.run_one("seen")).result)


@every_pool
@pytest.mark.parametrize("name", ["plain", "awaited"])
async def test_an_attempt_is_told_from_its_start_to_its_end(make_pool: PoolMaker, kind: str, name: str) -> None:
    pool = await make_pool(app="signal_tasks", pool=kind)
    hooks = [["on_success"], ["after_return"]] if name == "plain" else []
    id_, seen = await act(pool, name, "well")
    call = {"task_id": id_, "args": ["well"], "kwargs": {"more": 1}}
    assert seen == [
        ["task_prerun", name, {**call, "task": True}],
        *hooks,
        ["task_success", name, {"result": "well", "runtime": True}],
        ["task_postrun", name, {**call, "task": True, "retval": "well", "state": "SUCCESS"}],
    ]

    id_, seen = await act(pool, name, "fail")
    call = {"task_id": id_, "args": ["fail"], "kwargs": {"more": 1}}
    assert [entry for entry in seen if len(entry) > 1][1:] == [
        ["task_failure", name, {**call, "exception": "KeyError('gone')", "traceback": True, "einfo": True}],
        ["task_postrun", name, {**call, "task": True, "retval": "KeyError('gone')", "state": "FAILURE"}],
    ]

    id_, seen = await act(pool, name, "retry")
    (_, _, retry), (_, _, end) = seen[1:]
    assert (seen[1][0], retry["request"], retry["einfo"]) == ("task_retry", [id_, name], True)
    assert "Retry in 5s: OSError('away')" in retry["reason"]
    assert end["state"] == "RETRY"


@pytest.mark.parametrize(("how", "state"), [("ignore", "IGNORED"), ("reject", "REJECTED")])
async def test_a_task_that_ends_otherwise_has_a_postrun_only(make_pool: PoolMaker, how: str, state: str) -> None:
    pool = await make_pool(app="signal_tasks")
    _, seen = await act(pool, "plain", how)
    assert [(entry[0], entry[2].get("state")) for entry in seen] == [("task_prerun", None), ("task_postrun", state)]


async def test_a_fault_beside_the_body_is_an_internal_error(make_pool: PoolMaker) -> None:
    pool = await make_pool(app="signal_tasks")
    ended = await pool.run_one("trap")
    assert ended.error.message == "trap"
    seen = json.loads((await pool.run_one("seen")).result)
    assert [entry[0] for entry in seen] == ["task_prerun", "task_internal_error"]
    assert seen[1][2]["task_id"] == ended.delivery.task_id


class Told:
    """What the receivers of a real worker's child wrote down."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, signal: str, task_id: str) -> list[tuple[Any, dict[str, Any]]]:
        """Senders and arguments, once there are any."""

        def find() -> list[tuple[Any, dict[str, Any]]]:
            lines = self._file.read_text().splitlines() if self._file.exists() else []
            found = [json.loads(line) for line in lines if line.endswith("]")]
            return [(sender, told) for name, sender, told, _pid in found if name == signal and task_id in str(told)]

        return eventually(find, DEADLINE, f"{signal} of {task_id}")  # type: ignore[return-value]


def test_what_the_main_part_knows_is_told_in_a_child(start_worker: WorkerStarter, app: Caraway, tmp_path: Path) -> None:
    queue, file = f"signals-{uuid.uuid4().hex[:8]}", tmp_path / "told"
    worker = start_worker(
        "-Q", queue, "-c", "1", "-n", "told@here", app="signal_tasks", env={"SIGNALS_FILE": str(file)}
    ).ready()
    told = Told(file)

    result = app.send_task("plain", ("well",), queue=queue)
    assert told.of("task_received", result.id) == [("told@here", {"request": [result.id, "plain"]})]
    assert result.get(timeout=DEADLINE) == "well"
    pids = {json.loads(line)[-1] for line in file.read_text().splitlines()}
    assert worker.pid not in pids

    unknown = app.send_task("nowhere", queue=queue)
    with pytest.raises(NotRegistered):
        unknown.get(timeout=DEADLINE)
    ((sender, facts),) = told.of("task_unknown", unknown.id)
    assert (sender, facts["name"], facts["id"], facts["message"]) == (
        "told@here", "nowhere", unknown.id, [unknown.id, "nowhere"],
    )  # fmt: skip
    assert "NotRegistered" in facts["exc"]

    begun = tmp_path / "begun"
    running = app.send_task("wait", (str(begun),), queue=queue)
    eventually(begun.exists, DEADLINE, "it runs")
    running.revoke(terminate=True, signal="SIGKILL")
    with pytest.raises(TaskRevokedError):
        running.get(timeout=DEADLINE)
    # The only child was killed: the next one is told.
    ((sender, facts),) = told.of("task_revoked", running.id)
    assert facts["request"] == [running.id, "wait"]
    assert (sender, facts["terminated"], facts["signum"], facts["expired"]) == ("wait", True, 9, False)


async def test_arguments_that_cannot_be_read_are_rejected(make_pool: PoolMaker) -> None:

    pool = await make_pool(app="signal_tasks")
    broken = lease("plain")
    broken.task.payload.CopyFrom(task_pb2.Payload(json="{nonsense"))
    (ended,) = await pool.run(broken)
    told: list[Notice] = []
    Notices(told.append).ended(ended.delivery, ended.outcome, ended.report.SerializeToString())
    assert [notice.signal for notice in told] == ["task_rejected"]
    again = Notice.from_bytes(told[0].to_bytes())
    assert again == told[0]
    assert worker_service_pb2.TaskLease.FromString(again.lease).task.name == "plain"
