"""A3.5: submit, list, delayed tasks and drain with a million tasks queued, and as many scheduled, against a thousand.

`python -m benchmarks.endurance.million [TASKS]`; a million take about ten minutes and 2 GB.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from caraway_tasks import noop

from benchmarks.endurance.arena import Arena, arena, until
from benchmarks.endurance.record import keep, table
from benchmarks.endurance.slow_scripts import NOTED_MS, TOO_LONG_MS, Held, note_slow_scripts, slow_scripts
from caraway import Caraway
from caraway.channel import new_channel
from caraway.transport import Transport
from caraway.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    task_pb2,
    task_service_pb2,
    task_service_pb2_grpc,
    worker_service_pb2,
    worker_service_pb2_grpc,
)

FEW, MANY = 1_000, 1_000_000
MEASURED = 20_000
DELAYED = 5_000
LEASED = 2_000
ROUNDS = 3
PAGES = 100
PAGE = 100
CHUNK = 10_000
DAY = 86_400
PATIENCE_SECONDS = 900.0
LEAST_SHARE = 0.8  # of the rate with few tasks
FLAGS = ("--lease", "3", "--heartbeat", "1", "--dedup-window", "60")


@dataclass(frozen=True, slots=True)
class Rate:
    """How many a second, and what each cost gateway and store together, in microseconds of processor."""

    per_second: float
    cost: float


Rates = dict[str, Rate]


class Level:
    """One system that is filled to a number of tasks, measured, and emptied again."""

    def __init__(self, running: Arena, tasks: int) -> None:
        self._arena = running
        self._tasks = tasks
        self._app = Caraway(target=running.target)
        self._channel = new_channel(Transport(running.target))

    def close(self) -> None:
        """End its connections."""
        self._channel.close()
        self._app.close()

    def _submit(self, count: int, **options: object) -> float:
        began = time.monotonic()
        for start in range(0, count, CHUNK):
            number = min(CHUNK, count - start)
            self._app.submit_many(self._app.signature(noop.name, (n,), **options) for n in range(number))
        return count / (time.monotonic() - began)

    def fill(self) -> None:
        """Queue so many tasks, and schedule as many for tomorrow."""
        self._submit(self._tasks)
        self._submit(self._tasks, countdown=DAY, queue="tomorrow")

    def measure(self) -> Rates:
        """All rates, each a second: the best of some rounds, which others on the machine disturb least."""
        rounds = [self._round() for _ in range(ROUNDS)]
        return {
            name: Rate(max(one[name].per_second for one in rounds), min(one[name].cost for one in rounds))
            for name in rounds[0]
        }

    def _round(self) -> Rates:
        return {
            "submit, tasks/s": self._metered(lambda: self._submit(MEASURED), MEASURED),
            "list, pages of 100/s": self._metered(self._list, PAGES),
            "delayed tasks made ready, tasks/s": self._metered(self._promote, DELAYED),
            "drain, tasks/s": self._metered(self._drain, MEASURED),
        }

    def _metered(self, measure: Callable[[], float], count: int) -> Rate:
        before = self._arena.cpu_seconds()
        per_second = measure()
        return Rate(per_second, (self._arena.cpu_seconds() - before) / count * 1e6)

    def _list(self) -> float:
        stub = task_service_pb2_grpc.TaskServiceStub(self._channel)
        token, began = "", time.monotonic()
        for page in range(PAGES):
            request = task_service_pb2.ListTasksRequest(page_size=PAGE, page_token=token)
            request.filter.queues.append("default")
            request.filter.states.append(task_pb2.Task.STATE_QUEUED)
            answer = stub.ListTasks(request, timeout=30)
            token = answer.next_page_token if page % 5 < 4 else ""  # few have no more than ten
        return PAGES / (time.monotonic() - began)

    def _promote(self) -> float:
        due = datetime.now(UTC) + timedelta(seconds=3)
        lane = f"lane:soon:{noop.name}"
        all_of_them = self._arena.count(lane) + DELAYED
        self._submit(DELAYED, eta=due, queue="soon")
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
        taken = until(lambda: self._arena.count(lane) == all_of_them, 60, "delayed tasks are ready")
        return DELAYED / taken

    def _drain(self) -> float:
        """From the time that the worker is warm."""
        ended = self._arena.count("ended:7")
        first, last = ended + MEASURED // 10, ended + MEASURED - MEASURED // 10
        self._arena.worker.start()
        until(lambda: self._arena.count("ended:7") >= first, 60, "the drain begins")
        began, before = time.monotonic(), self._arena.count("ended:7")
        until(lambda: self._arena.count("ended:7") >= last, 120, "the drain goes on")
        rate = (self._arena.count("ended:7") - before) / (time.monotonic() - began)
        self._arena.worker.stop()
        return rate

    def empty(self) -> dict[str, float]:
        """Let every duty handle all: leases that run out, tasks that are due, tasks to be deleted. Gives seconds."""
        took = {"reaper, abandoned leases": self._reap()}
        self._arena.turn_clock(2 * DAY)
        took["promoter, all tasks of tomorrow"] = self._until_empty("scheduled")
        admin = admin_service_pb2_grpc.AdminServiceStub(self._channel)
        began = time.monotonic()
        for queue in ("default", "tomorrow", "soon"):
            while admin.PurgeQueue(admin_service_pb2.PurgeQueueRequest(name=queue), timeout=30).more:
                pass
        took["purge, all queues"] = time.monotonic() - began
        self._arena.turn_clock(2 * DAY)
        took["pruner, all tasks"] = self._until_empty("ended:9")
        self._arena.turn_clock(DAY)
        took["pruner, all ids"] = self._until_empty("ended:99")
        return took

    def _reap(self) -> float:
        stub = worker_service_pb2_grpc.WorkerServiceStub(self._channel)
        request = worker_service_pb2.PollTasksRequest(worker_id="silent", queues=["soon"], max_leases=250)
        for _ in range(LEASED // 250):
            stub.PollTasks(request, timeout=30)
        return self._until_empty("leases")

    def _until_empty(self, index: str) -> float:
        return until(lambda: self._arena.count(index) == 0, PATIENCE_SECONDS, f"{index} is empty")


def run(tasks: int) -> tuple[Rates, dict[str, float], list[Held], set[str], int]:
    """Fill, measure and empty a system; gives rates, seconds of the duties, slow scripts, keys left, most memory."""
    with arena(*FLAGS) as running:
        note_slow_scripts(running.client)
        level = Level(running, tasks)
        level.fill()
        rates = level.measure()
        took = level.empty()
        level.close()
        held = slow_scripts(running.client)
        left = {key for key in running.all_keys() if not key.startswith(("hungry:", "worker"))}
        return rates, took, held, left, int(running.client.info("memory")["used_memory_peak"])


def main(many: int) -> bool:
    """Whether all that was asked for holds."""
    before = run(FEW)[0]
    print(f"{FEW:,}: {before}", flush=True)
    rates, took, held, left, peak = run(many)
    after = run(FEW)[0]
    few = {
        name: Rate((before[name].per_second + after[name].per_second) / 2, min(before[name].cost, after[name].cost))
        for name in rates
    }
    left -= {"sequence", "reaper:seen", "reaper:grace"}
    shares = {name: rate.per_second / few[name].per_second for name, rate in rates.items()}
    head = (
        "rate", f"{FEW:,} queued (before, after)", f"{many:,} queued and as many scheduled", "share",
        "microseconds of processor each, gateway and store",
    )  # fmt: skip
    rows = [
        (
            name, f"{few[name].per_second:,.0f} ({before[name].per_second:,.0f}, {after[name].per_second:,.0f})",
            f"{rates[name].per_second:,.0f}", f"{share:.0%}", f"{few[name].cost:,.0f} and {rates[name].cost:,.0f}",
        )
        for name, share in shares.items()
    ]  # fmt: skip
    text = [
        table(head, rows),
        table(("then (a duty may look half a minute late)", "seconds"), [(name, f"{took[name]:.1f}") for name in took]),
    ]
    slow = [(one.name, str(one.count), str(one.too_long), f"{one.longest:.1f}") for one in held]
    above = (f"times above {NOTED_MS:.0f} ms", f"above {TOO_LONG_MS:.0f} ms")
    text.append(table(("script", *above, "longest, ms"), slow) if slow else "No slow script.")
    text.append(f"Load average at the end: {os.getloadavg()[0]:.1f}; times by the clock want a machine of their own.")
    text.append(f"Most memory of the store: {peak / 1e6:,.0f} MB. Keys left: {', '.join(sorted(left)) or 'none'}.")
    keep("A million tasks", "\n\n".join(text))
    longest = max((one.longest for one in held), default=0.0)
    return min(shares.values()) >= LEAST_SHARE and longest <= TOO_LONG_MS and not left


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY) else 1)
