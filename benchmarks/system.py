"""Caraway and Celery as the measurements see them: services that run, and producers that are run."""

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

from benchmarks.store import EMBEDDED, Store, running_store

CHECKOUT = Path(__file__).resolve().parent.parent
PROGRAMS = CHECKOUT / "benchmarks" / "programs"
CELERY_BIN = CHECKOUT / ".build" / "bench-celery" / "bin"
CARAWAY_BIN = Path(sys.executable).parent
START_SECONDS = 60.0
STOP_SECONDS = 20.0
PRODUCER_SECONDS = 400.0
CONCURRENCY = "2"


@dataclass(slots=True)
class System:
    """A system on a store of its own. `processes` are its services by what they are."""

    name: str
    store: Store
    folder: Path
    python: Path
    worker_command: list[str]
    worker_ready: str
    env: dict[str, str]
    processes: dict[str, psutil.Process] = field(default_factory=dict)

    def produce(self, operation: str, *arguments: object) -> dict[str, Any]:
        """Run an operation of the system's producer in a process of its own; gives what it printed."""
        command = [str(self.python), str(PROGRAMS / f"{self.name}_client.py"), operation, *map(str, arguments)]
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
        """Run a worker with two processes until the block ends."""
        with _service(self.worker_command, self.folder / "worker.log", self.worker_ready, self.env) as (process, _):
            self.processes["worker"] = process
            yield
            del self.processes["worker"]

    def cpu_seconds(self) -> dict[str, float]:
        """What each service, and the store, has used of the processors since its start; a worker's children apart."""
        used = {name: _cpu(process) for name, process in self.processes.items()}
        worker = self.processes.get("worker")
        if worker is not None:
            used["children"] = sum(_cpu(child) for child in worker.children(recursive=True))
        return used | {"store": _cpu(psutil.Process(self.store.pid))}


@contextmanager
def caraway(fsync: str = "always", settings: dict[str, str] = EMBEDDED) -> Iterator[System]:
    """Caraway with one gateway."""
    with _folder() as folder, running_store(folder, fsync, settings) as store:
        command = [str(CARAWAY_BIN / "caraway"), "server", "--redis", f"unix://{store.socket}"]
        command += ["--listen", "127.0.0.1:0", "-l", "WARNING"]
        with _service(command, folder / "gateway.log", "listens on", _env()) as (gateway, line):
            env = _env(CARAWAY_TARGET=line.split("listens on ")[1].split()[0])
            worker = [str(CARAWAY_BIN / "caraway"), "worker", "-A", "caraway_tasks", "-c", CONCURRENCY]
            system = System("caraway", store, folder, CARAWAY_BIN / "python", worker, " ready.", env)
            system.processes["gateway"] = gateway
            yield system


@contextmanager
def celery(
    fsync: str = "always", settings: dict[str, str] = EMBEDDED, *, prefetch: int = 4, flags: tuple[str, ...] = ()
) -> Iterator[System]:
    """Celery, its broker and result backend on the same store. `prefetch` is worker_prefetch_multiplier."""
    with _folder() as folder, running_store(folder, fsync, settings) as store:
        env = _env(BENCH_STORE_URL=f"redis+socket://{store.socket}", BENCH_PREFETCH=str(prefetch))
        worker = [str(CELERY_BIN / "celery"), "-A", "celery_tasks", "worker", "-P", "prefork", "-c", CONCURRENCY]
        worker += ["-l", "WARNING", *flags]
        yield System("celery", store, folder, CELERY_BIN / "python", worker, " ready.", env)


def _env(**added: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROGRAMS), "C_FORCE_ROOT": "1", **added}


@contextmanager
def _folder() -> Iterator[Path]:
    (CHECKOUT / ".build").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=CHECKOUT / ".build"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _service(command: list[str], log: Path, ready: str, env: dict[str, str]) -> Iterator[tuple[psutil.Process, str]]:
    """Run a command until the block ends; yields it and the line that said that it is ready."""
    with ExitStack() as ends:
        output = ends.enter_context(log.open("wb"))
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT, cwd=PROGRAMS)
        ends.callback(_stop, process)
        deadline = time.monotonic() + START_SECONDS
        while True:
            ended = process.poll() is not None
            said = log.read_text(errors="replace")
            heard = next((line for line in said.splitlines() if ready in line), None)
            if heard is not None:
                break
            if ended or time.monotonic() > deadline:
                raise SystemExit(f"caraway: {' '.join(command[:2])} did not start:\n{said[-3000:]}")
            time.sleep(0.02)
        yield psutil.Process(process.pid), heard


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
