"""A real gateway process for tests."""

import signal
from pathlib import Path

import grpc
import psutil

from support.processes import CARAWAY, Running, eventually


class GatewayProcess:
    """`caraway server` on a free port; start() after kill() or stop() takes the same port and data again.

    Args:
        data_dir: of its embedded store.
        flags: further flags.
    """

    def __init__(self, data_dir: Path, *flags: str) -> None:
        self.data_dir = data_dir
        self.flags = flags
        self.target = ""
        self.running: Running | None = None

    def start(self) -> "GatewayProcess":
        """Starts it and waits until it listens."""
        listen = self.target or "127.0.0.1:0"
        store = [] if "--redis" in self.flags else ["--data-dir", str(self.data_dir)]
        self.running = Running([*CARAWAY, "server", "--listen", listen, *store, *self.flags])
        line = self.running.wait_for_line("listens on")
        self.target = line.split("listens on ")[1].split()[0]
        return self

    @property
    def pid(self) -> int:
        """Of the gateway."""
        assert self.running is not None
        return self.running.pid

    @property
    def store_pid(self) -> int:
        """Of its embedded Valkey."""

        def find() -> int | None:
            for child in psutil.Process(self.pid).children():
                try:
                    if "valkey-server" in child.name():
                        return child.pid
                except psutil.NoSuchProcess:
                    continue
            return None

        found = eventually(find, timeout=30, what="the embedded store runs")
        assert isinstance(found, int)
        return found

    @property
    def redis_url(self) -> str:
        """Of its embedded store."""
        return f"unix://{self.data_dir}/valkey.sock"

    def channel(self) -> grpc.Channel:
        """A plain channel to it; the caller closes it."""
        return grpc.insecure_channel(self.target)

    def kill(self) -> None:
        """SIGKILL, as a crash. The embedded store ends with it."""
        assert self.running is not None
        self.running.kill()

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        psutil.Process(self.pid).send_signal(number)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self.running is not None
        return self.running.stop()


def refused_start(*flags: str, within: float = 40) -> str:
    """Starts a gateway that must refuse, within so many seconds; returns what it says."""
    running = Running([*CARAWAY, "server", "--listen", "127.0.0.1:0", *flags])
    try:
        assert running.process.wait(within) == 1
    finally:
        running.stop()
    return running.output
