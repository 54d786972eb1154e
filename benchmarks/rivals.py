"""The systems that Caraway is compared with, each set up as its documentation says that it is fast."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import metadata

from benchmarks.install import FOLDER, PROGRAMS, go_program, node_folder, python_environment
from benchmarks.store import running_store
from benchmarks.system import System, caraway, celery, environment, new_folder

Opened = AbstractContextManager[System]
READY = "is ready"


@dataclass(frozen=True, slots=True)
class Rival:
    """A system with what is asked of it.

    `install` raises NotInstalled where it can't be had; `open_on` opens it on a store with an fsync policy; `how` says
    how it is set up; `many` is the operation that submits many tasks; `drained` and `synced` are the tasks of a drain
    without AOF and with one, for some three to five seconds.
    """

    title: str
    version: str
    install: Callable[[], object]
    open_on: Callable[[str], Opened]
    how: str
    many: str
    drained: int
    synced: int


@contextmanager
def _python(name: str, worker: list[str], workers: int, fsync: str) -> Iterator[System]:
    """`worker` is a program of the system's environment, and its arguments."""
    programs = python_environment(name)
    producer = [str(programs / "python"), str(PROGRAMS / f"{name}_client.py")]
    with _on_a_store(name, producer, [str(programs / worker[0]), *worker[1:]], workers, fsync) as system:
        yield system


@contextmanager
def _bullmq(fsync: str) -> Iterator[System]:
    folder = node_folder("bullmq")
    producer, worker = ["node", str(folder / "client.mjs")], ["node", str(folder / "worker.mjs"), "100"]
    with _on_a_store("bullmq", producer, worker, 2, fsync) as system:
        yield system


@contextmanager
def _asynq(fsync: str) -> Iterator[System]:
    program = str(go_program("asynq"))
    with _on_a_store("asynq", [program], [program, "worker", "50"], 2, fsync) as system:
        yield system


@contextmanager
def _on_a_store(name: str, producer: list[str], worker: list[str], workers: int, fsync: str) -> Iterator[System]:
    with new_folder() as folder, running_store(folder, fsync) as store:
        env = environment(BENCH_STORE_SOCKET=str(store.socket), RQ_REDIS_URL=f"unix://{store.socket}")
        yield System(name, store, folder, producer, worker, READY, env, workers)


def _pinned(title: str, pins: str) -> str:
    """The version of a system in the file that pins it."""
    found = re.search(rf"{title}\b[^0-9\n]*([0-9.]+)", (FOLDER / pins).read_text(), re.IGNORECASE)
    assert found, pins
    return found[1]


def _python_rival(
    title: str, worker: list[str], how: str, many: str, drained: int, synced: int, workers: int = 1
) -> Rival:
    name = title.lower()
    return Rival(
        title, _pinned(title, f"requirements/{name}.txt"), partial(python_environment, name),
        partial(_python, name, worker, workers), how, many, drained, synced,
    )  # fmt: skip


RIVALS = (
    Rival(
        "Caraway", metadata.version("caraway"), lambda: None, caraway,
        "one gateway; a pool of 2 processes; many: submit_many()", "submit_many", 50_000, 50_000,
    ),
    Rival(
        "Celery", _pinned("Celery", "requirements/celery.txt"), partial(python_environment, "celery"), celery,
        "prefork, 2 processes; many: a loop of delay()", "delay", 3_000, 1_500,
    ),
    _python_rival(
        "Huey", ["huey_consumer", "huey_tasks.huey", "-w", "2", "-k", "process", "-q"],
        "2 worker processes; many: a loop of calls", "delay", 6_000, 3_000,
    ),
    _python_rival(
        "taskiq", ["taskiq", "worker", "taskiq_tasks:broker", "-w", "2", "--log-level", "WARNING"],
        "Redis streams, 2 processes with 100 tasks at once each, uvloop; many: 50 calls of kiq() at once",
        "submit_many", 8_000, 6_000,
    ),
    _python_rival(
        "Dramatiq", ["dramatiq", "dramatiq_tasks", "-p", "2"],
        "2 processes of 8 threads (its default), results kept; many: a loop of send()", "delay", 8_000, 6_000,
    ),
    _python_rival(
        "arq", ["python", str(PROGRAMS / "arq_tasks.py")],
        "2 processes with 100 tasks at once each, asking every ms; many: 50 calls of enqueue_job() at once",
        "submit_many", 6_000, 4_000, workers=2,
    ),
    _python_rival(
        "RQ", ["rq", "worker-pool", "-q", "-n", "2", "-w", "rq_tasks.SayingWorker"],
        "a pool of 2 SimpleWorkers, which do not fork for each task; many: enqueue_many(), 500 a call",
        "submit_many", 3_000, 1_500,
    ),
    Rival(
        "BullMQ", _pinned("BullMQ", "programs/bullmq/package.json"), partial(node_folder, "bullmq"), _bullmq,
        "2 processes with a concurrency of 100 each; many: addBulk(), 500 a call", "submit_many", 40_000, 30_000,
    ),
    Rival(
        "asynq", _pinned("asynq", "programs/asynq/go.mod"), partial(go_program, "asynq"), _asynq,
        "2 processes with a concurrency of 50 each, results kept; many: 50 calls of Enqueue() at once",
        "submit_many", 30_000, 8_000,
    ),
)  # fmt: skip
