"""A worker's life as receivers of signals are told it, and commands of the app's own."""

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caraway import Caraway
from caraway.worker.control import control_command
from support.processes import CARAWAY, eventually

from .conftest import WorkerStarter
from .worker_process import DEADLINE, WorkerProcess


class Life:
    """A worker of `life_tasks`, and what its receivers wrote down."""

    def __init__(self, start_worker: WorkerStarter, file: Path, *flags: str) -> None:
        self.queue = f"life-{uuid.uuid4().hex[:8]}"
        # One of its own: workers of earlier tests, which were killed, are waited for under theirs.
        self.name = f"{self.queue}@here"
        self.file = file
        self.worker: WorkerProcess = start_worker(
            "-Q", self.queue, "-n", self.name, *flags, app="life_tasks", env={"LIFE_FILE": str(file)}
        ).ready()

    @property
    def told(self) -> list[tuple[str, Any, dict[str, Any], int]]:
        """Signal, sender, arguments, and the process that it was told in."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [tuple(json.loads(line)) for line in lines if line.endswith("]")]  # type: ignore[misc]

    def of(self, name: str, count: int = 1) -> list[tuple[str, Any, dict[str, Any], int]]:
        """Those of a signal, once there are so many."""

        def find() -> list[tuple[str, Any, dict[str, Any], int]]:
            found = [entry for entry in self.told if entry[0] == name]
            return found if len(found) >= count else []

        return eventually(find, DEADLINE, f"{count} {name}")  # type: ignore[return-value]


@pytest.fixture
def life(start_worker: WorkerStarter, tmp_path: Path) -> Life:
    return Life(start_worker, tmp_path / "told", "-c", "2")


def test_every_process_hears_of_its_start_and_end_and_one_of_the_worker_s(
    life: Life, app: Caraway, tmp_path: Path
) -> None:
    begun, release = tmp_path / "begun", tmp_path / "release"
    running = app.send_task("hold", (str(begun), str(release)), queue=life.queue)
    eventually(begun.exists, DEADLINE, "it runs")
    ((_, sender, _, service),) = life.of("worker_ready")
    assert sender == life.name
    children = {pid for *_, pid in life.of("worker_process_init", 2)}
    assert len(children) == 2
    assert not {life.worker.pid, service} & children
    assert {pid for *_, pid in life.of("worker_init", 3)} == {*children, service}
    for name in ("celeryd_init", "celeryd_after_setup"):
        assert all(entry[1:3] == (life.name, {"instance": [life.name, True]}) for entry in life.of(name, 3))
    first = [name for name, *_, pid in life.told if pid == min(children)]
    assert first == ["celeryd_init", "worker_init", "celeryd_after_setup", "worker_process_init"]

    life.worker.signal(signal.SIGTERM)
    warm = life.of("worker_shutting_down")
    assert [entry[1:] for entry in warm] == [(life.name, {"sig": "SIGTERM", "how": "Warm", "exitcode": 0}, service)]
    release.touch()
    assert running.get(timeout=DEADLINE) is None
    assert life.worker.end() == 0
    ended = life.of("worker_process_shutdown", 2)
    assert {(entry[2]["pid"], entry[3]) for entry in ended} == {(pid, pid) for pid in children}
    assert life.told[-1][0::3] == ("worker_shutdown", service)


def test_heartbeats_are_told_while_all_children_are_busy(
    gateways: Any, start_worker: WorkerStarter, tmp_path: Path
) -> None:
    own = gateways("--heartbeat", "0.3s", "--lease", "2s")
    app = Caraway("test", target=own.target)
    life = Life(start_worker, tmp_path / "told", "-c", "1", "--target", own.target)
    begun, release = tmp_path / "begun", tmp_path / "release"
    running = app.send_task("hold", (str(begun), str(release)), queue=life.queue)
    eventually(begun.exists, DEADLINE, "it runs")
    before = len([entry for entry in life.told if entry[0] == "heartbeat_sent"])
    life.of("heartbeat_sent", before + 3)
    release.touch()
    running.get(timeout=DEADLINE)
    app.close()


Ask = Callable[..., Any]


@pytest.fixture
def ask(app: Caraway, life: Life) -> Ask:
    """Has the one worker of this life run a command."""

    def broadcast(command: str, **arguments: Any) -> Any:
        ((answer,),) = [
            one.values()
            for one in app.control.broadcast(command, arguments, life.name, reply=True, timeout=DEADLINE) or ()
        ]
        return answer

    return broadcast


def test_own_commands_run_in_one_process_that_runs_no_tasks(ask: Ask, app: Caraway, life: Life, tmp_path: Path) -> None:
    begun, release = [tmp_path / f"begun{n}" for n in range(2)], tmp_path / "release"
    running = [app.send_task("hold", (str(path), str(release)), queue=life.queue) for path in begun]
    eventually(lambda: all(path.exists() for path in begun), DEADLINE, "all children are busy")
    first = ask("make", n=2)
    assert (first["worker"], first["app"], first["made"]) == (life.name, "life", [2])
    children = {pid for *_, pid in life.of("worker_process_init", 2)}
    assert first["pid"] not in {life.worker.pid, *children}
    assert ask("made_up") == {**first, "made": [2, 1]}
    assert ask("slowly") == life.name
    assert ask("ping") == {"ok": "pong"}
    release.touch()
    for result in running:
        result.get(timeout=DEADLINE)


def test_what_a_command_ends_by_is_told_and_harms_nobody(ask: Ask, app: Caraway, life: Life) -> None:
    assert ask("refuse", why="not now") == {"error": "the command refuse raised RuntimeError: not now"}
    assert "unexpected keyword argument 'm'" in ask("make", m=1)["error"]
    known = ask("dance")["error"]
    assert "this worker has no command 'dance'; it has conf, die, made_up, make, ping, refuse" in known
    assert ask("die") == {"error": "the process that runs commands died: exit code 3"}
    assert ask("make", n=5)["made"] == [5]
    assert app.send_task("add", (1, 2), queue=life.queue).get(timeout=DEADLINE) == 3


def test_an_operator_runs_them_by_hand(app: Caraway, life: Life) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "CARAWAY_TARGET": app.target}
        command = [*CARAWAY, "control", *words, "-d", life.name, "-t", "30s"]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=DEADLINE)

    made = run("make", "n=3", "--json")
    assert (made.returncode, json.loads(made.stdout)["make"]["made"]) == (0, [3])
    assert "not now" in run("refuse", "why=not now").stdout, "a value that is no JSON is text"
    assert run("ping", "-d", "nobody@nowhere").returncode == 1


def test_arguments_are_given_by_their_place_as_celery_s_operators_do(app: Caraway, life: Life) -> None:
    def run(*words: str) -> tuple[int, Any]:
        env = {**os.environ, "CARAWAY_TARGET": app.target}
        command = [*CARAWAY, *words, "-d", life.name, "-t", "30s", "--json"]
        ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=DEADLINE)
        return ended.returncode, json.loads(ended.stdout)[words[1]]

    assert run("control", "make", "3")[1]["made"] == [3]
    assert run("control", "several", "2", "a", "b") == (0, [2, ["a", "b"]])
    assert run("inspect", "undeclared", "[1]", "second=x") == (0, [[1], "x"])
    assert run("inspect", "slowly") == (0, life.name)
    assert run("inspect", "refuse", "no") == (1, {"error": "the command refuse raised RuntimeError: no"})
    assert run("control", "make", "1", "2") == (
        1,
        {"error": "the command make: 2 arguments are given by their place, and it takes 1 so"},
    )
    assert run("control", "make", "1", "n=2") == (1, {"error": "the command make: given twice: n"})
    assert "invalid literal for int()" in run("control", "make", "x")[1]["error"]
    assert run("control", "ping", "x")[1] == {"error": "the command ping: it takes arguments as NAME=VALUE only"}
    assert "this worker has no command 'dance'" in run("inspect", "dance")[1]["error"]


def test_two_functions_can_t_have_one_command() -> None:
    def first(state: Any) -> None: ...

    def second(state: Any) -> None: ...

    control_command(name="of_a_test")(first)
    control_command(name="of_a_test")(first)
    with pytest.raises(ValueError, match="two functions claim the command 'of_a_test'"):
        control_command(name="of_a_test")(second)
