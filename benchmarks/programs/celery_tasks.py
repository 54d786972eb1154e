"""Celery's task: does nothing but tell when it ran."""

import os
import time

from celery import Celery
from celery.signals import worker_ready

app = Celery("celery_tasks", broker=os.environ["BENCH_STORE_URL"], backend=os.environ["BENCH_STORE_URL"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_ignore_result=False,
    worker_prefetch_multiplier=int(os.environ.get("BENCH_PREFETCH", "4")),
)


@app.task
def noop(_value: object) -> float:
    """Return the time of its start, in seconds since 1970."""
    return time.time()


@worker_ready.connect
def say_ready(**_arguments: object) -> None:
    """Tell the harness, without a log level at which every task writes a line."""
    print("the worker is ready.", flush=True)
