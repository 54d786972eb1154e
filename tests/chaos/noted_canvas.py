"""The app of the tests of canvases, each run of its tasks written down, and a slow task: `-A chaos.noted_canvas`."""

import time
from typing import Any

from caraway.signals import task_prerun
from chaos.chaos_tasks import note
from e2e.canvas_app import app

__all__ = ["app"]


@app.task
def slowly(x: int) -> int:
    """Give what it is given, after a while."""
    time.sleep(0.02)
    return x


@task_prerun.connect
def _write_down(task: Any, **_: object) -> None:
    note(task)
