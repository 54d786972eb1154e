"""Arq's producer. It has no call for many tasks: many are sent at once, each over a connection of its own."""

from typing import Any

from arq import create_pool
from arq.constants import result_key_prefix
from arq.jobs import Job, deserialize_result
from arq_tasks import SETTINGS
from at_once import call_all, call_each, loop
from clock import collected, latencies, rate, read_ids, run, write_ids

POLL_SECONDS = 0.001
pool = loop.run_until_complete(create_pool(SETTINGS))


async def _send(value: object) -> Job:
    job = await pool.enqueue_job("noop", value)
    assert job is not None
    return job


def submit(count: str, path: str, value: str = "") -> dict[str, Any]:
    """Submit tasks and keep their ids."""
    return write_ids(path, [job.job_id for job in call_all(_send, [value or n for n in range(int(count))])])


def submit_many(count: str) -> dict[str, Any]:
    """Time 50 calls of enqueue_job() at once."""
    return rate(int(count), lambda number: call_all(_send, range(number)))


def delay(count: str) -> dict[str, Any]:
    """Time a loop of enqueue_job(), each confirmed before the next."""
    return rate(int(count), lambda number: call_each(_send, number))


def delay_get(count: str) -> dict[str, Any]:
    """Time enqueue_job() and the wait for its result."""

    async def call(number: int) -> None:
        job = await _send(number)
        await job.result(timeout=30, poll_delay=POLL_SECONDS)

    return latencies(int(count), lambda n: loop.run_until_complete(call(n)))


def collect(path: str) -> dict[str, Any]:
    """Wait for all, read every result; gives the first start and the last end."""
    return collected(read_ids(path), _spans)


def _spans(ids: list[str]) -> dict[str, tuple[float, float]]:
    stored = loop.run_until_complete(pool.mget([result_key_prefix + job_id for job_id in ids]))
    ended = {job_id: deserialize_result(data) for job_id, data in zip(ids, stored, strict=True) if data}
    return {job_id: (job.result, job.finish_time.timestamp()) for job_id, job in ended.items()}


if __name__ == "__main__":
    run({f.__name__: f for f in (submit, submit_many, delay, delay_get, collect)})
