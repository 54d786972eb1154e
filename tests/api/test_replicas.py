"""--wait-replicas: nothing is answered before replicas have it."""

import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.wire import DEADLINE, Api, Refusal, refused
from caraway.ids import uuid7
from caraway.v1 import admin_service_pb2, task_pb2, task_service_pb2, worker_service_pb2
from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running, eventually
from support.replicated import Replicated
from support.stores import StoreProcess

Task = task_pb2.Task
Report = worker_service_pb2.TaskReport
Revoked = task_service_pb2.RevokeTasksResponse.Result


@pytest.fixture(params=["valkey", "redis"])
def group(request: pytest.FixtureRequest, replicated: Callable[..., Replicated]) -> Replicated:
    """A primary with two replicas."""
    return replicated(request.param)


def info(api: Api) -> admin_service_pb2.GetServerInfoResponse:
    return api.admin.GetServerInfo(admin_service_pb2.GetServerInfoRequest(), timeout=DEADLINE)


def all_refused(calls: Sequence[Callable[[], object]]) -> list[Refusal]:
    """Makes calls at once that must all be refused."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(refused, calls))


def test_what_replicas_do_not_have_is_not_answered(
    group: Replicated, gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]
) -> None:
    api = connect(gateways("--redis", group.url, "--wait-replicas", "2").target)
    eventually(api.is_serving, what="the gateway is ready")
    waits, held = api.submit_id("q"), api.submit_id("r")
    lease = api.stream("r", credit=1).lease()
    group.replicas[0].signal(signal.SIGSTOP)  # one of two is not enough
    task_id, succeeded = uuid7(), Report.Succeeded(result=task_pb2.Payload(json="1"))
    calls: list[Callable[[], object]] = [
        lambda: api.submit("s", task_id=task_id),
        lambda: api.report(lease, succeeded=succeeded),
        lambda: api.revoke(waits),
        lambda: api.admin.PauseQueue(admin_service_pb2.PauseQueueRequest(name="s"), timeout=DEADLINE),
    ]
    # The second time round nothing is left to be written, and the replica still has nothing.
    for refusals in (all_refused(calls), all_refused(calls)):
        assert {refusal.reason for refusal in refusals} == {"STORE_NOT_CONFIRMED"}
        assert "only 1 of 2 replicas confirmed in time" in refusals[0].message
    eventually(lambda: not api.is_serving(), what="the gateway says that it takes nothing")
    assert api.get(held).state == Task.STATE_SUCCEEDED  # it was done; and reading needs nobody
    group.replicas[0].signal(signal.SIGCONT)
    eventually(api.is_serving, timeout=20, what="the gateway is ready again")
    known = task_service_pb2.SUBMIT_DISPOSITION_ALREADY_SUBMITTED
    assert api.submit("s", task_id=task_id).disposition == known
    assert api.report(lease, succeeded=succeeded).status.code == 0
    assert api.revoke(waits) == [Revoked.OUTCOME_ALREADY_TERMINAL]


def test_a_server_tells_what_a_failover_may_lose(
    group: Replicated, gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]
) -> None:
    told = info(connect(gateways("--redis", group.url).target))
    assert told.wait_replicas == 0
    assert "2 replica(s), replicated asynchronously: a failover may lose" in told.failover_loss
    assert "--wait-replicas 1" in told.failover_loss
    api = connect(gateways("--redis", group.url, "--wait-replicas", "1", "--processes", "2").target)
    eventually(api.is_serving, what="one of the processes listens")
    told = info(api)
    assert told.wait_replicas == 1
    assert "nothing that was answered" in told.failover_loss
    # Redis 7.0 can tell only that a replica has received something.
    assert ("in memory" in told.failover_loss) == told.store_version.startswith("redis 7.0")


def test_a_primary_whose_file_was_switched_off_confirms_nothing_and_says_why(
    replicated: Callable[..., Replicated], gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]
) -> None:
    group = replicated("valkey")
    api = connect(gateways("--redis", group.url, "--wait-replicas", "1").target)
    eventually(api.is_serving, what="the gateway is ready")
    with group.client(group.primary) as admin:
        admin.config_set("appendonly", "no")
    refusal = refused(lambda: api.submit("q"))
    assert refusal.reason == "STORE_NOT_CONFIRMED"
    assert refusal.message.startswith("the primary has appendonly no")
    for replica in group.replicas:
        with group.client(replica) as admin:
            admin.config_set("appendonly", "no")
    with group.client(group.primary) as admin:
        admin.config_set("appendonly", "yes")
    assert "are they there, with appendonly yes?" in refused(lambda: api.submit("q")).message


def test_a_primary_that_would_come_back_empty_is_refused(stores: Callable[..., StoreProcess]) -> None:
    flags = ["--redis", stores().url, "--wait-replicas", "1"]
    running = Running([*CARAWAY, "server", "--listen", "127.0.0.1:0", *flags])
    try:
        assert running.process.wait(40) == 1
    finally:
        running.stop()
    assert "--wait-replicas needs appendonly yes" in running.output
