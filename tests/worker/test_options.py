"""Options of `caraway worker`, each seen in what a real worker does."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from caraway import Caraway
from caraway.settings import InvalidSettings
from caraway_worker import log
from caraway_worker.pidfile import PidFile, PidFileTaken
from caraway_worker.settings import Settings
from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running, eventually

from .conftest import WorkerStarter
from .worker_process import DEADLINE, WorkerProcess, lives


@pytest.mark.parametrize(
    ("pool", "shown"), [("prefork", "process"), ("threads", "thread"), ("asyncio", "asyncio"), ("gevent", "gevent")]
)
def test_pools_by_celerys_names(start_worker: WorkerStarter, app: Caraway, pool: str, shown: str) -> None:
    queue = f"pool-{pool}"
    worker = start_worker("-P", pool, "-c", "2", "-Q", queue).ready()
    assert re.search(rf"concurrency: +2 \({shown}\)", worker.output)
    assert app.send_task("await_add", (1, 2), queue=queue).get(timeout=DEADLINE) == 3
    # A task that submits another: in the gevent pool gRPC must work with greenlets.
    other = app.send_task("submit_another", (queue,), queue=queue).get(timeout=DEADLINE)
    assert app.AsyncResult(other).get(timeout=DEADLINE) == 3
    worker.signal(signal.SIGTERM)
    assert worker.end() == 0, worker.output


def test_eventlet_is_refused_with_what_to_use(start_worker: WorkerStarter) -> None:
    worker = start_worker("-P", "eventlet")
    assert worker.end() == 2
    assert "-P gevent" in worker.output


def test_processes_spread_the_slots(start_worker: WorkerStarter) -> None:
    worker = start_worker("-P", "threads", "-c", "4", "--processes", "2", "-Q", "spread").ready()
    assert len(psutil.Process(worker.pid).children()) == 2
    assert re.search(r"concurrency: +4 \(thread, 2 processes\)", worker.output)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pool": "thread", "concurrency": 5, "processes": 2}, "processes: 5 slots don't fit evenly into 2"),
        ({"pool": "process", "processes": 2}, "processes: the pool process has none"),
        ({"pool": "fibers"}, "pool: there is no pool 'fibers'"),
        ({"autoscale": (2, 3)}, "autoscale: write MAX,MIN"),
        ({"pool": "solo", "max_tasks_per_child": 3}, "no child to replace"),
        ({"pool": "solo", "autoscale": (3, 1)}, "autoscale: the pool solo"),
        ({"queues": ("a",), "exclude_queues": ("a",)}, "exclude_queues: no queue is left"),
    ],
)
def test_settings_that_do_not_fit(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidSettings, match=re.escape(message)):
        Settings(app="x", **fields).queues_of(("default",), True)  # type: ignore[arg-type]


def test_excluded_queues_and_included_modules(
    start_worker: WorkerStarter, app: Caraway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "more_tasks.py").write_text(
        "from sample_tasks import app\n@app.task(name='more')\ndef more():\n    return 'more'\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}")
    worker = start_worker("-Q", "in,out", "-X", "out", "-I", "more_tasks").ready()
    assert re.search(r"queues: +in$", worker.output, re.MULTILINE)
    assert app.send_task("more", queue="in").get(timeout=DEADLINE) == "more"


def test_options_that_are_only_accepted_warn(start_worker: WorkerStarter) -> None:
    flags = ["-B", "-E", "--without-gossip", "--without-mingle", "--without-heartbeat", "-O", "fair"]
    worker = start_worker(*flags, "-Q", "accepted").ready()
    for flag in ("--beat", "--task-events", "--without-gossip", "--without-mingle", "--without-heartbeat"):
        worker.wait_for(f"Warning: {flag} has no effect: ")


def test_autoscale_adds_children_while_all_are_busy(start_worker: WorkerStarter, app: Caraway) -> None:
    worker = start_worker("--autoscale", "3,1", "-Q", "scale").ready()
    assert re.search(r"concurrency: +1 to 3 \(process\)", worker.output)
    results = [app.send_task("sleep", (3,), queue="scale") for _ in range(3)]
    eventually(lambda: len(psutil.Process(worker.pid).children()) == 3, DEADLINE)
    assert [one.get(timeout=DEADLINE) for one in results] == [3] * 3


def test_pidfile_is_taken_once_and_left_behind_by_none(start_worker: WorkerStarter, tmp_path: Path) -> None:
    path = tmp_path / "worker.pid"
    path.write_text("999999999\n")  # of a worker that crashed
    worker = start_worker("--pidfile", str(path), "-Q", "pid").ready()
    assert int(path.read_text()) == worker.pid
    second = start_worker("--pidfile", str(path), "-Q", "pid")
    assert second.end() == 73
    assert f"runs already, as process {worker.pid}" in second.output
    worker.signal(signal.SIGTERM)
    assert worker.end() == 0
    assert not path.exists()


def test_pidfile_of_another_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("1\n")
    with pytest.raises(PidFileTaken, match="process 1"), PidFile(path):
        pass
    assert path.read_text() == "1\n"


def test_detached_worker_runs_on_with_log_and_pidfile(
    start_worker: WorkerStarter, app: Caraway, tmp_path: Path
) -> None:
    pidfile, logs = tmp_path / "pid", tmp_path / "%n%I.log"
    parent = start_worker("-D", "-n", "bg@%h", "--pidfile", str(pidfile), "-f", str(logs), "-c", "1", "-Q", "bg")
    assert parent.end() == 0, parent.output
    assert app.send_task("say", ("hello",), queue="bg").get(timeout=DEADLINE) is None
    pid = int(pidfile.read_text())
    assert lives(pid)
    eventually(lambda: "succeeded in" in (tmp_path / "bg.log").read_text())
    assert "printed hello" in (tmp_path / "bg-1.log").read_text()
    again = start_worker("-D", "--pidfile", str(pidfile), "-Q", "bg")
    assert again.end() == 73
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not lives(pid), DEADLINE)
    assert not pidfile.exists()


def test_purge_revokes_what_waits_in_the_workers_queues_only(start_worker: WorkerStarter, app: Caraway) -> None:
    gone = [app.send_task("add", (1, 2), queue="purged") for _ in range(3)]
    kept = app.send_task("add", (1, 2), queue="not-purged")
    worker = start_worker("--purge", "-Q", "purged", "-c", "1").ready()
    worker.wait_for("^3 tasks purged from the queue purged$")
    assert [one.state for one in gone] == ["REVOKED"] * 3
    assert kept.state == "PENDING"
    assert app.send_task("add", (1, 2), queue="purged").get(timeout=DEADLINE) == 3


def test_purge_that_is_refused_ends_the_worker(start_worker: WorkerStarter) -> None:
    worker = start_worker("--purge", "-Q", "no such queue!")
    assert worker.end() == 1
    assert "the queues can't be purged: INVALID_ARGUMENT" in worker.output


@pytest.mark.parametrize(
    ("pattern", "index", "file"),
    [("%n%I.log", 0, "w1.log"), ("%n%I.log", 3, "w1-3.log"), ("%h/%i", 0, "host.org/0"), ("%p%%", 2, "w1@host.org%")],
)
def test_log_file_names(pattern: str, index: int, file: str) -> None:
    assert log.file_of(pattern, "w1@host.org", index) == file


def test_what_tasks_log_and_print_names_the_task(start_worker: WorkerStarter, app: Caraway) -> None:
    worker = start_worker("-Q", "talk", "-c", "1").ready()
    result = app.send_task("say", ("this",), queue="talk")
    result.get(timeout=DEADLINE)
    for line in ("printed this", "unfinished this", "to stderr this", "logged this"):
        worker.wait_for(rf"^\[.*WARNING/\d+\] say\[{result.id}\]: {line}$")


def test_what_tasks_print_may_be_left_alone(start_worker: WorkerStarter, app: Caraway) -> None:
    worker = start_worker("-Q", "plain", "-c", "1", "--no-redirect-stdouts").ready()
    app.send_task("say", ("that",), queue="plain").get(timeout=DEADLINE)
    worker.wait_for(r"^(unfinished that)?to stderr that$")


def test_import_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hanging.py").write_text("import threading\nthreading.Event().wait()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    worker = WorkerProcess("127.0.0.1:1", "--start-timeout", "4", "-c", "1", app="hanging")
    try:
        assert worker.process.wait(DEADLINE) == 1
        assert "it was not loaded within 4 s" in worker.output
        worker.wait_for(r'hanging\.py", line 2 in <module>')
    finally:
        worker.stop()


def test_dev_serves_and_reloads(tmp_path: Path) -> None:
    source = tmp_path / "proj.py"
    program = (
        "from caraway import Caraway\napp = Caraway('proj')\n@app.task(name='which')\ndef which():\n    return {}\n"
    )
    source.write_text(program.format("'first'"))
    dev = Running([*CARAWAY, "dev", "-A", "proj", "--listen", "127.0.0.1:0", "--temporary", "--", "-c", "1"], tmp_path)
    try:
        line = dev.wait_for_line("listens on", DEADLINE)
        dev.wait_for_line(" ready.", DEADLINE)
        app = Caraway("test", target=line.split("listens on ")[1].split()[0])
        assert app.send_task("which").get(timeout=DEADLINE) == "first"
        source.write_text(program.format("this is no Python"))
        dev.wait_for_line("the worker has ended; it starts again when the code changes", DEADLINE)
        source.write_text(program.format("'second'"))
        assert app.send_task("which").get(timeout=DEADLINE) == "second"
        app.close()
        family = psutil.Process(dev.pid).children(recursive=True)
        assert dev.stop(40) == 0
        assert not any(map(lives, (member.pid for member in family)))
    finally:
        if dev.process.poll() is None:
            dev.end_family()


# Solo


def test_solo_runs_tasks_in_the_process_that_was_started(start_worker: WorkerStarter, app: Caraway) -> None:
    worker = start_worker("-P", "solo", "-Q", "solo").ready()
    assert app.send_task("pid", queue="solo").get(timeout=DEADLINE) == worker.pid
    failed = app.send_task("busy", (30,), queue="solo", soft_time_limit=0.3)
    assert "SoftTimeLimitExceeded" in repr(failed.get(timeout=DEADLINE, propagate=False))
    long = app.send_task("sleep", (1,), queue="solo", time_limit=0.3)
    assert long.get(timeout=DEADLINE) == 1  # no hard limit there
    worker.signal(signal.SIGTERM)
    assert worker.end() == 0, worker.output


@pytest.mark.parametrize("pool", ["solo", "process", "thread"])
def test_lease_is_kept_while_a_task_holds_its_process(
    start_worker: WorkerStarter, gateways: Callable[..., GatewayProcess], pool: str
) -> None:
    gateway = gateways("--lease", "2", "--heartbeat", "0.5")
    start_worker("-P", pool, "-c", "1", "--target", gateway.target).ready()
    app = Caraway("test", target=gateway.target)
    result = app.send_task("hold_gil", (4,))
    assert result.get(timeout=DEADLINE) == [1, 1]
    app.close()


def test_solo_hands_back_on_a_second_signal(start_worker: WorkerStarter, app: Caraway, tmp_path: Path) -> None:
    worker = start_worker("-P", "solo", "-Q", "solo2").ready()
    result = app.send_task("context_after", (str(tmp_path / "begun"),), queue="solo2")
    eventually((tmp_path / "begun").exists)
    worker.signal(signal.SIGINT)
    worker.wait_for("no more tasks are taken")
    worker.signal(signal.SIGINT)
    assert worker.end() == 0, worker.output
    start_worker("-P", "solo", "-Q", "solo2").ready()
    assert result.get(timeout=DEADLINE) == [1, 2]


def test_solo_leaves_no_supervisor_behind(start_worker: WorkerStarter, app: Caraway, tmp_path: Path) -> None:
    worker = start_worker("-P", "solo", "-Q", "solo3").ready()
    result = app.send_task("context_after", (str(tmp_path / "begun"),), queue="solo3")
    eventually((tmp_path / "begun").exists)
    supervisor = psutil.Process(worker.pid).children()[0].pid
    os.kill(worker.pid, signal.SIGKILL)
    eventually(lambda: not lives(supervisor), DEADLINE)
    start_worker("-Q", "solo3").ready()
    assert result.get(timeout=DEADLINE) == [1, 2]
