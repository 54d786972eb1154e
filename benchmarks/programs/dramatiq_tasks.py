"""Dramatiq's task: does nothing but tell when it ran."""

import os
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

URL = f"unix://{os.environ['BENCH_STORE_SOCKET']}"

broker = RedisBroker(url=URL)
backend = RedisBackend(url=URL)
broker.add_middleware(Results(backend=backend))
dramatiq.set_broker(broker)


@dramatiq.actor(store_results=True)
def noop(_value: object) -> float:
    """Return the time of its start, in seconds since 1970."""
    return time.time()
