"""WorkerInstance: a worker, as receivers of signals and commands of one's own are given it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["WorkerInstance"]


@dataclass(frozen=True, slots=True)
class WorkerInstance:
    """The worker that this process belongs to. `pid` is that of its main part, `pool` the name of its pool.

    `options` are those that the app added to the command line (`app.user_options`), by their names.
    """

    app: Any
    hostname: str
    pid: int
    pool: str
    concurrency: int
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
