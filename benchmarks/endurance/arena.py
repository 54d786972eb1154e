"""A store, a gateway and a worker that can be killed and started again, each a process of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import redis

from benchmarks.store import EMBEDDED, FSYNC, environment, program

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = CHECKOUT / "benchmarks" / "programs"
CARAWAY = str(Path(sys.executable).with_name("caraway"))
START_SECONDS = 60.0
STOP_SECONDS = 20.0
ROOT = "caraway:{0}:"


class Service:
    """A process that says when it is ready.

    Args:
        command: what to run.
        log: where its output goes.
        ready: stands in the line that says so.
        env: its environment.
    """

    def __init__(self, command: list[str], log: Path, ready: str, env: dict[str, str]) -> None:
        self.command = command
        self._log = log
        self._ready = ready
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None
        self.line = ""

    @property
    def pid(self) -> int:
        """Of the process as it runs now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it is ready; SystemExit with its output where it does not come to that."""
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                self.command, env=self._env, stdout=output, stderr=subprocess.STDOUT, cwd=PROGRAMS
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            said = self._log.read_text(errors="replace")
            self.line = next((line for line in said.splitlines() if self._ready in line), "")
            if self.line:
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"caraway: {' '.join(self.command[:2])} did not start:\n{said[-3000:]}")
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM; SIGKILL to what does not end."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def family(self) -> list[psutil.Process]:
        """It and its children."""
        process = psutil.Process(self.pid)
        return [process, *process.children(recursive=True)]


class Arena:
    """All three, and a client of the store, which survives the store's restarts."""

    def __init__(self, folder: Path, gateway_flags: tuple[str, ...]) -> None:
        socket = folder / "store.sock"
        settings = {"port": "0", "unixsocket": str(socket), "dir": str(folder), "save": ""} | FSYNC["always"] | EMBEDDED
        flags = [part for name, value in settings.items() for part in (f"--{name}", value)]
        env = {**os.environ, "PYTHONPATH": str(PROGRAMS)}
        self.store = Service([program(), *flags], folder / "store.log", "eady to accept connections", environment())
        self.store.start()
        self.client = redis.Redis(unix_socket_path=str(socket))
        self.used_memory_at_start = self.used_memory()
        command = [CARAWAY, "server", "--redis", f"unix://{socket}", "-l", "WARNING", *gateway_flags]
        self.gateway = Service([*command, "--listen", "127.0.0.1:0"], folder / "gateway.log", "listens on", env)
        self.gateway.start()
        self.target = self.gateway.line.split("listens on ")[1].split()[0]
        self.gateway.command[-1] = self.target  # the same port again
        command = [CARAWAY, "worker", "-A", "caraway_tasks", "-c", "2", "--target", self.target]
        self.worker = Service(command, folder / "worker.log", " ready.", env)

    def used_memory(self) -> int:
        """Bytes that the store's data take."""
        return int(self.client.info("memory")["used_memory"])

    def count(self, index: str) -> int:
        """Entries of one of the store's indexes."""
        return int(self.client.zcard(ROOT + index))

    def all_keys(self) -> set[str]:
        """All keys but those that Redis itself lets go."""
        return {key.decode().removeprefix(ROOT) for key in self.client.scan_iter(count=10_000)} - {"clock"}

    def turn_clock(self, seconds: float) -> None:
        """Turn the clock by which the store's times go; the duties look at it within seconds."""
        self.client.incrby(f"{ROOT}clock", round(seconds * 1e6))

    def cpu_seconds(self) -> float:
        """What gateway and store have used of the processors."""
        times = [psutil.Process(service.pid).cpu_times() for service in (self.gateway, self.store)]
        return sum(time.user + time.system for time in times)

    def memory(self) -> dict[str, int]:
        """Resident bytes by process; the worker's children are one, and what rewrites the store's file is left out."""
        sizes = {}
        for name, service in (("gateway", self.gateway), ("worker", self.worker), ("store", self.store)):
            first, *children = service.family()
            sizes[name] = first.memory_info().rss
            if children and name != "store":
                sizes[f"{name}'s children"] = sum(child.memory_info().rss for child in children)
        return sizes

    def stop(self) -> None:
        """End all."""
        self.worker.stop()
        self.gateway.stop()
        self.client.close()
        self.store.stop()


@contextmanager
def arena(*gateway_flags: str) -> Iterator[Arena]:
    """Run a store under AOF always and a gateway; the worker is started by whoever wants it."""
    (CHECKOUT / ".build").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="endure-", dir=CHECKOUT / ".build"))
    running = Arena(folder, gateway_flags)
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def until(check: object, seconds: float, what: str) -> float:
    """Ask until the answer is true; gives the seconds that it took, SystemExit where it does not come true in time."""
    assert callable(check)
    began = time.monotonic()
    while not check():
        if time.monotonic() - began > seconds:
            raise SystemExit(f"caraway: not within {seconds:.0f} s: {what}")
        time.sleep(0.01)
    return time.monotonic() - began
