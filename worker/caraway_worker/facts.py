"""What a worker tells of itself: to the gateway when it comes, and when it is asked, in Celery's words."""

import os
import platform
import resource
import socket
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final

from caraway.bug_report import text_of
from caraway.settings import definitions
from caraway.v1 import worker_service_pb2
from caraway_worker.pool import Pool
from caraway_worker.pools import pool_named
from caraway_worker.settings import Settings

_USAGE: Final = (
    "utime", "stime", "maxrss", "ixrss", "idrss", "isrss", "minflt", "majflt", "nswap", "inblock", "oublock",
    "msgsnd", "msgrcv", "nsignals", "nvcsw", "nivcsw",
)  # fmt: skip


class Facts:
    """Of one worker. `taken` counts tasks by name as they come; `target` is the gateway's address."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self.taken: dict[str, int] = {}
        self.target = ""
        self._settings = settings
        self._pool = pool
        self._began = time.monotonic()

    @property
    def commands(self) -> dict[str, Callable[..., Any]]:
        """By what commands it is asked."""
        return {"ping": lambda: {"ok": "pong"}, "stats": self.stats, "conf": self.conf, "report": self.report}

    def info(self) -> worker_service_pb2.WorkerInfo:
        """Return what the worker is, for the message that opens a stream."""
        return worker_service_pb2.WorkerInfo(
            name=self._settings.name,
            hostname=socket.gethostname(),
            pid=os.getpid(),
            sdk=f"caraway-python {version('caraway')}",
            language=f"python {platform.python_version()}",
            pool=pool_named(self._settings.pool).name,
            concurrency=self._settings.most_slots,
        )

    def stats(self) -> dict[str, Any]:
        """Return what the worker is and has done."""
        settings, usage = self._settings, resource.getrusage(resource.RUSAGE_SELF)
        host, _, port = self.target.rpartition(":")
        limits = (settings.soft_time_limit, settings.time_limit)
        return {
            "broker": {"transport": "grpc", "hostname": host, "port": int(port) if port.isdecimal() else None},
            "pid": os.getpid(),
            "pool": {
                "implementation": pool_named(settings.pool).name,
                "max-concurrency": settings.most_slots,
                "processes": [child.pid for child in self._pool.children.values()],
                "max-tasks-per-child": settings.max_tasks_per_child or "N/A",
                "timeouts": [limit.total_seconds() if limit else 0 for limit in limits],
            },
            "prefetch_count": self._pool.wanted,
            "rusage": {name: getattr(usage, f"ru_{name}") for name in _USAGE},
            "total": self.taken,
            "uptime": int(time.monotonic() - self._began),
        }

    def conf(self, with_defaults: bool = False) -> dict[str, str]:
        """Return the worker's settings as text, secrets masked; those that differ from their default, or all."""
        shown = {}
        for one in definitions(Settings):
            value = getattr(self._settings, one.field)
            if one.variable and (with_defaults or value != one.default):
                shown[one.key] = one.show(value) or one.default_text
        return shown

    def report(self) -> dict[str, str]:
        """Return what a bug report needs."""
        return {"ok": text_of(f"{self.target} pid:{os.getpid()}", self.conf())}
