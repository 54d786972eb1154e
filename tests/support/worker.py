"""A real worker process for tests."""

import os
import signal
from pathlib import Path

import psutil

from support.processes import CARAWAY, Running

TESTS = Path(__file__).resolve().parent.parent
READY_SECONDS = 30.0


class WorkerProcess(Running):
    """`caraway worker`; wait for it with ready().

    Args:
        target: the gateway's address.
        app: as -A takes it; the folder tests/ is importable.
        flags: further flags.
        env: added to this process's environment.
    """

    def __init__(self, target: str, app: str, *flags: str, env: dict[str, str] | None = None) -> None:
        super().__init__(
            [*CARAWAY, "worker", "-A", app, "--target", target, "-l", "INFO", *flags],
            env={"PYTHONPATH": f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}", **(env or {})},
        )

    def ready(self) -> "WorkerProcess":
        """Waits until it takes tasks."""
        self.wait_for_line(" ready.", READY_SECONDS)
        return self

    @property
    def children(self) -> list[psutil.Process]:
        """The processes that run tasks."""
        return [child for child in psutil.Process(self.pid).children() if child.is_running()]

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self.process.send_signal(number)

    def end(self, timeout: float = 20.0) -> int:
        """Waits until it ends by itself; returns the exit code."""
        self.process.wait(timeout)
        return self.stop()
