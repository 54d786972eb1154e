"""Several gateways, one of them killed at a time: callers, watchers and workers go on with the others."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import psutil
import pytest

from api.wire import Api
from caraway.ids import uuid7
from caraway.v1 import task_pb2, task_service_pb2
from chaos.history import problems_of
from chaos.producer import Producer
from support.gateway import GatewayProcess
from support.processes import eventually
from support.stores import StoreProcess
from support.worker import WorkerProcess

STALL_SECONDS = 5.0
QUICK = ("--lease", "3", "--heartbeat", "1", "-l", "WARNING")
Task = task_pb2.Task


class Pulse:
    """Notes when a number last grew, and the longest time for which it did not."""

    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read
        self._stopped = threading.Event()
        self.longest = 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        seen, since = self._read(), time.monotonic()
        while not self._stopped.wait(0.05):
            now, value = time.monotonic(), self._read()
            if value > seen:
                seen, since = value, now
            self.longest = max(self.longest, now - since)

    def stop(self) -> float:
        """Returns the longest pause, in seconds."""
        self._stopped.set()
        self._thread.join()
        return self.longest


@pytest.fixture
def apis() -> Iterator[Callable[[str], Api]]:
    made: list[Api] = []

    def make(target: str) -> Api:
        made.append(Api(target))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.mark.chaos
@pytest.mark.parametrize("count", [2, 4])
def test_nothing_stalls_when_a_process_is_killed(
    stores: Callable[..., StoreProcess], gateways: Callable[..., GatewayProcess], tmp_path: Path, count: int
) -> None:
    server = gateways("--redis", stores().url, "--processes", str(count), "--max-lost", "50", *QUICK)

    def processes() -> list[psutil.Process]:
        return psutil.Process(server.pid).children()

    eventually(lambda: len(processes()) == count, what="all processes are started")
    env = {"CHAOS_RUNS": str(tmp_path / "runs")}
    workers = [
        WorkerProcess(server.target, "chaos.chaos_tasks", "-c", "1", "-n", f"w{n}", env=env).ready() for n in range(2)
    ]
    producer = Producer(server.target, rate=200)
    runs = tmp_path / "runs"
    producer.until_more(200)
    pulses = [Pulse(lambda: producer.accepted), Pulse(lambda: runs.stat().st_size)]
    for process in processes():  # each in turn: one of them has the producer, others the workers
        process.kill()
        producer.until_more(200)
        eventually(lambda: len(processes()) == count, what="the killed process is replaced")
    longest = [pulse.stop() for pulse in pulses]
    producer.stop()
    assert problems_of(producer.expected, producer.ended(), runs) == []
    for worker in workers:
        worker.stop()
    assert max(longest) < STALL_SECONDS, longest


@pytest.mark.chaos
@pytest.mark.parametrize("killed", ["where it was submitted", "where it is watched", "where it was leased"])
def test_submit_here_watch_there_lease_elsewhere_and_one_is_killed(
    stores: Callable[..., StoreProcess],
    gateways: Callable[..., GatewayProcess],
    apis: Callable[[str], Api],
    killed: str,
) -> None:
    url = stores().url
    servers = [gateways("--redis", url, *QUICK) for _ in range(3)]
    here, there, elsewhere = (apis(server.target) for server in servers)
    for api in (here, there, elsewhere):
        eventually(api.is_serving, what="all are ready")
    worker_id, task_id = uuid7(), here.submit_id("q")
    lease = elsewhere.stream("q", credit=1, worker_id=worker_id).lease()
    wait = task_service_pb2.WaitTaskRequest(task_id=task_id)
    waiting = there.tasks.WaitTask.future(wait, timeout=20)
    there.wait(task_id, 0)
    began = time.monotonic()
    if killed == "where it was submitted":
        servers[0].kill()
        elsewhere.succeed(lease, "1")
    elif killed == "where it is watched":
        servers[1].kill()
        with pytest.raises(grpc.RpcError):
            waiting.result()
        waiting = here.tasks.WaitTask.future(wait, timeout=20)  # as the SDK does
        elsewhere.succeed(lease, "1")
    else:
        servers[2].kill()
        moved = here.stream("q", worker_id=worker_id, held_lease_tokens=[lease.lease_token])
        assert list(moved.welcome.lost_lease_tokens) == []
        assert moved.beat(1, lease.lease_token) == []
        here.succeed(lease, "1")
    assert waiting.result().task.state == Task.STATE_SUCCEEDED
    assert time.monotonic() - began < STALL_SECONDS
