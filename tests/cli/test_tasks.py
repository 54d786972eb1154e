"""Submitting, reading, listing, revoking, retrying and deleting tasks, with a real gateway and a real worker."""

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import click.testing
import pytest
from click.testing import CliRunner

from caraway.cli import main
from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc
from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running

Spec = task_pb2.TaskSpec
Run = Callable[..., click.testing.Result]
Read = Callable[..., list[Any]]


@pytest.fixture
def queue() -> str:
    """A queue of the test's own, which no worker serves."""
    return f"cli-{uuid.uuid4().hex}"


def failed(run: Run, text: str) -> str:
    """The id of a task that has failed."""
    task_id = uuid.uuid4().hex
    words = ("call", "cli.fail", "--queue", "cli", "--args", json.dumps([text]), "--task-id", task_id, "--wait", "30")
    assert run(*words).exit_code == 1
    return task_id


@pytest.mark.usefixtures("worker")
def test_a_call_that_waits_writes_the_result(run: Run) -> None:
    ended = run("call", "cli.add", "--queue", "cli", "--args", "[1]", "--kwargs", '{"y": 2}', "--wait", "30")
    assert (ended.exit_code, ended.stdout) == (0, "3\n")
    task_id = ended.stderr.split()[1]
    assert run("result", task_id).stdout == "3\n"


@pytest.mark.usefixtures("worker")
def test_a_failure_is_one_line_and_exit_code_1(run: Run, read: Read) -> None:
    task_id = failed(run, "no\x1b[2J luck")
    ended = run("result", task_id)
    line = f"Error: the task {task_id} ended FAILED: builtins.ValueError: no\\x1b[2J luck\n"
    assert (ended.exit_code, ended.stdout, ended.stderr) == (1, "", line)
    assert read("status", task_id)[0]["error"]["kind"] == "APPLICATION"
    assert "in fail" in run("status", task_id).stdout


def test_a_call_without_a_wait_writes_the_id(run: Run, read: Read, queue: str) -> None:
    ended = run("call", "some.task", "--queue", queue, "--task-id", queue, "--priority", "7", "--expires", "3600")
    assert (ended.exit_code, ended.stdout) == (0, f"{queue}\n")
    (task,) = read("status", queue)
    assert (task["state"], task["priority"], task["queue"]) == ("QUEUED", 7, queue)
    waiting = run("result", queue)
    assert (waiting.exit_code, waiting.stderr) == (1, f"Error: the task {queue} has not ended: it is QUEUED\n")


@pytest.mark.parametrize(
    ("flags", "mode"),
    [
        ((), Spec.ACK_MODE_UNSPECIFIED),
        (("--acks-late",), Spec.ACK_MODE_ON_FINISH),
        (("--no-acks-late",), Spec.ACK_MODE_ON_START),
    ],
)
def test_a_call_may_say_how_often_it_runs(
    run: Run, queue: str, gateway: GatewayProcess, flags: tuple[str, ...], mode: Spec.AckMode.ValueType
) -> None:
    run("call", "some.task", "--queue", queue, "--task-id", queue, *flags)
    with gateway.channel() as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        assert stub.GetTask(task_service_pb2.GetTaskRequest(task_id=queue)).task.spec.ack_mode == mode


@pytest.mark.parametrize("when", [("--countdown", "600"), ("--eta", "2031-01-31T12:00:00Z")])
def test_a_call_for_later_is_scheduled(run: Run, read: Read, queue: str, when: tuple[str, str]) -> None:
    run("call", "some.task", "--queue", queue, "--task-id", queue, *when)
    assert read("status", queue)[0]["state"] == "SCHEDULED"


def test_a_wait_that_is_too_short_says_so(run: Run, queue: str) -> None:
    ended = run("call", "some.task", "--queue", queue, "--wait", "0")
    assert ended.exit_code == 1
    assert "Error: " in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        ("call", "some.task", "--args", "{}"),
        ("call", "some.task", "--args", "[1"),
        ("call", "some.task", "--kwargs", "[]"),
        ("call", "some.task", "--eta", "tomorrow"),
        ("call", "some.task", "--eta", "2031-01-31T12:00:00"),
        ("call", "some.task", "--countdown", "1", "--eta", "2031-01-31T12:00:00Z"),
        ("call", "some.task", "--priority", "11"),
        ("revoke", "some-id", "--signal", "SIGINT"),
        ("retry",),
        ("retry", "some-id", "--dead"),
        ("retry", "some-id", "--queue", "cli"),
        ("list", "--state", "LOST"),
        ("status",),
    ],
)
def test_wrong_usage_is_exit_code_2(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_what_is_not_there_is_exit_code_1(run: Run) -> None:
    for command in ("result", "status", "revoke", "retry", "delete", "watch"):
        ended = run(command, "no-such-task")
        assert ended.exit_code == 1, command
        said = ended.stderr if command in ("result", "status", "watch") else ended.stdout
        assert len(said.splitlines()) == 1, command
        assert "no-such-task" in said, command


def test_a_list_is_read_over_pages_up_to_its_limit(run: Run, read: Read, queue: str, gateway: GatewayProcess) -> None:
    with gateway.channel() as channel:
        requests = [
            task_service_pb2.SubmitTaskRequest(
                task=task_pb2.TaskSpec(name="some.task", queue=queue, task_id=f"{queue}-{n}")
            )
            for n in range(120)
        ]
        task_service_pb2_grpc.TaskServiceStub(channel).BatchSubmitTasks(
            task_service_pb2.BatchSubmitTasksRequest(requests=requests)
        )
    words = ("list", "--state", "queued", "--queue", queue)
    assert len({task["task_id"] for task in read(*words, "--limit", "1000")}) == 120
    assert len(read(*words, "--limit", "70")) == 70
    assert read(*words, "--name", "other.task") == []
    assert len(run(*words).stdout.splitlines()) == 51
    assert read("count", "--by", "queue")[0][queue] == 120
    assert read("count")[0]["QUEUED"] >= 120
    assert re.search(rf"^{queue} +120$", run("count", "--by", "queue").stdout, re.MULTILINE)
    purged = run("purge", queue, answer="y\n")
    assert (purged.exit_code, purged.stdout) == (0, "120 tasks were revoked\n")


def test_a_list_and_a_retry_go_by_when_tasks_were_submitted(run: Run, read: Read, queue: str) -> None:
    run("call", "some.task", "--queue", queue, "--task-id", queue)
    words = ("list", "--queue", queue)
    far = "2100-01-31T12:00:00Z"
    for chosen in (("--since", "1h"), ("--until", far), ("--since", "2020-01-31T12:00:00+02:00", "--until", "0s")):
        assert [task["task_id"] for task in read(*words, *chosen)] == [queue], chosen
    for chosen in (("--since", far), ("--until", "1h")):
        assert read(*words, *chosen) == [], chosen
    for wrong in ("2020-01-31T12:00:00", "yesterday"):
        assert run(*words, "--since", wrong).exit_code == 2, wrong
    run("revoke", queue)
    assert run("retry", queue, "--since", "1h").exit_code == 2
    assert run("retry", "--dead", "--queue", queue, "--since", far, "--yes").stdout == ""


def test_hidden_arguments_stay_hidden(run: Run, queue: str, gateway: GatewayProcess) -> None:
    spec = task_pb2.TaskSpec(name="some.task", queue=queue, task_id=queue, args_repr="(***)", kwargs_repr="{***}")
    spec.payload.json = '{"args":["secret"],"kwargs":{"key":"secret"}}'
    with gateway.channel() as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        stub.SubmitTask(task_service_pb2.SubmitTaskRequest(task=spec))
    for words in (("list", "--state", "QUEUED", "--queue", queue), ("status", queue)):
        for flags in ((), ("--json",)):
            shown = run(*words, *flags).output
            assert "(***)" in shown
            assert "{***}" in shown
            assert "secret" not in shown


def test_revoked_then_deleted(run: Run, read: Read, queue: str) -> None:
    run("call", "some.task", "--queue", queue, "--task-id", queue)
    assert run("delete", queue).exit_code == 1
    assert read("revoke", queue, "--reason", "not needed") == [{"task_id": queue, "outcome": "REVOKED"}]
    assert read("status", queue)[0]["cancel_reason"] == "not needed"
    assert run("revoke", queue).stdout == f"{queue}  ALREADY_TERMINAL\n"
    assert run("delete", queue).stdout == f"{queue}  DELETED\n"
    assert run("status", queue).exit_code == 1


def test_what_is_stamped_is_listed_and_revoked(run: Run, read: Read, queue: str) -> None:
    words = ("call", "some.task", "--queue", queue, "--stamp")
    (monday,) = read(*words, f"{queue}=monday", "--stamp", "n=1")
    (tuesday,) = read(*words, f"{queue}=tuesday")
    (listed,) = read("list", "--stamp", f"{queue}=monday")
    assert (listed["task_id"], listed["stamps"]) == (monday["task_id"], {queue: ["monday"], "n": ["1"]})
    assert read("revoke", "--stamp", f"{queue}=monday", "--stamp", f"{queue}=sunday") == [monday]
    states = {task["task_id"]: task["state"] for task in read("list", "--queue", queue)}
    assert states == {monday["task_id"]: "REVOKED", tuesday["task_id"]: "QUEUED"}
    assert run("revoke").exit_code == run("revoke", "some-id", "--stamp", "a=b").exit_code == 2
    assert "NAME=VALUE" in run("revoke", "--stamp", "monday").stderr


def test_a_revoked_task_is_sent_back_by_its_id(run: Run, read: Read, queue: str) -> None:
    run("call", "some.task", "--queue", queue, "--task-id", queue)
    run("revoke", queue)
    assert read("retry", queue) == [{"task_id": queue, "outcome": "QUEUED"}]
    assert run("retry", queue).exit_code == 1


@pytest.mark.usefixtures("worker")
def test_the_dead_are_sent_back_once_asked(run: Run, read: Read) -> None:
    ids = {failed(run, "dead") for _ in range(3)}
    words = ("retry", "--dead", "--name", "cli.fail", "--queue", "cli", "--error-kind", "application")
    assert run(*words, answer="n\n").exit_code == 1
    assert all(task["attempt"] == 1 and task["delivery_count"] == 1 for task in read("status", *ids))
    sent_back = read(*words, "--yes")
    assert ids <= {task["task_id"] for task in sent_back}
    assert {task["outcome"] for task in sent_back} == {"QUEUED"}
    # They fail again; the watch ends with the last of them.
    assert run("watch", *ids).exit_code == 1
    assert {task["state"] for task in read("status", *ids)} == {"FAILED"}


@pytest.mark.usefixtures("worker")
def test_a_watch_ends_when_the_tasks_have(run: Run, read: Read) -> None:
    ids = [run("call", "cli.add", "--queue", "cli", "--args", f"[{n}, 1]").stdout.strip() for n in range(3)]
    seen = read("watch", *ids)
    assert {task["task_id"] for task in seen if task["state"] == "SUCCEEDED"} == set(ids)


def test_a_watch_outlives_a_restart_of_the_gateway(gateways: Callable[[], GatewayProcess]) -> None:
    own = gateways()
    env = {"CARAWAY_TARGET": own.target}
    assert CliRunner(env=env).invoke(main, ["call", "some.task", "--task-id", "a"]).exit_code == 0
    watch = Running([*CARAWAY, "watch", "a"], env=env)
    watch.wait_for_line("QUEUED")
    own.stop()
    own.start()
    assert CliRunner(env=env).invoke(main, ["revoke", "a"]).exit_code == 0
    watch.wait_for_line("REVOKED")
    assert watch.process.wait(20) == 1
    watch.stop()
