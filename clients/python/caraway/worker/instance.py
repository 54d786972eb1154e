"""WorkerInstance: a worker, as receivers of signals and commands of one's own are given it."""

from dataclasses import dataclass
from typing import Any

__all__ = ["WorkerInstance"]


@dataclass(frozen=True, slots=True)
class WorkerInstance:
    """The worker that this process belongs to. `pid` is that of its main part, `pool` the name of its pool."""

    app: Any
    hostname: str
    pid: int
    pool: str
    concurrency: int
