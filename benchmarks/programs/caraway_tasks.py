"""Caraway's task: does nothing but tell when it ran."""

import time

from caraway import Caraway

app = Caraway("caraway_tasks")


@app.task
def noop(_value: object) -> float:
    """Return the time of its start, in seconds since 1970."""
    return time.time()
