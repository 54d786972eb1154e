"""Taskiq's producer. It has no call for many tasks: many are sent at once, each over a connection of its own."""

import os
from typing import Any

from at_once import call_all, call_each, loop
from clock import collected, latencies, rate, read_ids, run, write_ids
from redis import Redis
from taskiq_tasks import backend, broker, noop

POLL_SECONDS = 0.001


def submit(count: str, path: str, value: str = "") -> dict[str, Any]:
    """Submit tasks and keep their ids."""
    tasks = call_all(noop.kiq, [value or n for n in range(int(count))])
    return write_ids(path, [task.task_id for task in tasks])


def submit_many(count: str) -> dict[str, Any]:
    """Time 50 calls of kiq() at once."""
    return rate(int(count), lambda number: call_all(noop.kiq, range(number)))


def delay(count: str) -> dict[str, Any]:
    """Time a loop of kiq(), each confirmed before the next."""
    return rate(int(count), lambda number: call_each(noop.kiq, number))


def delay_get(count: str) -> dict[str, Any]:
    """Time kiq() and the wait for its result."""

    async def call(number: int) -> None:
        task = await noop.kiq(number)
        await task.wait_result(check_interval=POLL_SECONDS, timeout=30)

    return latencies(int(count), lambda n: loop.run_until_complete(call(n)))


def collect(path: str) -> dict[str, Any]:
    """Wait for all, read every result; gives the first and the last start."""
    with Redis(unix_socket_path=os.environ["BENCH_STORE_SOCKET"]) as store:

        def spans(ids: list[str]) -> dict[str, tuple[float, float]]:
            stored = zip(ids, store.mget(ids), strict=True)
            starts = {key: backend.serializer.loadb(data)["return_value"] for key, data in stored if data}
            return {key: (start, start) for key, start in starts.items()}

        return collected(read_ids(path), spans)


if __name__ == "__main__":
    loop.run_until_complete(broker.startup())
    run({f.__name__: f for f in (submit, submit_many, delay, delay_get, collect)})
    loop.run_until_complete(broker.shutdown())
