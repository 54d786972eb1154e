"""A system as the measurements see it: services that run, and a producer that is run. Caraway and Celery."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.install import BUILD, PROGRAMS, NotInstalled, python_environment
from benchmarks.meter import Meter, metered
from benchmarks.store import EMBEDDED, Store, running_store

CARAWAY_BIN = Path(sys.executable).parent
START_SECONDS = 60.0
STOP_SECONDS = 20.0
PRODUCER_SECONDS = 400.0
CONCURRENCY = "2"


@dataclass(slots=True)
class System:
    """A system on a store of its own.

    `producer` is the command that takes an operation and its arguments; `workers` of `worker_command` are run;
    `worker_ready` is in the line that a worker says when it is; `processes` are the services by what they are.
    """

    name: str
    store: Store
    folder: Path
    producer: list[str]
    worker_command: list[str]
    worker_ready: str
    env: dict[str, str]
    workers: int = 1
    processes: dict[str, psutil.Process] = field(default_factory=dict)
    meter: Meter | None = None

    def produce(self, operation: str, *arguments: object) -> dict[str, Any]:
        """Run an operation of the system's producer in a process of its own; gives what it printed."""
        command = [*self.producer, operation, *map(str, arguments)]
        done = subprocess.run(
            command, env=self.env, capture_output=True, text=True, timeout=PRODUCER_SECONDS, check=False
        )
        if done.returncode:
            raise SystemExit(f"caraway: {self.name}'s producer failed at {operation}:\n{done.stderr[-3000:]}")
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed

    @property
    def ids(self) -> Path:
        """Where the producer keeps ids between two of its operations."""
        return self.folder / "ids"

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Run two worker processes, of one worker or two, until the block ends."""
        with ExitStack() as ends:
            started = []
            # All are started before one is waited for: a drain begins with the first that is ready.
            for number in range(self.workers):
                log = self.folder / f"worker-{number}.log"
                started.append((ends.enter_context(_running(self.worker_command, log, self.env)), log))
            for process, log in started:
                _first_line(process, log, self.worker_ready)
            names = ["worker", *(f"worker {number + 1}" for number in range(1, self.workers))]
            self.processes |= {
                name: psutil.Process(process.pid) for name, (process, _) in zip(names, started, strict=True)
            }
            yield
            for name in names:
                del self.processes[name]

    def cpu_seconds(self) -> dict[str, float]:
        """What each service, and the store, has used of the processors since its start; a worker's children apart."""
        used = {name: _cpu(process) for name, process in self.processes.items()}
        worker = self.processes.get("worker")
        if worker is not None:
            used["children"] = sum(_cpu(child) for child in worker.children(recursive=True))
        return used | {"store": _cpu(psutil.Process(self.store.pid))}


@contextmanager
def caraway(fsync: str = "always", settings: dict[str, str] = EMBEDDED, *, metering: bool = False) -> Iterator[System]:
    """Caraway with one gateway; `metering`: with a meter between that and the store."""
    with new_folder() as folder, running_store(folder, fsync, settings) as store, ExitStack() as ends:
        meter = ends.enter_context(metered(store, folder)) if metering else None
        command = [str(CARAWAY_BIN / "caraway"), "server"]
        command += ["--redis", f"unix://{store.socket if meter is None else meter.socket}"]
        command += ["--listen", "127.0.0.1:0", "-l", "WARNING"]
        with _running(command, folder / "gateway.log", environment()) as gateway:
            line = _first_line(gateway, folder / "gateway.log", "listens on")
            env = environment(CARAWAY_TARGET=line.split("listens on ")[1].split()[0])
            worker = [str(CARAWAY_BIN / "caraway"), "worker", "-A", "caraway_tasks", "-c", CONCURRENCY]
            producer = [str(CARAWAY_BIN / "python"), str(PROGRAMS / "caraway_client.py")]
            system = System("caraway", store, folder, producer, worker, " ready.", env)
            system.processes["gateway"] = psutil.Process(gateway.pid)
            system.meter = meter
            yield system


@contextmanager
def celery(
    fsync: str = "always", settings: dict[str, str] = EMBEDDED, *, prefetch: int = 4, flags: tuple[str, ...] = ()
) -> Iterator[System]:
    """Celery, its broker and result backend on the same store. `prefetch` is worker_prefetch_multiplier."""
    try:
        programs = python_environment("celery")
    except NotInstalled as error:
        raise SystemExit(f"caraway: Celery can't be installed: {error}") from error
    with new_folder() as folder, running_store(folder, fsync, settings) as store:
        env = environment(BENCH_STORE_URL=f"redis+socket://{store.socket}", BENCH_PREFETCH=str(prefetch))
        worker = [str(programs / "celery"), "-A", "celery_tasks", "worker", "-P", "prefork", "-c", CONCURRENCY]
        worker += ["-l", "WARNING", *flags]
        producer = [str(programs / "python"), str(PROGRAMS / "celery_client.py")]
        yield System("celery", store, folder, producer, worker, " ready.", env)


def environment(**added: str) -> dict[str, str]:
    """This process's environment, in which all programs find their tasks, and what is added."""
    return {**os.environ, "PYTHONPATH": str(PROGRAMS), "C_FORCE_ROOT": "1", **added}


@contextmanager
def new_folder() -> Iterator[Path]:
    """Make a folder that is gone when the block ends."""
    BUILD.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=BUILD))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(command: list[str], log: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT, cwd=PROGRAMS)
        try:
            yield process
        finally:
            _stop(process)


def _first_line(process: subprocess.Popen[bytes], log: Path, ready: str) -> str:
    """Wait for the line that says that it is ready, and give it."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        ended = process.poll() is not None
        said = log.read_text(errors="replace")
        heard = next((line for line in said.splitlines() if ready in line), None)
        if heard is not None:
            return heard
        if ended or time.monotonic() > deadline:
            raise SystemExit(f"caraway: {process.args!r} did not start:\n{said[-3000:]}")
        time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
