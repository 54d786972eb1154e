"""A hidden argument is in no log, list or error, however it is sent and however its task ends."""

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from caraway.cli import main
from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc
from e2e import payloads
from support.gateway import GatewayProcess
from support.worker import WorkerProcess

SECRET = "correct-horse-battery-staple"
SECONDS = 20


@pytest.fixture(scope="module")
def talkative(gateway: GatewayProcess, sample_app: None) -> Iterator[WorkerProcess]:
    """A worker that logs all it has to say."""
    assert payloads.app.target == gateway.target
    process = WorkerProcess(gateway.target, "e2e.payloads", "-c", "1", "-l", "DEBUG").ready()
    yield process
    process.stop()
    payloads.app.close()


@pytest.fixture
def ended(talkative: WorkerProcess) -> dict[str, Any]:
    """Tasks with the secret that ended in every way, by that."""
    login, app = payloads.login, payloads.app
    results = {
        "well": login.delay("bob", SECRET),
        "retried": login.delay("bob", password=SECRET, how="retry"),
        "failed": login.s("bob", SECRET, how="fail").apply_async(serializer="pickle", compression="gzip"),
        "no form": login.apply_async(("bob", SECRET), {"how": "unwritable"}),
        "misplaced": login.delay("bob", "x", SECRET),
        "misspelt": app.send_task(login.name, ["bob"], {"passwrod": SECRET}),
        "never run": login.apply_async(("bob", SECRET), countdown=600),
    }
    assert results["well"].get(timeout=SECONDS) == "in"
    for how in ("retried", "failed", "no form", "misplaced", "misspelt"):
        outcome = results[how].get(timeout=SECONDS, propagate=False)
        assert isinstance(outcome, Exception), how
        assert SECRET not in f"{outcome!r} {outcome} {outcome.__cause__!r} {outcome.__cause__}", how
        assert SECRET not in (results[how].traceback or ""), how
    return results


def test_no_log_has_it(ended: dict[str, Any], talkative: WorkerProcess, gateway: GatewayProcess) -> None:
    said = talkative.output
    assert "argsrepr=\"('bob', ***)\"" in said
    assert "the app: <@task: e2e.payloads.login> e2e.payloads.login(*('bob', ***), **{})" in said
    assert f"login[{ended['failed'].id}] raised unexpected" in said
    assert SECRET not in said
    assert gateway.running is not None
    assert SECRET not in gateway.running.output


def test_no_list_has_it(ended: dict[str, Any], gateway: GatewayProcess) -> None:
    ids = [result.id for result in ended.values()]
    with gateway.channel() as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        request = task_service_pb2.ListTasksRequest(filter=task_pb2.TaskFilter(names=[payloads.login.name]))
        listed = []
        while True:
            page = stub.ListTasks(request, timeout=SECONDS)
            request.page_token = page.next_page_token
            listed += page.tasks
            if not page.next_page_token:
                break
        assert {task.task_id for task in listed} >= set(ids)
        assert {task.spec.args_repr for task in listed} == {"('bob', ***)", "('bob',)", "('bob', ***, ***)"}
        assert SECRET not in str(listed)
        one = stub.GetTask(task_service_pb2.GetTaskRequest(task_id=ids[0], view=task_pb2.TASK_VIEW_BASIC))
        assert SECRET not in str(one)
        # Whoever asks for the arguments themselves gets them: hiding is about what is shown.
        one = stub.GetTask(task_service_pb2.GetTaskRequest(task_id=ids[0]))
        assert SECRET in one.task.spec.payload.json


def test_no_command_shows_it(ended: dict[str, Any], gateway: GatewayProcess) -> None:
    ids = [result.id for result in ended.values()]
    commands = [
        ["list", "--name", payloads.login.name],
        ["list", "--state", "FAILED", "--name", payloads.login.name],
        ["status", *ids],
        ["watch", *ids[:-1]],
        ["result", ended["failed"].id],
        ["inspect", "scheduled"],
        ["revoke", ended["never run"].id],
    ]
    for words in commands:
        for flags in ([], ["--json"]):
            shown = CliRunner(env={"CARAWAY_TARGET": gateway.target}).invoke(main, [*words, *flags]).output
            assert ids[-1 if words[0] in ("revoke", "inspect") else 2] in shown, shown
            assert SECRET not in shown
