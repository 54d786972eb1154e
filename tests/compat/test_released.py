"""Release 0.1.0, from its wheel, beside the current code: its worker, its SDK, and the store that its gateway left.

The wheel's code runs with the dependencies of this environment: what is held here is the contract and the records.
"""

import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from api.wire import Api
from caraway.exceptions import WorkerLostError
from caraway.v1 import control_service_pb2, task_pb2
from compat import released_tasks
from compat.released_tasks import app
from support.gateway import GatewayProcess
from support.processes import Running, eventually
from support.stores import StoreProcess
from support.worker import WorkerProcess

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
VERSION = "0.1.0"
MAIN = "import sys; from caraway.cli import main; main(prog_name='caraway')"
TASKS = "compat.released_tasks"
Task = task_pb2.Task


class Release:
    """The released code in a folder of its own, which stands before the current one on the path."""

    def __init__(self, folder: Path) -> None:
        with zipfile.ZipFile(HERE / f"caraway-{VERSION}-py3-none-any.whl") as wheel:
            wheel.extractall(folder)
        self.env = {"PYTHONPATH": os.pathsep.join((str(folder), str(TESTS)))}

    def run(self, *arguments: str, **env: str) -> Running:
        """Its Python."""
        return Running([sys.executable, *arguments], env=self.env | env)

    def command(self, *arguments: str) -> Running:
        """Its command `caraway`."""
        return self.run("-c", MAIN, *arguments)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return Release(tmp_path_factory.mktemp("released"))


@pytest.fixture
def processes() -> Iterator[Callable[[Running], Running]]:
    """Ends what it is given with the test."""
    started: list[Running] = []

    def keep(process: Running) -> Running:
        started.append(process)
        return process

    yield keep
    for process in started:
        process.stop()


@pytest.fixture
def server(gateways: Callable[..., GatewayProcess]) -> Iterator[GatewayProcess]:
    process = gateways()
    app.retarget(process.target)
    yield process
    app.retarget(None)


def work(release: Release, target: str) -> Running:
    """A worker of the release."""
    return release.command("worker", "-A", TASKS, "-c", "2", "--target", target, "-l", "INFO")


def serve(release: Release, *flags: str) -> Running:
    """A gateway of the release."""
    return release.command("server", "--listen", "127.0.0.1:0", *flags)


def target_of(gateway: Running) -> str:
    """Where a gateway listens."""
    return gateway.wait_for_line("listens on").split("listens on ")[1].split()[0]


def examine(processes: Callable[[Running], Running], store: str) -> None:
    """The current doctor finds nothing wrong."""
    doctor = processes(Running([sys.executable, "-c", MAIN, "doctor", "--redis", store]))
    assert doctor.process.wait(30) == 0, doctor.output


def test_the_wheel_is_what_runs(release: Release, processes: Callable[[Running], Running]) -> None:
    said = processes(release.command("version"))
    said.wait_for_line(f"caraway {VERSION},")


def test_a_released_worker_runs_what_the_current_sdk_submits(
    release: Release, server: GatewayProcess, processes: Callable[[Running], Running], tmp_path: Path
) -> None:
    worker = processes(work(release, server.target))
    worker.wait_for_line(" ready.")
    api = Api(server.target)
    workers = api.control.ListWorkers(control_service_pb2.ListWorkersRequest(), timeout=10).workers
    assert [one.info.sdk for one in workers] == [f"caraway-python {VERSION}"]
    released_tasks.call_all()

    started, release_file = tmp_path / "started", tmp_path / "release"
    running = released_tasks.hold.delay(str(started), str(release_file))
    eventually(started.exists, what="it runs")
    eventually(lambda: running.state == "HALFWAY", what="its progress is seen")
    release_file.touch()
    assert running.get(timeout=30) == "released"
    stopped = released_tasks.hold.delay(str(tmp_path / "again"), str(tmp_path / "never"))
    eventually((tmp_path / "again").exists, what="the next one runs")
    stopped.revoke(terminate=True)
    eventually(lambda: stopped.state == "REVOKED", what="it is stopped")
    api.close()


def test_a_released_worker_hands_back_when_it_drains(
    release: Release, server: GatewayProcess, processes: Callable[[Running], Running], tmp_path: Path
) -> None:
    worker = processes(work(release, server.target))
    worker.wait_for_line(" ready.")
    started, release_file = tmp_path / "started", tmp_path / "release"
    running = released_tasks.hold.delay(str(started), str(release_file))
    eventually(started.exists, what="it runs")
    psutil.Process(worker.pid).terminate()
    worker.wait_for_line("no more tasks are taken")
    waiting = released_tasks.add.delay(1, 1)
    release_file.touch()
    assert worker.process.wait(20) == 0
    assert running.get(timeout=10) == "released"
    current = WorkerProcess(server.target, TASKS, "-c", "1")
    processes(current)
    assert waiting.get(timeout=30) == 2


def test_a_released_sdk_calls_current_gateway_and_worker(
    release: Release, server: GatewayProcess, processes: Callable[[Running], Running]
) -> None:
    processes(WorkerProcess(server.target, TASKS, "-c", "2").ready())
    program = processes(release.run("-m", TASKS, CARAWAY_TARGET=server.target))
    program.wait_for_line("all as it was", 60)
    assert program.process.wait(10) == 0


def test_what_a_released_gateway_left_is_kept_and_done(
    release: Release, gateways: Callable[..., GatewayProcess], processes: Callable[[Running], Running], tmp_path: Path,
    short_folder: Callable[[], Path],
) -> None:  # fmt: skip
    data = short_folder()
    old = processes(serve(release, "--data-dir", str(data)))
    target = target_of(old)
    app.retarget(target)
    queued = released_tasks.add.delay(20, 22)
    delayed = released_tasks.add.apply_async((1, 2), countdown=0.5)
    later = released_tasks.add.apply_async((1, 3), countdown=3600)
    flow = released_tasks.chord((released_tasks.add.s(n, n) for n in range(30)), released_tasks.total.s()).delay()
    worker = processes(work(release, target))
    worker.wait_for_line(" ready.")
    assert queued.get(timeout=30) == 42
    started, release_file = tmp_path / "started", tmp_path / "release"
    running = released_tasks.hold.delay(str(started), str(release_file))
    eventually(started.exists, what="it runs while the gateway is exchanged")
    assert old.stop() == 0

    new = GatewayProcess(data)
    new.target = target
    new.start()
    try:
        release_file.touch()
        assert running.get(timeout=60) == "released"
        assert queued.get(timeout=10) == 42
        assert delayed.get(timeout=30) == 3
        assert flow.get(timeout=30) == 870
        assert later.state == "PENDING"
        examine(processes, f"unix://{data}/valkey.sock")
    finally:
        worker.stop()
        new.stop()
        app.retarget(None)


def test_gateways_of_both_releases_share_a_store(
    release: Release, gateways: Callable[..., GatewayProcess], stores: Callable[..., StoreProcess],
    processes: Callable[[Running], Running], tmp_path: Path,
) -> None:  # fmt: skip
    """As while an upgrade rolls: workers and callers of either release at the gateway of the other."""
    store, lease = stores(), ("--lease", "2s", "--heartbeat", "500ms")
    released = target_of(processes(serve(release, "--redis", store.url, *lease)))
    current = gateways("--redis", store.url, *lease).target
    workers = [work(release, current), WorkerProcess(released, TASKS, "-c", "2")]
    for worker in workers:
        processes(worker).wait_for_line(" ready.")
    try:
        for target in (released, current):
            program = processes(release.run("-m", TASKS, CARAWAY_TARGET=target))
            program.wait_for_line("all as it was", 60)
            app.retarget(target)
            released_tasks.call_all(known=f"known-at-{target}")

        started = [tmp_path / "once", tmp_path / "held"]
        lost = released_tasks.once_and_no_more.delay(str(started[0]))
        held = released_tasks.hold.delay(str(started[1]), str(tmp_path / "release"))
        eventually(lambda: all(one.exists() for one in started), what="both run")
        (tmp_path / "release").touch()
        for worker in workers:
            worker.kill()
        processes(work(release, current)).wait_for_line(" ready.")
        assert isinstance(lost.get(timeout=30, propagate=False), WorkerLostError)
        assert held.get(timeout=30) == "released"
        examine(processes, store.url)
    finally:
        app.retarget(None)
