"""What a worker answers to commands, over its stream."""

import json
import os
from typing import Any

import pytest
from google.rpc import code_pb2

from caraway.v1 import task_pb2, worker_service_pb2

from .conftest import RunningWorker, WorkerMaker
from .pool_kit import lease
from .stage import Response, Stage


async def ask(stage: Stage, command: str, arguments: str = "") -> worker_service_pb2.CommandReply:
    """Give a command over the newest stream, and wait for its reply."""
    payload = task_pb2.Payload(json=arguments) if arguments else None
    count = len(stage.replies)
    given = worker_service_pb2.WorkerCommand(command_id=f"c{count}", command=command, arguments=payload)
    stage.session.out.put_nowait(Response(command=given))
    await stage.until(lambda: len(stage.replies) > count)
    assert stage.replies[-1].command_id == given.command_id
    return stage.replies[-1]


async def told(stage: Stage, command: str, arguments: str = "") -> Any:
    """Its output."""
    reply = await ask(stage, command, arguments)
    assert reply.status.code == 0, reply.status
    return json.loads(reply.output.json)


async def test_ping_and_stats(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker(max_tasks_per_child=100)
    assert await told(stage, "ping") == {"ok": "pong"}
    one = lease("add", 1, 2)
    stage.push(one)
    await stage.until(lambda: stage.kinds(one) == ["succeeded"])
    stats = await told(stage, "stats")
    assert (stats["pid"], stats["total"]) == (os.getpid(), {"add": 1})
    pool = stats["pool"]
    assert (pool["implementation"], pool["max-concurrency"], pool["max-tasks-per-child"]) == ("process", 1, 100)
    assert pool["timeouts"] == [0, 0]
    assert len(pool["processes"]) == 1
    assert stats["broker"] == {"transport": "grpc", "hostname": "127.0.0.1", "port": stage.port}
    assert stats["rusage"]["maxrss"] > 0


async def test_conf_and_report(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker(queues=("a", "b"))
    assert (await told(stage, "conf")).items() >= {"app": "sample_tasks", "queues": "a,b", "hostname": "w@h"}.items()
    assert "soft_shutdown_timeout" not in await told(stage, "conf")
    assert (await told(stage, "conf", '{"with_defaults": true}'))["soft_shutdown_timeout"] == "0s"
    report = (await told(stage, "report"))["ok"]
    assert "software -> caraway:" in report
    assert "queues: a,b" in report


async def test_shutdown_is_a_warm_one(stage: Stage, make_worker: WorkerMaker) -> None:
    worker = await make_worker()
    assert await told(stage, "shutdown") == {"ok": "shutting down"}
    assert await worker.exit_code() == 0


@pytest.mark.parametrize(
    ("command", "arguments", "code", "text"),
    [
        ("dance", "", code_pb2.UNIMPLEMENTED, "this worker has no command 'dance'; it has broken, conf, ping"),
        ("ping", '{"loudly": 1}', code_pb2.INVALID_ARGUMENT, "loudly"),
        ("ping", "[1]", code_pb2.INVALID_ARGUMENT, "a JSON object"),
        ("ping", "{", code_pb2.INVALID_ARGUMENT, "the command ping"),
        ("broken", "", code_pb2.INTERNAL, "raised ZeroDivisionError"),
    ],
)
async def test_what_cannot_be_done_is_said(
    stage: Stage, make_worker: WorkerMaker, command: str, arguments: str, code: int, text: str
) -> None:
    worker: RunningWorker = await make_worker()
    worker.worker.commands.add("broken", lambda: 1 // 0)
    reply = await ask(stage, command, arguments)
    assert (reply.status.code, reply.HasField("output")) == (code, False)
    assert text in reply.status.message
    assert await told(stage, "ping") == {"ok": "pong"}


async def test_a_busy_worker_answers_too(stage: Stage, make_worker: WorkerMaker) -> None:
    await make_worker()
    long = lease("sleep", 1.0)
    stage.push(long)
    await stage.until(lambda: stage.kinds(long) == ["started"])
    assert await told(stage, "ping") == {"ok": "pong"}
    assert stage.kinds(long) == ["started"]
