"""`caraway worker` as a process of its own."""

import os
import re
import signal
from pathlib import Path

from support.processes import CARAWAY, Running, eventually

DEADLINE = 30.0


class WorkerProcess(Running):
    """A worker of its own process.

    Args:
        target: of the gateway.
        flags: further flags.
        app: as -A takes it.
        env: added to the environment.
    """

    def __init__(self, target: str, *flags: str, app: str = "sample_tasks", env: dict[str, str] | None = None) -> None:
        super().__init__([*CARAWAY, "worker", "-A", app, "--target", target, "-l", "info", *flags], env=env)

    def wait_for(self, pattern: str) -> None:
        """Wait until a line matches."""
        eventually(lambda: any(re.search(pattern, line) for line in self.lines), DEADLINE, pattern)

    def ready(self) -> "WorkerProcess":
        """Wait until it takes tasks."""
        self.wait_for_line(" ready.", DEADLINE)
        return self

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for its own exit; returns the code."""
        self.process.wait(DEADLINE)
        return self.stop()


def lives(pid: int) -> bool:
    """Whether a process that is not ours to wait for runs; a zombie does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
