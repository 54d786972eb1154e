"""The app of these tests: `-A monitor.sample`."""

import logging
import os
import signal

from caraway import Caraway

app = Caraway("monitor.sample", default_queue="watched")
log = logging.getLogger(__name__)


@app.task
def add(x: int, y: int) -> int:
    log.warning("adding")
    return x + y


@app.task
def fail() -> None:
    raise ValueError("so it is")


@app.task(bind=True, autoretry_for=(ConnectionError,), retry_backoff=0.01, retry_jitter=False, max_retries=3)
def second_time(self) -> int:  # type: ignore[no-untyped-def]
    if self.request.retries == 0:
        raise ConnectionError("not yet")
    return int(self.request.attempt)


@app.task(bind=True)
def die_once(self) -> int:  # type: ignore[no-untyped-def]
    if self.request.delivery_count == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return int(self.request.delivery_count)


@app.task
def pass_on(x: int) -> None:
    add.delay(x, x)
