"""Store and gateway are started again and again under load: work goes on each time, and nothing stays behind."""

import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis

from api.wire import DEADLINE, Api
from caraway.v1 import task_pb2, task_service_pb2
from chaos.history import problems_of
from chaos.producer import Producer
from support.gateway import GatewayProcess
from support.processes import eventually
from support.stores import StoreProcess
from support.worker import WorkerProcess

RESTARTS_OF_EACH = int(os.environ.get("CHAOS_RESTARTS", "5"))
BACK_SECONDS = 15.0  # 5 on a machine of its own: `make restarts` measures it
DURABLE = {"appendonly": "yes", "appendfsync": "always"}
STAYS = {b"caraway:{0}:sequence", b"caraway:{0}:reaper:seen", b"caraway:{0}:reaper:grace"}
Delete = task_service_pb2.DeleteTasksRequest
MOST = 500


def restart(store: StoreProcess) -> None:
    store.kill()
    store.start()


def memory_of(worker: WorkerProcess) -> int:
    family = [psutil.Process(worker.pid), *worker.children]
    return sum(process.memory_info().rss for process in family)


@pytest.mark.chaos
def test_restarts(stores: Callable[..., StoreProcess], gateways: Callable[..., GatewayProcess], tmp_path: Path) -> None:
    store = stores(**DURABLE)
    flags = ("--lease", "3", "--heartbeat", "1", "--max-lost", "50", "--dedup-window", "60", "-l", "WARNING")
    gateway = gateways("--redis", store.url, *flags)
    env = {"CHAOS_RUNS": str(tmp_path / "runs")}
    worker = WorkerProcess(gateway.target, "chaos.chaos_tasks", "-c", "2", env=env).ready()
    producer = Producer(gateway.target, rate=200)
    admin = redis.Redis.from_url(store.url)
    producer.until_more(200)
    first_memory = memory_of(worker)

    def work_goes_on() -> None:
        """What is submitted from now on is accepted, and what ends from now on is seen in the store."""
        producer.until_more(20)
        ended = admin.zcard("caraway:{0}:ended:7")
        eventually(lambda: admin.zcard("caraway:{0}:ended:7") > ended, timeout=BACK_SECONDS, what="tasks end again")

    for _ in range(RESTARTS_OF_EACH):
        restart(store)
        work_goes_on()
        gateway.kill()
        gateway.start()
        work_goes_on()
    producer.stop()
    tasks = producer.ended()
    assert problems_of(producer.expected, tasks, tmp_path / "runs") == []
    assert memory_of(worker) < first_memory * 1.5
    assert worker.stop() == 0
    api = Api(gateway.target)
    ids = list(tasks)
    for start in range(0, len(ids), MOST):
        selector = task_pb2.TaskSelector(task_ids=ids[start : start + MOST])
        api.tasks.DeleteTasks(Delete(selector=selector), timeout=DEADLINE)
    api.close()
    # Ids stay taken for the window; the clock is turned past that, and past the time for which workers are remembered.
    admin.incrby("caraway:{0}:clock", 3_700_000_000)
    gateway.kill()
    gateway.start()  # the pruner looks at once
    eventually(lambda: left_behind(admin) == set(), timeout=30, what="nothing stays behind")
    admin.close()


def left_behind(admin: redis.Redis) -> set[bytes]:
    """Keys that are there in an empty system, left out."""
    keys: list[bytes] = admin.keys("*")
    return {key for key in keys if not key.startswith(b"caraway:{0}:hungry:")} - STAYS - {b"caraway:{0}:clock"}
