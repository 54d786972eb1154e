"""An app whose configuration says how its worker is to run."""

import os
import threading

from caraway import Celery

app = Celery("e2e.conf_app", set_as_current=False)


@app.task
def where() -> tuple[int, str]:
    """Return the process, and the thread's name."""
    return os.getpid(), threading.current_thread().name


app.conf.update(
    worker_concurrency=int(os.environ.get("CONF_CONCURRENCY", "3")),
    worker_pool="thread",
    worker_max_tasks_per_child=1000,
    task_default_queue="conf",
    result_expires=77,
    task_default_priority=7,
)
