"""Taskiq's task: does nothing but tell when it ran."""

import os
import time

from taskiq import TaskiqEvents, TaskiqState
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

URL = f"unix://{os.environ['BENCH_STORE_SOCKET']}"

backend: RedisAsyncResultBackend[float] = RedisAsyncResultBackend(URL, result_ex_time=3600)
broker = RedisStreamBroker(URL, consumer_id="0").with_result_backend(backend)


@broker.task
async def noop(_value: object) -> float:
    """Return the time of its start, in seconds since 1970."""
    return time.time()


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def say_ready(_state: TaskiqState) -> None:
    """Tell the harness."""
    print("the worker is ready.", flush=True)
