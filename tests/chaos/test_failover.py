"""A primary with two replicas and three sentinels: the primary is lost under load, and nothing accepted with it."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.wire import Api
from caraway.v1 import task_pb2
from chaos.history import problems_of
from chaos.producer import Producer
from support.gateway import GatewayProcess
from support.processes import eventually
from support.replicated import Replicated
from support.stores import StoreProcess
from support.worker import WorkerProcess

QUICK = ("--lease", "3", "--heartbeat", "1", "--max-lost", "50", "-l", "WARNING")
Task = task_pb2.Task


@pytest.fixture(params=["valkey", "redis"])
def group(request: pytest.FixtureRequest, replicated: Callable[..., Replicated]) -> Replicated:
    return replicated(request.param, sentinels=True)


@pytest.fixture
def server(group: Replicated, gateways: Callable[..., GatewayProcess]) -> GatewayProcess:
    return gateways("--redis", group.sentinel_url, "--wait-replicas", "1", *QUICK)


@pytest.fixture
def worker(server: GatewayProcess, tmp_path: Path) -> Iterator[WorkerProcess]:
    env = {"CHAOS_RUNS": str(tmp_path / "runs")}
    process = WorkerProcess(server.target, "chaos.chaos_tasks", "-c", "2", env=env).ready()
    yield process
    process.stop()


@pytest.mark.chaos
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_nothing_accepted_is_lost_with_the_primary(
    group: Replicated, server: GatewayProcess, worker: WorkerProcess, tmp_path: Path, how: signal.Signals
) -> None:
    producer = Producer(server.target)
    producer.until_more(500)
    group.primary.signal(how)  # stopped: a host that is gone closes no connection, and comes back later
    began = time.monotonic()
    eventually(group.promoted, timeout=30, what="a replica is promoted")
    producer.until_more(500)
    print(f"accepted again {time.monotonic() - began:.1f} s after {how.name}")
    if how is signal.SIGSTOP:
        group.primary.signal(signal.SIGCONT)
        producer.until_more(200)
    producer.stop()
    tasks = producer.ended()
    assert problems_of(producer.expected, tasks, tmp_path / "runs", failover=True) == []


@pytest.mark.chaos
def test_gateways_hear_of_each_other_after_a_failover(
    group: Replicated, server: GatewayProcess, gateways: Callable[..., GatewayProcess]
) -> None:
    here, there = Api(server.target), Api(gateways("--redis", group.sentinel_url, *QUICK).target)
    for api in (here, there):
        eventually(api.is_serving, what="the gateway is ready")
    group.primary.kill()
    promoted = eventually(group.promoted, timeout=30, what="a replica is promoted")
    assert isinstance(promoted, StoreProcess)
    with group.client(promoted) as admin:
        eventually(
            lambda: len(admin.client_list(_type="pubsub")) >= 2, timeout=20, what="both listen to the new primary"
        )
    for api in (here, there):
        eventually(api.is_serving, timeout=20, what="the gateway is ready again")
    stream = there.stream("q", credit=1)
    assert stream.is_quiet()
    began = time.monotonic()
    task_id = here.submit_id("q")
    there.succeed(stream.lease())
    assert here.wait(task_id, 10).done
    assert time.monotonic() - began < 5  # notes brought it: without them each looks again after 10 s
    here.close()
    there.close()


@pytest.mark.chaos
def test_passwords_of_the_stores_and_of_the_sentinels(
    replicated: Callable[..., Replicated], gateways: Callable[..., GatewayProcess]
) -> None:
    group = replicated("redis", sentinels=True, password="se cret")
    api = Api(gateways("--redis", group.sentinel_url, *QUICK).target)
    eventually(api.is_serving, what="the gateway is ready")
    task_id = api.submit_id("q")
    assert api.get(task_id).state == Task.STATE_QUEUED
    api.close()
