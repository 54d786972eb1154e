"""Real processes for tests: started, waited for by what they say, and always ended."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

CARAWAY = [str(Path(sys.executable).with_name("caraway"))]


class Running:
    """A process whose output is collected as it comes.

    Args:
        command: what to run.
        cwd: where.
        env: added to this process's environment.
    """

    def __init__(self, command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self._came = threading.Condition()
        self.process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(env or {})}, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._came:
                self.lines.append(line.rstrip("\n"))
                self._came.notify_all()
        with self._came:
            self._came.notify_all()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self.process.pid

    @property
    def output(self) -> str:
        """All that it has said."""
        return "\n".join(self.lines)

    def wait_for_line(self, wanted: str, timeout: float = 30.0) -> str:
        """The first line that contains `wanted`; an AssertionError with all output if it does not come."""
        deadline = time.monotonic() + timeout
        with self._came:
            while True:
                for line in self.lines:
                    if wanted in line:
                        return line
                left = deadline - time.monotonic()
                ended = self.process.poll() is not None and not self._reader.is_alive()
                if left <= 0 or ended:
                    raise AssertionError(f"{wanted!r} was not said; the output:\n{self.output}")
                self._came.wait(min(left, 0.2))

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self) -> None:
        self._reader.join(5)
        if self.process.stdout is not None and not self._reader.is_alive():
            self.process.stdout.close()

    def stop(self, timeout: float = 20.0) -> int:
        """SIGTERM, then waits; SIGKILL to what does not end. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.end_family()
            raise
        finally:
            self._close()
        return self.process.returncode

    def end_family(self) -> None:
        """SIGKILL to it and all its children."""
        try:
            family = [*psutil.Process(self.pid).children(recursive=True), psutil.Process(self.pid)]
        except psutil.NoSuchProcess:
            family = []
        for member in family:
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait(10)


def eventually(check: Callable[[], object], timeout: float = 30.0, what: str = "") -> object:
    """Asks until the answer is true, and returns it; an AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come true within {timeout} s: {what or check}")
        time.sleep(0.01)
