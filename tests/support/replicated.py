"""A primary, its replicas and the sentinels that watch them: real processes on ports of their own."""

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import redis

from support.processes import eventually
from support.stores import PROGRAMS, StoreProcess

SERVICE = "caraway"
SENTINELS = 3


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Replicated:
    """A primary with two replicas; each writes its append-only file before it answers.

    Args:
        kind: "valkey" or "redis".
        make_folder: makes a folder for each.
        password: of all of them.
        sentinels: whether three sentinels watch them; they let a replica take the place of a primary that is gone.
    """

    def __init__(
        self, kind: str, make_folder: Callable[[], Path], *, sentinels: bool = False, password: str = ""
    ) -> None:
        self.kind = kind
        self._password = password
        self.ports: dict[StoreProcess, int] = {}
        self._make_folder = make_folder
        first = self._store()
        self.primary = first
        self.replicas = [self._store(replicaof=f"127.0.0.1 {self.ports[first]}") for _ in range(2)]
        eventually(lambda: self._online(first) == 2, timeout=30, what="the replicas are in step")
        self._sentinels: dict[int, subprocess.Popen[bytes]] = {}
        for _ in range(SENTINELS if sentinels else 0):
            self._start_sentinel()
        for port in self._sentinels:
            eventually(lambda port=port: self._knows_all(port), timeout=30, what="the sentinels know each other")

    def _store(self, **settings: str) -> StoreProcess:
        port = free_port()
        settings |= {"port": str(port), "appendonly": "yes", "appendfsync": "always", "repl_diskless_sync_delay": "0"}
        if self._password:
            settings |= {"requirepass": self._password, "masterauth": self._password}
        store = StoreProcess(self.kind, self._make_folder(), **settings).start()
        self.ports[store] = port
        return store

    def _start_sentinel(self) -> None:
        port, folder = free_port(), self._make_folder()
        config = folder / "sentinel.conf"
        config.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\nlogfile {folder}/sentinel.log\n"
            f"sentinel monitor {SERVICE} 127.0.0.1 {self.ports[self.primary]} 2\n"
            f"sentinel down-after-milliseconds {SERVICE} 500\n"
            f"sentinel failover-timeout {SERVICE} 3000\n"
        )
        if self._password:
            with config.open("a") as file:
                file.write(f'sentinel auth-pass {SERVICE} "{self._password}"\nrequirepass "{self._password}"\n')
                file.write(f'sentinel sentinel-pass "{self._password}"\n')
        command = [PROGRAMS[self.kind], str(config), "--sentinel"]
        self._sentinels[port] = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def _online(self, store: StoreProcess) -> int:
        with self.client(store) as client:
            info = client.info("replication")
            return sum(info[f"slave{n}"]["state"] == "online" for n in range(info["connected_slaves"]))

    def _knows_all(self, port: int) -> bool:
        try:
            with redis.Redis(port=port, password=self._password or None) as client:
                state = client.sentinel_masters()[SERVICE]
        except redis.ConnectionError:
            return False
        return bool(state["num-other-sentinels"] == SENTINELS - 1 and state["num-slaves"] == 2)

    @property
    def url(self) -> str:
        """Of the first primary."""
        return f"redis://127.0.0.1:{self.ports[self.primary]}"

    @property
    def sentinel_url(self) -> str:
        """Of whichever is the primary."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._sentinels)
        if not self._password:
            return f"sentinel://{hosts}/{SERVICE}"
        word = quote(self._password)
        return f"sentinel://:{word}@{hosts}/{SERVICE}?sentinel_password={word}"

    def client(self, store: StoreProcess) -> redis.Redis:
        """A connection to one of the stores; the caller closes it."""
        return redis.Redis(port=self.ports[store], password=self._password or None)

    def promoted(self) -> StoreProcess | None:
        """The replica that has become the primary, or None."""
        for store in self.replicas:
            with self.client(store) as client:
                if client.info("replication")["role"] == "master":
                    return store
        return None

    def stop(self) -> None:
        """Ends all."""
        for sentinel in self._sentinels.values():
            sentinel.kill()
            sentinel.wait()
        for store in self.ports:
            store.kill()  # also one that is stopped
