"""Huey's task: does nothing but tell when it ran."""

import os
import time

from huey import RedisHuey

huey = RedisHuey("bench", url=f"unix://{os.environ['BENCH_STORE_SOCKET']}")


@huey.task()
def noop(_value: object) -> float:
    """Return the time of its start, in seconds since 1970."""
    return time.time()


@huey.on_startup()
def say_ready() -> None:
    """Tell the harness."""
    print("the worker is ready.", flush=True)
