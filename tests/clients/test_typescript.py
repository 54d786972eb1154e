"""The TypeScript client: its own tests on a real gateway, its pages' programs, and what it and Python do together."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from caraway import Caraway
from support.gateway import GatewayProcess
from support.processes import Running, eventually
from support.secured import SecuredGateway
from support.toolchains import require_programs
from support.worker import WorkerProcess

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "clients/typescript"
BUILD_SECONDS = 280


def command(*arguments: str, cwd: Path = ROOT, seconds: int = BUILD_SECONDS, **env: str) -> str:
    """Run a command; gives what it said."""
    done = subprocess.run(
        arguments, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def dist() -> Path:
    """The compiled client, tests and examples."""
    require_programs("node", "npm")
    command("make", "-s", "setup-typescript")
    return PACKAGE / "dist"


@pytest.fixture
def worker(gateway: GatewayProcess) -> Iterator[WorkerProcess]:
    """A Python worker of e2e.sample, on the queue "ts-and-python"."""
    process = WorkerProcess(gateway.target, "e2e.sample", "-c", "1", "-Q", "ts-and-python").ready()
    yield process
    process.stop()


StartWorker = Callable[..., Running]


@pytest.fixture
def start_worker(dist: Path, gateway: GatewayProcess) -> Iterator[StartWorker]:
    """Starts TypeScript workers and waits until they are ready; kills with the test what still runs."""
    started: list[Running] = []

    def start(queue: str, target: str = gateway.target) -> Running:
        started.append(Running(["node", str(dist / "test/playworker.js"), queue], env={"CARAWAY_TARGET": target}))
        started[-1].wait_for_line("the worker is ready")
        return started[-1]

    yield start
    for process in started:
        process.kill()


class Gate:
    """Two files that ts.hold says its start by and waits for."""

    def __init__(self, folder: Path, name: str) -> None:
        self.started, self.release = folder / f"{name}.started", folder / f"{name}.release"
        self.arguments = (str(self.started), str(self.release))

    def wait_for_start(self) -> None:
        """Waits until a handler has begun."""
        eventually(self.started.exists, what="the handler has started")


def ended(process: Running) -> int:
    """Wait until a program ends by itself; gives its exit code."""
    process.process.wait(20)
    return process.stop()


@pytest.mark.timeout(300)
def test_the_packages_own_tests(gateway: GatewayProcess, dist: Path) -> None:
    files = [str(path) for path in sorted((dist / "test").glob("*.test.js"))]
    said = command("node", "--test", "--test-reporter=tap", *files, CARAWAY_TARGET=gateway.target)
    assert int(re.findall(r"# pass (\d+)", said)[-1]) > 80
    assert re.findall(r"# (?:skipped|todo|fail|cancelled) (\d+)", said) == ["0"] * 4


def test_with_certificates_and_a_token(dist: Path, short_folder: Callable[[], Path]) -> None:
    folder = short_folder()
    secured = SecuredGateway(folder, mutual=True).start()
    try:
        (folder / "ca.pem").write_bytes(secured.ca.read_bytes())
        (folder / "token").write_text(secured.token + "\n")
        (folder / "client.pem").write_bytes(secured.client.cert)
        (folder / "client.key").write_bytes(secured.client.key)
        said = command(
            "node", str(dist / "test/secured.js"), str(folder),
            CARAWAY_TARGET="grpcs://" + secured.target.replace("127.0.0.1", "localhost"), seconds=60,
        )  # fmt: skip
        assert said.splitlines() == ["with token and certificate: TASK_NOT_FOUND", "without a token: UNAUTHENTICATED"]
    finally:
        secured.stop()


def test_python_submits_to_typescript(gateway: GatewayProcess, start_worker: StartWorker) -> None:
    start_worker("py-to-ts")
    app = Caraway("ts", target=gateway.target, default_queue="py-to-ts")
    assert app.send_task("ts.add", (2**62, 1)).get(timeout=20) == 2**62 + 1
    assert app.send_task("ts.add", kwargs={"x": 1, "y": 2}).get(timeout=20) == 3
    value: dict[str, Any] = {
        "at": datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC), "price": Decimal("1.50"), "raw": b"\0\xff",
        "many": [None, True, 2.5, 2**80, {"deep": ()}], "took": timedelta(days=1, microseconds=1),
    }  # fmt: skip
    assert app.send_task("ts.echo", (value,)).get(timeout=20) == value
    app.close()


def test_a_queue_that_both_serve(gateway: GatewayProcess, start_worker: StartWorker, worker: WorkerProcess) -> None:
    start_worker("ts-and-python")
    app = Caraway("ts", target=gateway.target, default_queue="ts-and-python")
    sums = [app.send_task(name, (n, 1)) for n in range(20) for name in ("ts.add", "e2e.sample.add")]
    assert [each.get(timeout=30) for each in sums] == [n + 1 for n in range(20) for _ in range(2)]
    app.close()


def test_a_killed_worker_loses_nothing(
    gateways: Callable[..., GatewayProcess], start_worker: StartWorker, tmp_path: Path
) -> None:
    gateway = gateways("--lease", "2s", "--heartbeat", "500ms")
    app = Caraway("ts", target=gateway.target, default_queue="kill")
    first = start_worker("kill", gateway.target)
    gate = Gate(tmp_path, "held")
    held = app.send_task("ts.hold", gate.arguments)
    gate.wait_for_start()
    first.kill()
    gate.started.unlink()
    start_worker("kill", gateway.target)
    gate.wait_for_start()
    gate.release.touch()
    assert held.get(timeout=30) == 2, "its second delivery"
    app.close()


def test_sigterm_drains(gateway: GatewayProcess, start_worker: StartWorker, tmp_path: Path) -> None:
    app = Caraway("ts", target=gateway.target, default_queue="drain-ts")
    worker = start_worker("drain-ts")
    gates = [Gate(tmp_path, str(number)) for number in range(3)]
    held = [app.send_task("ts.hold", gate.arguments) for gate in gates]
    for gate in gates[:2]:
        gate.wait_for_start()
    worker.process.send_signal(signal.SIGTERM)
    worker.wait_for_line("takes no more tasks")
    for gate in gates:
        gate.release.touch()
    assert ended(worker) == 0
    assert [each.get(timeout=5) for each in held[:2]] == [1, 1]
    assert held[2].state == "PENDING", "it was not started, and waits for another worker"
    assert not gates[2].started.exists()
    start_worker("drain-ts")
    assert held[2].get(timeout=20) >= 1
    app.close()


def test_a_second_sigterm_stops(gateway: GatewayProcess, start_worker: StartWorker, tmp_path: Path) -> None:
    app = Caraway("ts", target=gateway.target, default_queue="stop-ts")
    worker = start_worker("stop-ts")
    gate = Gate(tmp_path, "held")
    held = app.send_task("ts.hold", gate.arguments)
    gate.wait_for_start()
    worker.process.send_signal(signal.SIGTERM)
    worker.wait_for_line("takes no more tasks")
    worker.process.send_signal(signal.SIGTERM)
    assert ended(worker) == 0
    gate.release.touch()
    start_worker("stop-ts")
    assert held.get(timeout=20) == 2, "it was handed back at once, not when its lease ran out"
    app.close()


def test_a_restarted_gateway_finds_its_worker(
    gateways: Callable[..., GatewayProcess], start_worker: StartWorker, tmp_path: Path
) -> None:
    gateway = gateways()
    app = Caraway("ts", target=gateway.target, default_queue="restart")
    worker = start_worker("restart", gateway.target)
    gate = Gate(tmp_path, "held")
    held = app.send_task("ts.hold", gate.arguments)
    gate.wait_for_start()
    gateway.kill()
    worker.wait_for_line("the gateway can't be reached")
    gate.release.touch()
    gateway.start()
    assert held.get(timeout=30) == 1, "what ran meanwhile is reported, and does not run again"
    assert app.send_task("ts.add", (1, 2)).get(timeout=30) == 3
    app.close()


def readme_program(name: str) -> str:
    """A whole program of the README, by the name in its first line."""
    found = re.search(rf"```ts\n(// {name}\.ts\n.*?)```", (PACKAGE / "README.md").read_text(), re.S)
    assert found is not None, name
    return found[1]


@pytest.fixture
def project(dist: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """Compiles a program in a project of its own, strictly, as a user of the package does; gives its command."""
    (tmp_path / "node_modules/@caraway").mkdir(parents=True)
    (tmp_path / "node_modules/@caraway/client").symlink_to(PACKAGE)
    (tmp_path / "node_modules/@types").symlink_to(PACKAGE / "node_modules/@types")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    assert dist.exists()

    def compiled(name: str, text: str) -> list[str]:
        (tmp_path / f"{name}.ts").write_text(text)
        command(
            str(PACKAGE / "node_modules/.bin/tsc"), "--strict", "--module", "nodenext", "--target", "es2023",
            "--skipLibCheck", "--types", "node", f"{name}.ts", cwd=tmp_path,
        )  # fmt: skip
        return ["node", str(tmp_path / f"{name}.js")]

    return compiled


@pytest.mark.timeout(300)
def test_the_readmes_programs(
    gateways: Callable[..., GatewayProcess], project: Callable[[str, str], list[str]]
) -> None:
    target = {"CARAWAY_TARGET": gateways().target}
    worker = Running(project("worker", readme_program("worker")), env=target)
    try:
        worker.wait_for_line("the worker is ready")
        assert command(*project("client", readme_program("client")), seconds=60, **target) == "4\n"
        said = command(*project("options", readme_program("options")), seconds=60, **target).splitlines()
        assert said[0] == "SCHEDULED"
        assert said[-4:-2] == ["SUCCEEDED", "[ 14, 14 ]"]
        assert said[-2].startswith("PAYLOAD the arguments do not fit")
        assert said[-1] == "there is no such task"
    finally:
        worker.stop()


@pytest.mark.timeout(300)
def test_typescript_submits_to_python(
    gateway: GatewayProcess, worker: WorkerProcess, project: Callable[[str, str], list[str]]
) -> None:
    call = 'call<number>("tasks.add", [2, 2])'
    there = 'call<number>("e2e.sample.add", [2, 2], { queue: "ts-and-python" })'
    text = readme_program("client").replace(call, there)
    assert there in text
    assert command(*project("client", text), seconds=60, CARAWAY_TARGET=gateway.target) == "4\n"


def test_the_example_counts_words(gateway: GatewayProcess, dist: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one two three")
    (tmp_path / "b.txt").write_text("four\nfive\n")
    program = ["node", str(dist / "examples/wordcount.js"), str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    assert command(*program, seconds=60, CARAWAY_TARGET=gateway.target) == "5 words\n"
    said = command(*program, str(tmp_path / "c.txt"), seconds=60, CARAWAY_TARGET=gateway.target)
    assert "a task failed: ENOENT" in said


@pytest.mark.parametrize("operation", ["unary", "batch", "drain"])
def test_the_programs_of_the_benchmark_run(gateways: Callable[..., GatewayProcess], dist: Path, operation: str) -> None:
    said = command(
        "node", str(dist / "bench/client.js"), operation, "300", seconds=60, CARAWAY_TARGET=gateways().target
    )
    assert '"count":300' in said


@pytest.mark.timeout(300)
def test_its_documentation_is_built_without_warnings(dist: Path) -> None:
    assert dist.exists()
    command("make", "-s", "docs-typescript")
    assert (ROOT / ".build/typescript-docs/classes/Client.html").exists()
