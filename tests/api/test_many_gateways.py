"""Several gateways on one store are one service."""

import signal
import socket
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from api.wire import Api, refused
from caraway.ids import uuid7
from caraway.v1 import task_pb2, task_service_pb2, worker_service_pb2
from support.gateway import GatewayProcess, refused_start
from support.processes import eventually
from support.stores import StoreProcess

Task = task_pb2.Task
Report = worker_service_pb2.TaskReport
Request = task_service_pb2.RevokeTasksRequest


@pytest.fixture
def pair(gateway: GatewayProcess, gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]) -> list[Api]:
    """Clients of two gateways on one store."""
    second = gateways("--redis", gateway.redis_url)
    return [connect(gateway.target), connect(second.target)]


def test_submit_here_wait_and_work_there(pair: list[Api], queue: str) -> None:
    here, there = pair
    stream = there.stream(queue, credit=2)
    assert stream.is_quiet()
    task_id = here.submit_id(queue)
    lease = stream.lease()
    wait = there.tasks.WaitTask.future(task_service_pb2.WaitTaskRequest(task_id=task_id), timeout=20)
    here.succeed(lease, "[1]")  # any gateway takes any report
    answer = wait.result()
    assert (answer.done, answer.task.result.json) == (True, "[1]")


def test_run_here_work_there(pair: list[Api], queue: str) -> None:
    here, there = pair
    request = task_service_pb2.RunTaskRequest(task=task_pb2.TaskSpec(name="t", queue=queue))
    run = here.tasks.RunTask.future(request, timeout=20)
    there.succeed(there.stream(queue, credit=1).lease())
    assert run.result().done


def test_cancel_here_reaches_a_worker_there(pair: list[Api], queue: str) -> None:
    here, there = pair
    task_id = here.submit_id(queue)
    stream = there.stream(queue, credit=1)
    lease = stream.lease()
    there.report(lease, started=Report.Started())
    here.revoke(task_id, mode=Request.MODE_CANCEL)
    assert stream.expect("cancel").cancel.items[0].lease_token == lease.lease_token


def test_a_worker_may_move_with_what_it_holds(pair: list[Api], queue: str) -> None:
    here, there = pair
    worker_id = uuid7()
    task_id = here.submit_id(queue)
    first = here.stream(queue, credit=1, worker_id=worker_id)
    lease = first.lease()
    second = there.stream(queue, worker_id=worker_id, held_lease_tokens=[lease.lease_token])
    assert list(second.welcome.lost_lease_tokens) == []
    here.revoke(task_id, mode=Request.MODE_TERMINATE)
    assert second.expect("cancel").cancel.items[0].lease_token == lease.lease_token


def test_delayed_work_is_promoted_by_whoever_is_there(pair: list[Api], queue: str) -> None:
    here, there = pair
    stream = there.stream(queue, credit=1)
    spec = task_pb2.TaskSpec()
    spec.delay.FromMilliseconds(200)
    task_id = here.submit_id(queue, delay=spec.delay)
    lease = stream.lease()
    task = here.get(task_id)
    late = task.create_time.ToMicroseconds() + 200_000
    assert lease.fence >= late


def test_waiting_calls_are_sent_elsewhere_when_their_gateway_leaves(
    gateway: GatewayProcess, gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api], queue: str
) -> None:
    leaving = gateways("--redis", gateway.redis_url)
    api = connect(leaving.target)
    run_id, task_id = uuid7(), api.submit_id(queue)
    spec = task_pb2.TaskSpec(task_id=run_id, name="t", queue=queue)
    calls: list[Any] = [
        api.tasks.WaitTask.future(task_service_pb2.WaitTaskRequest(task_id=task_id), timeout=20),
        api.tasks.RunTask.future(task_service_pb2.RunTaskRequest(task=spec), timeout=20),
    ]
    stays = connect(gateway.target)
    stays.wait(task_id, 0)
    eventually(lambda: _exists(stays, run_id), what="the run is accepted")
    leaving.signal(signal.SIGTERM)
    assert [refused(call.result).reason for call in calls] == ["SHUTTING_DOWN"] * 2
    assert stays.get(run_id).state == Task.STATE_QUEUED


def _exists(api: Api, task_id: str) -> bool:
    request = task_service_pb2.BatchGetTasksRequest(task_ids=[task_id])
    return len(api.tasks.BatchGetTasks(request, timeout=5).tasks) == 1


def test_several_processes_share_a_port(
    stores: Callable[..., StoreProcess], gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]
) -> None:
    server = gateways("--redis", stores().url, "--processes", "2")
    eventually(connect(server.target).is_serving, what="one listens")

    def workers() -> set[int]:
        return {child.pid for child in psutil.Process(server.pid).children()}

    eventually(lambda: len(workers()) == 2, what="both are started")
    pids = workers()
    apis = [connect(server.target) for _ in range(6)]
    stream = apis[0].stream("q", credit=20)
    ids = {api.submit_id("q") for api in apis for _ in range(3)}
    leases = stream.leases(len(ids))
    assert {lease.task.task_id for lease in leases} == ids
    for api, lease in zip(apis * 3, leases, strict=True):
        api.succeed(lease)
    psutil.Process(min(pids)).kill()
    eventually(lambda: len(workers()) == 2 and workers() != pids, what="the killed process is replaced")
    assert server.stop() == 0
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_several_processes_tell_their_address_once_one_listens(
    stores: Callable[..., StoreProcess], gateways: Callable[..., GatewayProcess]
) -> None:
    server = gateways("--redis", stores().url, "--processes", "2")
    host, _, port = server.target.rpartition(":")
    socket.create_connection((host, int(port)), timeout=5).close()


def refusal(*flags: str) -> str:
    """What a server of two processes says that is to end by itself."""
    return refused_start("--processes", "2", *flags, within=20)


def test_several_processes_start_on_a_store_that_is_fit_or_not_at_all(stores: Callable[..., StoreProcess]) -> None:
    said = refusal("--redis", stores(maxmemory_policy="allkeys-lru").url)
    assert "Set maxmemory-policy noeviction" in said
    assert "listens on" not in said


def test_several_processes_start_on_free_addresses_or_not_at_all(stores: Callable[..., StoreProcess]) -> None:
    url = stores().url
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for flag, first in (("--listen", port), ("--http", port), ("--metrics-bind", port - 1)):
            said = refusal("--redis", url, flag, f"127.0.0.1:{first}")
            assert said == f"Error: {flag} 127.0.0.1:{port}: Address already in use"


def test_processes_end_with_their_parent(
    stores: Callable[..., StoreProcess], gateways: Callable[..., GatewayProcess]
) -> None:
    server = gateways("--redis", stores().url, "--processes", "2")
    eventually(lambda: len(psutil.Process(server.pid).children()) == 2, what="both are started")
    children = psutil.Process(server.pid).children()
    server.kill()
    gone, alive = psutil.wait_procs(children, timeout=15)
    assert (len(gone), alive) == (2, [])
