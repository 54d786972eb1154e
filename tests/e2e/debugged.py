"""An app whose tasks stop in the remote debugger."""

import time
from pathlib import Path

from caraway import Caraway
from caraway.contrib import rdb

app = Caraway("e2e.debugged")


@app.task
def add(x: int, y: int) -> int:
    result = x + y
    rdb.set_trace()
    return result


@app.task
async def aadd(x: int, y: int) -> int:
    result = x + y
    rdb.set_trace()
    return result


@app.task
def twice(x: int) -> int:
    rdb.set_trace()
    rdb.set_trace()
    return x


@app.task
def spin(started: str) -> int:
    Path(started).touch()
    going = True
    while going:
        time.sleep(0.01)
    return 7
