"""RQ's task: does nothing but tell when it ran; and its worker."""

import time
from typing import Any

from rq import SimpleWorker


def noop(_value: object) -> float:
    """Return the time of its start, in seconds since 1970."""
    return time.time()


class SayingWorker(SimpleWorker):
    """Tells the harness that it is there, without a log level at which every task writes lines."""

    def bootstrap(self, *arguments: Any, **options: Any) -> None:
        """Say so."""
        super().bootstrap(*arguments, **options)
        print("the worker is ready.", flush=True)
