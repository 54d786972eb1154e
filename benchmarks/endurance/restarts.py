"""A3.4: the store and the gateway are killed and started again, by turns, a hundred times each, under a steady load.

`python -m benchmarks.endurance.restarts [RESTARTS OF EACH]`; a hundred take about ten minutes.
"""

import sys
import time
from statistics import median

import redis

from benchmarks.endurance.arena import Arena, Service, arena, until
from benchmarks.endurance.load import Load
from benchmarks.endurance.record import keep, table
from caraway.channel import new_channel
from caraway.transport import Transport
from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc

RATE = 300
BACK_SECONDS = 5.0
PATIENCE_SECONDS = 30.0
WINDOW = 0.5  # seconds over which throughput is measured
ENOUGH = 0.8  # of the load's rate
BATCH = 500
SUCCEEDED = "ended:7"
HOUR = 3600
FLAGS = ("--lease", "3", "--heartbeat", "1", "--max-lost", "1000", "--dedup-window", "60")


class Meter:
    """Tasks that ended a second, over the last moments."""

    def __init__(self, running: Arena) -> None:
        self._arena = running
        self._seen: list[tuple[float, int]] = []

    def rate(self) -> float:
        """0 where it is not known: the store is away, or what was seen of it is too short."""
        try:
            ended = self._arena.count(SUCCEEDED)
        except redis.RedisError:
            self._seen.clear()
            return 0.0
        now = time.monotonic()
        self._seen.append((now, ended))
        while len(self._seen) > 1 and now - self._seen[1][0] >= WINDOW:
            del self._seen[0]
        began, before = self._seen[0]
        return (ended - before) / (now - began) if now - began >= WINDOW else 0.0


def restart(service: Service, running: Arena, load: Load) -> float:
    """Kill and start it; gives the seconds from its death until the throughput is back."""
    began = time.monotonic()
    service.kill()
    service.start()
    meter = Meter(running)

    def is_back() -> bool:
        load.check()
        return meter.rate() >= ENOUGH * RATE

    until(is_back, PATIENCE_SECONDS, "the throughput is back")
    return time.monotonic() - began


def clear(running: Arena, ids: list[str]) -> int:
    """Read every task, and delete it; gives how many did not succeed or were not there."""
    wrong = 0
    with new_channel(Transport(running.target)) as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            answer = stub.BatchGetTasks(task_service_pb2.BatchGetTasksRequest(task_ids=part), timeout=30)
            wrong += len(part) - sum(task.state == task_pb2.Task.STATE_SUCCEEDED for task in answer.tasks)
            selector = task_pb2.TaskSelector(task_ids=part)
            stub.DeleteTasks(task_service_pb2.DeleteTasksRequest(selector=selector), timeout=30)
    return wrong


def measure(count: int) -> bool:
    """Whether all that was asked for holds."""
    with arena(*FLAGS) as running:
        running.worker.start()
        load = Load(running.target, RATE, keep_ids=True)
        meter = Meter(running)
        until(lambda: meter.rate() >= ENOUGH * RATE, PATIENCE_SECONDS, "the load runs")
        time.sleep(5)  # what every process loads at first is loaded
        first = running.memory()
        back: dict[str, list[float]] = {"store": [], "gateway": []}
        for number in range(count):
            for name, service in (("store", running.store), ("gateway", running.gateway)):
                back[name].append(restart(service, running, load))
            if number % 10 == 9:
                print(f"{number + 1} of each, the last back in {back['store'][-1]:.1f} and {back['gateway'][-1]:.1f} s")
        load.stop()
        until(lambda: running.count("leases") == 0 and not running.client.exists("caraway:{0}:depth"), 60, "all end")
        last = running.memory()
        wrong = clear(running, load.ids)
        running.worker.stop()
        running.turn_clock(2 * HOUR)  # past the time for which ids and workers are remembered
        running.gateway.kill()
        running.gateway.start()  # its pruner looks at once
        until(lambda: running.count("ended:99") == 0 and running.count("workers") == 0, 120, "all is pruned")
        left = {key for key in running.all_keys() if not key.startswith("hungry:")}
        grown = running.used_memory() - running.used_memory_at_start
    stays = {"sequence", "reaper:seen", "reaper:grace"}
    good = max(map(max, back.values())) <= BACK_SECONDS and wrong == 0 and left <= stays
    rows = [("restarts of the store, and as many of the gateway", str(count)), ("load, tasks a second", str(RATE))]
    for name, values in back.items():
        figure = f"{median(values):.2f} (median), {max(values):.2f} (most)"
        rows.append((f"throughput back after a restart of the {name}, seconds from its death", figure))
    rows += [
        ("accepted tasks", f"{len(load.ids):,}"),
        ("of them lost, or not succeeded", str(wrong)),
        ("keys left behind", ", ".join(sorted(left - stays)) or "none"),
        ("store's memory, end less beginning (its scripts stay)", f"{grown / 1e6:.2f} MB"),
    ]
    for name, before in first.items():
        rows.append(
            (f"{name}: resident memory, beginning and end", f"{before / 1e6:.0f} and {last[name] / 1e6:.0f} MB")
        )
    keep("Restarts", table(("what", "figure"), rows))
    return good


if __name__ == "__main__":
    sys.exit(0 if measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100) else 1)
