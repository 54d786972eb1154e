"""caraway.contrib.rdb: pdb's prompt over a socket, from a task in a real worker's child."""

import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from caraway import Task
from caraway.contrib import rdb
from caraway.exceptions import ImproperlyConfigured, TimeLimitExceeded
from e2e import debugged
from e2e.conftest import WorkerStarter
from support.gateway import GatewayProcess
from support.processes import eventually
from support.worker import WorkerProcess

PROMPT = "(rdb) "
SECONDS = 30
Start = Callable[..., WorkerProcess]
Connect = Callable[..., "Session"]


class Session:
    """A client of the debugger, as telnet is one."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=SECONDS)
        self.greeting = self.read()

    def read(self) -> str:
        """What it says up to its next prompt, or its end."""
        said = b""
        while not said.endswith(PROMPT.encode()):
            part = self.socket.recv(4096)
            if not part:
                break
            said += part
        return said.decode().removesuffix(PROMPT)

    def say(self, line: str) -> str:
        """One command, ended as telnet ends a line; its answer."""
        self.socket.sendall(f"{line}\r\n".encode())
        return self.read()


@pytest.fixture
def app(gateway: GatewayProcess) -> Iterator[None]:
    debugged.app.retarget(gateway.target)
    yield
    debugged.app.close()


@pytest.fixture
def worker(gateway: GatewayProcess, app: None, start_worker: WorkerStarter, monkeypatch: pytest.MonkeyPatch) -> Start:
    def start(*flags: str, **env: str) -> WorkerProcess:
        for name, value in {"CARAWAY_RDB_PORT": "0", **env}.items():
            monkeypatch.setenv(name, value)
        return start_worker(gateway.target, "-Q", "rdb", "-c", "1", *flags, app="e2e.debugged")

    return start


@pytest.fixture
def connected() -> Iterator[Connect]:
    """Gives a session with the debugger that a worker has started as the nth; closes them with the test."""
    offers = re.compile(r"connect with: telnet (\S+) (\d+)")
    sessions: list[Session] = []

    def connect(worker: WorkerProcess, nth: int = 0) -> Session:
        found = eventually(lambda: offers.findall(worker.output)[nth:], timeout=SECONDS, what="a debugger waits")
        assert isinstance(found, list)
        sessions.append(Session(found[0][0], int(found[0][1])))
        return sessions[-1]

    yield connect
    for session in sessions:
        session.socket.close()


@pytest.mark.parametrize(
    ("task", "pool"), [(debugged.add, "process"), (debugged.add, "thread"), (debugged.aadd, "asyncio")]
)
def test_a_task_is_looked_into_changed_and_let_go(
    worker: Start, connected: Connect, task: Task[..., Any], pool: str
) -> None:
    there = worker("-P", pool)
    result = task.apply_async((2, 3), queue="rdb")
    session = connected(there)
    assert "return result" in session.greeting
    assert session.say("p x, y, result") == "(2, 3, 5)\n"
    session.say("!result = 40")
    session.say("n")
    assert session.say("c") == ""
    assert result.get(timeout=SECONDS) == 40
    assert "the session has ended" in there.output


def test_a_client_that_goes_away_ends_no_task(worker: Start, connected: Connect) -> None:
    there = worker()
    result = debugged.twice.apply_async((1,), queue="rdb")
    connected(there).socket.close()
    assert connected(there, 1).say("q") == ""
    assert result.get(timeout=SECONDS) == 1


def test_a_port_that_is_taken_is_passed_over(worker: Start, connected: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        there = worker(CARAWAY_RDB_PORT=str(port))
        result = debugged.add.apply_async((1, 1), queue="rdb")
        session = connected(there)
        assert port < session.socket.getpeername()[1] < port + 100
        session.say("c")
        assert result.get(timeout=SECONDS) == 2


def test_a_time_limit_strikes_at_the_prompt_too(worker: Start, connected: Connect) -> None:
    there = worker()
    result = debugged.add.apply_async((1, 1), queue="rdb", time_limit=1)
    session = connected(there)
    assert session.say("p 1") == "1\n"
    with pytest.raises(TimeLimitExceeded):
        result.get(timeout=SECONDS)
    assert session.read() == ""


def test_a_signal_stops_a_task_wherever_it_is(worker: Start, connected: Connect, tmp_path: Path) -> None:
    there = worker(CARAWAY_RDBSIG="1")
    started = tmp_path / "started"
    result = debugged.spin.apply_async((str(started),), queue="rdb")
    eventually(started.exists, timeout=SECONDS)
    os.kill(there.children[0].pid, signal.SIGUSR2)
    session = connected(there)
    assert session.say("p going") == "True\n"
    session.say("!going = False")
    session.say("c")
    assert result.get(timeout=SECONDS) == 7


def test_a_host_that_others_reach_is_refused_in_the_task(worker: Start) -> None:
    worker(CARAWAY_RDB_HOST="0.0.0.0")
    result = debugged.add.apply_async((1, 1), queue="rdb")
    with pytest.raises(
        ImproperlyConfigured, match=r"CARAWAY_RDB_HOST=0\.0\.0\.0 is not this machine's loopback.*ssh -L"
    ):
        result.get(timeout=SECONDS)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("192.0.2.1", "0", "is not this machine's loopback"),
        ("::", "0", "is not this machine's loopback"),
        ("no-such-host.invalid", "0", "CARAWAY_RDB_HOST=no-such-host.invalid is not known"),
        ("localhost", "https", "CARAWAY_RDB_PORT is to be a port, 0 to 65535, not 'https'"),
        ("localhost", "70000", "not '70000'"),
    ],
)
def test_wrong_addresses_are_told(monkeypatch: pytest.MonkeyPatch, host: str, port: str, words: str) -> None:
    monkeypatch.setenv("CARAWAY_RDB_HOST", host)
    monkeypatch.setenv("CARAWAY_RDB_PORT", port)
    with pytest.raises(ImproperlyConfigured, match=re.escape(words)):
        rdb.debugger()


def test_no_free_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ImproperlyConfigured, match=f"no port from {port} to {port} is free on 127.0.0.1"):
            rdb.Rdb(port=port, port_search_limit=1)
