"""Whole workflows: `app.workflows` and `caraway workflows`, through a real gateway and a real worker."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from caraway import chain, chord, group
from caraway.cli import main
from caraway.exceptions import TaskRevokedError, WorkflowNotFound, WorkflowStateError
from caraway.workflows import Workflow
from e2e.canvas_app import app, linger, needs, note, tasks
from support.gateway import GatewayProcess
from support.processes import eventually

Run = Callable[..., Result]


pytestmark = pytest.mark.usefixtures("canvas_worker")


@pytest.fixture
def run(gateway: GatewayProcess) -> Run:
    def invoke(*words: str) -> Result:
        ended = CliRunner(env={"CARAWAY_TARGET": gateway.target}).invoke(main, ("workflows", *words))
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.output
        return ended

    return invoke


def over(flow_id: str) -> Workflow:
    """A workflow, once it has ended."""
    found = eventually(lambda: (flow := app.workflows.get(flow_id)).state != "RUNNING" and flow, what="its end")
    assert isinstance(found, Workflow)
    return found


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_workflow_is_read_by_any_result_of_it() -> None:
    result = chord([tasks.same.s(1), tasks.same.s(2)], tasks.total.s()).apply_async()
    assert result.get(timeout=30) == 3
    flow = over(app.workflows.of(result).id)
    assert app.workflows.of(result.parent) == flow
    assert (flow.state, flow.name, flow.node_count, flow.blocked_count) == ("SUCCEEDED", tasks.same.name, 4, 0)
    assert (flow.ended_counts, flow.error, flow.is_open) == ({"SUCCEEDED": 4}, None, False)
    assert flow.end_time is not None and flow.end_time > flow.create_time
    found = app.workflows.tasks(flow.id)
    assert [each.get(timeout=5) for each in found] == [1, 2, 3]
    assert found[-1] == result
    with pytest.raises(WorkflowNotFound, match="sent alone"):
        app.workflows.of(tasks.same.delay(1))
    with pytest.raises(WorkflowNotFound):
        app.workflows.get("none")


async def test_the_async_twins(tmp_path: Path) -> None:
    result = await chain(needs.si(str(tmp_path / "late")), tasks.same.s()).aapply_async()
    await result.aget(timeout=30, propagate=False)
    flow = over((await app.workflows.aof(result)).id)
    assert await app.workflows.aget(flow.id) == flow
    assert flow.id in [each.id async for each in app.workflows.alist("FAILED")]
    assert (await app.workflows.acancel(flow.id)).state == "FAILED"  # over already
    (tmp_path / "late").write_text("there")
    assert (await app.workflows.aretry(flow.id)).state == "RUNNING"
    over(flow.id)
    assert [await each.aget(timeout=5) for each in await app.workflows.atasks(flow.id)] == ["there", "there"]


def test_workflows_are_listed_by_state() -> None:
    ended = group(tasks.same.s(1), tasks.same.s(2)).apply_async()
    ended.get(timeout=30)
    waiting = chain(tasks.same.s(1).set(countdown=3600), tasks.same.s()).apply_async()
    one, other = app.workflows.of(waiting).id, over(app.workflows.of(ended).id).id
    newest = [flow.id for flow in app.workflows.list()]
    assert newest.index(one) < newest.index(other)
    running = [flow.id for flow in app.workflows.list("RUNNING")]
    assert one in running and other not in running
    with pytest.raises(ValueError, match="no state of a workflow; there are RUNNING"):
        list(app.workflows.list("STARTED"))
    app.workflows.cancel(one)


def test_a_cancelled_workflow_calls_no_errback(tmp_path: Path) -> None:
    errback = note.si("errback", str(tmp_path / "notes"))
    result = chain(linger.si(60), tasks.same.si(1)).on_error(errback).apply_async()
    eventually(lambda: result.parent.state == "STARTED", what="its start")
    flow = app.workflows.of(result)
    app.workflows.cancel(flow.id, reason="not needed", terminate=True, signal="SIGKILL")
    with pytest.raises(TaskRevokedError, match="not needed"):
        result.parent.get(timeout=30)
    ended = over(flow.id)
    assert (ended.state, ended.cancel_reason) == ("CANCELLED", "not needed")
    assert not (tmp_path / "notes").exists()


def test_what_failed_runs_again_and_what_succeeded_is_kept(tmp_path: Path) -> None:
    counted = note.si("first", str(tmp_path / "notes"))
    result = chain(counted, needs.si(str(tmp_path / "late")), tasks.same.s()).apply_async()
    with pytest.raises(FileNotFoundError):
        result.get(timeout=30)
    flow = over(app.workflows.of(result).id)
    assert isinstance(flow.error, FileNotFoundError)
    (tmp_path / "late").write_text("there")
    app.workflows.retry(flow.id)
    assert over(flow.id).state == "SUCCEEDED"
    assert app.AsyncResult(result.id).get(timeout=5) == "there"
    assert (tmp_path / "notes").read_text() == "note first\n"
    assert app.workflows.retry(flow.id).state == "SUCCEEDED"  # nothing to run again


def test_what_was_forgotten_can_t_run_again(tmp_path: Path) -> None:
    result = chain(needs.si(str(tmp_path / "never")), tasks.same.s()).apply_async()
    result.get(timeout=30, propagate=False)
    flow = over(app.workflows.of(result).id)
    result.parent.forget()
    with pytest.raises(WorkflowStateError):
        app.workflows.retry(flow.id)


def test_the_command_line(run: Run, tmp_path: Path) -> None:
    result = chain(needs.si(str(tmp_path / "late")), tasks.same.s()).apply_async()
    result.get(timeout=30, propagate=False)
    flow = over(app.workflows.of(result).id).id
    assert flow in [each["workflow_id"] for each in lines(run("--state", "failed", "--json"))]
    assert flow not in run("list", "--state", "running", "--all").stdout
    [shown] = lines(run("show", flow, "--json"))
    assert (shown["state"], shown["ended_counts"]) == ("FAILED", {"FAILED": 2})
    assert shown["error"].startswith("builtins.FileNotFoundError: ")
    first, second = lines(run("show", flow, "--nodes", "--json"))
    assert (first["state"], second["after"]) == ("FAILED", [first["node_id"]])
    assert run("cancel", flow).exit_code == 1  # it is over
    assert run("cancel", flow, "--signal", "SIGKILL").exit_code == 2
    (tmp_path / "late").write_text("there")
    assert run("retry", flow).exit_code == 0
    assert over(flow).state == "SUCCEEDED"
    assert run("retry", flow).exit_code == 1
    waiting = chain(tasks.same.s(1).set(countdown=3600), tasks.same.s()).apply_async()
    assert run("cancel", app.workflows.of(waiting).id, "--reason", "too late").exit_code == 0
    with pytest.raises(TaskRevokedError, match="too late"):
        waiting.parent.get(timeout=30)
    unknown = run("show", "none")
    assert (unknown.exit_code, "none" in unknown.stderr) == (1, True)
