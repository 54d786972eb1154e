"""RQ's producer."""

import os
from typing import Any

from clock import collected, latencies, rate, read_ids, run, write_ids
from redis import Redis
from rq import Queue
from rq.job import Job
from rq_tasks import noop

connection = Redis(unix_socket_path=os.environ["BENCH_STORE_SOCKET"])
queue = Queue("default", connection=connection)
CHUNK = 500


def _send(values: list[object]) -> list[str]:
    sent: list[str] = []
    for start in range(0, len(values), CHUNK):
        jobs = [Queue.prepare_data(noop, args=(value,)) for value in values[start : start + CHUNK]]
        sent += [job.id for job in queue.enqueue_many(jobs)]
    return sent


def submit(count: str, path: str, value: str = "") -> dict[str, Any]:
    """Submit tasks and keep their ids."""
    return write_ids(path, _send([value or n for n in range(int(count))]))


def submit_many(count: str) -> dict[str, Any]:
    """Time enqueue_many()."""
    return rate(int(count), lambda number: _send(list(range(number))))


def delay(count: str) -> dict[str, Any]:
    """Time a loop of enqueue(), each confirmed before the next."""

    def loop(number: int) -> None:
        for n in range(number):
            queue.enqueue(noop, n)

    return rate(int(count), loop)


def delay_get(count: str) -> dict[str, Any]:
    """Time enqueue() and the wait for its result."""
    return latencies(int(count), lambda n: queue.enqueue(noop, n).latest_result(timeout=30).return_value)


def collect(path: str) -> dict[str, Any]:
    """Wait for all, read every result; gives the first start and the last end."""
    return collected(read_ids(path), _spans)


def _spans(ids: list[str]) -> dict[str, tuple[float, float]]:
    jobs = [job for job in Job.fetch_many(ids, connection=connection) if job is not None and job.ended_at]
    return {job.id: (job.return_value(), job.ended_at.timestamp()) for job in jobs}


if __name__ == "__main__":
    run({f.__name__: f for f in (submit, submit_many, delay, delay_get, collect)})
