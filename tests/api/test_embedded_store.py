"""The embedded store: kill -9 of it or of its gateway loses nothing that was accepted, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import psutil
import pytest

from api.wire import DEADLINE, Api
from caraway.ids import uuid7
from caraway.v1 import task_pb2, task_service_pb2
from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running, eventually

Task = task_pb2.Task


@pytest.fixture(scope="module")
def intruder(gateway: GatewayProcess) -> Iterator[Running]:
    """A second server on the first one's data; it gives up by itself, after a time that the other tests fill."""
    running = Running([*CARAWAY, "server", "--listen", "127.0.0.1:0", "--data-dir", str(gateway.data_dir)])
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _with_intruder(intruder: Running) -> None:
    """All tests of this file run beside it."""


class Submitter:
    """Submits tasks until it is told to stop; remembers the ids that were accepted."""

    def __init__(self, target: str) -> None:
        self.accepted: list[str] = []
        self._api = Api(target)
        self._stopped = threading.Event()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            task_id = uuid7()
            try:
                self._api.submit_id("q", task_id=task_id)
            except grpc.RpcError:
                continue
            self.accepted.append(task_id)
            if len(self.accepted) >= 100:
                self._enough.set()

    def until_busy(self) -> None:
        assert self._enough.wait(DEADLINE)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(DEADLINE)
        self._api.close()


def assert_all_kept(api: Api, task_ids: list[str]) -> None:
    for start in range(0, len(task_ids), 500):
        part = task_ids[start : start + 500]
        request = task_service_pb2.BatchGetTasksRequest(task_ids=part)
        answer = api.tasks.BatchGetTasks(request, timeout=DEADLINE)
        assert list(answer.missing_task_ids) == []
        assert {task.state for task in answer.tasks} == {Task.STATE_QUEUED}


def test_a_killed_gateway_loses_nothing_and_leaves_no_store_behind(
    gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]
) -> None:
    gateway = gateways()
    store = psutil.Process(gateway.store_pid)
    submitter = Submitter(gateway.target)
    submitter.until_busy()
    gateway.kill()
    submitter.stop()
    store.wait(15)
    gateway.start()
    assert_all_kept(connect(gateway.target), submitter.accepted)


def test_a_killed_gateway_may_be_started_again_at_once(
    gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]
) -> None:
    gateway = gateways()
    task_id = connect(gateway.target).submit_id("q")
    for _ in range(3):
        gateway.kill()
        gateway.start()
    assert_all_kept(connect(gateway.target), [task_id])


def test_a_killed_store_is_started_again_and_loses_nothing(
    gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]
) -> None:
    gateway = gateways()
    api = connect(gateway.target)
    submitter = Submitter(gateway.target)
    submitter.until_busy()
    before = gateway.store_pid
    os.kill(before, signal.SIGKILL)
    eventually(lambda: gateway.store_pid != before and api.is_serving(), what="the store is back")
    seen = len(submitter.accepted)
    eventually(lambda: len(submitter.accepted) > seen, what="tasks are accepted again")
    submitter.stop()
    assert_all_kept(api, submitter.accepted)


def test_a_stopped_gateway_ends_its_store_and_says_so_by_its_exit_code(gateways: Callable[..., GatewayProcess]) -> None:
    gateway = gateways()
    store = psutil.Process(gateway.store_pid)
    assert gateway.stop() == 0
    assert not store.is_running()


@pytest.mark.parametrize(("own", "used"), [(None, "glibc.malloc.tcache_count=2000"), ("glibc.malloc.check=0", None)])
def test_the_store_gets_advice_for_its_allocator_unless_there_is_some(
    own: str | None, used: str | None, gateways: Callable[..., GatewayProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    if own:
        monkeypatch.setenv("GLIBC_TUNABLES", own)
    assert psutil.Process(gateways().store_pid).environ()["GLIBC_TUNABLES"] == (used or own)


# What a library does in a forked child, here: end it, as gRPC's own handler does where it can't shut gRPC down.
WITH_A_HANDLER_OF_FORKS = """
import os, pathlib, sys, uvloop
from caraway_server.embedded import EmbeddedStore

async def main():
    os.register_at_fork(after_in_child=lambda: os._exit(64))
    store = EmbeddedStore(pathlib.Path(sys.argv[1]))
    await store.start()
    await store.stop()

uvloop.run(main())
"""


def test_handlers_of_forks_have_no_say_in_the_store(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITH_A_HANDLER_OF_FORKS, tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_handlers_of_forks_have_no_say_in_gateway_processes(tmp_path: Path, connect: Callable[[str], Api]) -> None:
    program = (
        "import os; from caraway.cli import main; os.register_at_fork(after_in_child=lambda: os._exit(64)); main()"
    )
    flags = ["--listen", "127.0.0.1:0", "--data-dir", str(tmp_path), "--processes", "2"]
    running = Running([sys.executable, "-c", program, "server", *flags])
    try:
        api = connect(running.wait_for_line("listens on").split("listens on ")[1].split()[0])
        eventually(api.is_serving, what="a process listens")
    finally:
        running.stop()


def test_several_processes_have_one_store(
    gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]
) -> None:
    gateway = gateways("--processes", "2")
    api = connect(gateway.target)
    eventually(api.is_serving, what="a process listens")
    task_id = api.submit_id("q")
    family = psutil.Process(gateway.pid).children(recursive=True)
    assert sum("valkey" in process.name() for process in family) == 1
    gateway.kill()
    gone, alive = psutil.wait_procs(family, timeout=15)
    assert (len(gone), alive) == (3, [])
    gateway.start()
    api = connect(gateway.target)
    eventually(api.is_serving, what="a process listens again")
    assert_all_kept(api, [task_id])


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    long = tmp_path / ("d" * 120)
    running = Running([*CARAWAY, "server", "--listen", "127.0.0.1:0", "--data-dir", str(long)])
    try:
        assert running.process.wait(20) == 1
    finally:
        running.stop()
    assert "too long a path" in running.output


def test_an_address_that_is_taken_is_refused(gateway: GatewayProcess, tmp_path: Path) -> None:
    running = Running([*CARAWAY, "server", "--listen", gateway.target, "--redis", gateway.redis_url])
    try:
        assert running.process.wait(20) == 1
    finally:
        running.stop()
    assert gateway.target in running.output


def test_data_in_use_by_another_server_are_refused_and_left_alone(
    gateway: GatewayProcess, intruder: Running, connect: Callable[[str], Api]
) -> None:
    running_out = intruder.process.wait(40)
    assert running_out == 1
    intruder.wait_for_line("is in use by another server")
    # The store that owns the folder can still be connected to anew.
    second = GatewayProcess(gateway.data_dir, "--redis", gateway.redis_url).start()
    try:
        connect(second.target).submit_id(uuid7())
    finally:
        second.stop()
