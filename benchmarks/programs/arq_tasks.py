"""Arq's task: does nothing but tell when it ran. Run as a program it is a worker."""

import os
import time
from typing import Any

from arq.connections import RedisSettings
from arq.worker import run_worker

SETTINGS = RedisSettings(unix_socket_path=os.environ["BENCH_STORE_SOCKET"])


async def noop(_context: dict[str, Any], _value: object) -> float:
    """Return the time of its start, in seconds since 1970."""
    return time.time()


async def say_ready(_context: dict[str, Any]) -> None:
    """Tell the harness."""
    print("the worker is ready.", flush=True)


class WorkerSettings:
    """Polls often, and runs many at once: by default it would look twice a second, for ten."""

    functions = (noop,)
    on_startup = say_ready
    redis_settings = SETTINGS
    poll_delay = 0.001
    max_jobs = 100
    log_results = False


if __name__ == "__main__":
    # Not by arq's command line, which logs two lines a task.
    run_worker(WorkerSettings)
