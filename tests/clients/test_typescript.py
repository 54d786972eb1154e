"""The TypeScript client: its own tests on a real gateway, its pages' programs, and what it and Python do together."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from caraway import Caraway
from caraway.exceptions import SoftTimeLimitExceeded
from support.gateway import GatewayProcess
from support.processes import Running, eventually
from support.secured import SecuredGateway
from support.toolchains import require_programs
from support.worker import WorkerProcess
from support.worker_runs import StartWorker, WorkerRuns, ended

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "clients/typescript"
BUILD_SECONDS = 280
COMPILER_FLAGS = ("--strict", "--module", "nodenext", "--target", "es2023", "--skipLibCheck", "--types", "node")


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


@pytest.fixture
def start_worker(dist: Path, gateway: GatewayProcess) -> Iterator[StartWorker]:
    """Starts TypeScript workers and waits until they are ready; kills with the test what still runs."""
    started: list[Running] = []

    def start(queue: str, target: str = gateway.target, *more: str) -> Running:
        command = ["node", str(dist / "test/playworker.js"), queue, *more]
        started.append(Running(command, env={"CARAWAY_TARGET": target}))
        started[-1].wait_for_line("the worker is ready")
        return started[-1]

    yield start
    for process in started:
        process.kill()


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


class TestTypeScriptWorker(WorkerRuns):
    """Its worker lives through what all do."""

    LANGUAGE = "ts"

    def test_a_handler_that_blocks_the_loop_is_told_of(
        self, gateways: Callable[..., GatewayProcess], start_worker: StartWorker, apps: Any
    ) -> None:
        gateway = gateways("--lease", "2s", "--heartbeat", "500ms")
        worker = start_worker("blocked", gateway.target)
        app = apps(gateway, "blocked")
        app.send_task("ts.spin", (1500,))
        worker.wait_for_line("run handlers that compute in threads (handlersModule)")


class TestTypeScriptThreads(WorkerRuns):
    """So does the one whose handlers are in threads; and those may compute without letting their loop turn."""

    LANGUAGE = "threads"

    @pytest.fixture
    def start_worker(self, start_worker: StartWorker, gateway: GatewayProcess) -> StartWorker:
        return lambda queue, target=gateway.target: start_worker(queue, target, "threads")

    def test_what_computes_for_longer_than_its_lease_runs_once(
        self, gateways: Callable[..., GatewayProcess], start_worker: StartWorker, apps: Any
    ) -> None:
        gateway = gateways("--lease", "2s", "--heartbeat", "500ms")
        app = apps(gateway, "spin")
        start_worker("spin", gateway.target)
        spinning = [app.send_task("threads.spin", (milliseconds,)) for milliseconds in (5000, 6000)]
        assert [each.get(timeout=30) for each in spinning] == [1, 1], "their first deliveries"

    def test_a_second_sigterm_ends_what_computes(
        self, gateway: GatewayProcess, start_worker: StartWorker, apps: Any, tmp_path: Path
    ) -> None:
        worker = start_worker("stop-what-computes")
        stuck = apps(gateway, "stop-what-computes").send_task("threads.stuck", (str(tmp_path / "turns"),))
        eventually((tmp_path / "turns").exists, what="the handler has started")
        worker.process.send_signal(signal.SIGTERM)
        worker.wait_for_line("takes no more tasks")
        worker.process.send_signal(signal.SIGTERM)
        assert ended(worker) == 0
        start_worker("stop-what-computes")
        assert stuck.get(timeout=20) == 2, "it was handed back at once, not when its lease ran out"


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
        command(str(PACKAGE / "node_modules/.bin/tsc"), *COMPILER_FLAGS, f"{name}.ts", cwd=tmp_path)
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
def test_the_readmes_handlers_in_threads(
    gateways: Callable[..., GatewayProcess], project: Callable[[str, str], list[str]]
) -> None:
    gateway = gateways()
    project("handlers", readme_program("handlers"))
    worker = Running(project("threads", readme_program("threads")), env={"CARAWAY_TARGET": gateway.target})
    app = Caraway("ts", target=gateway.target)
    try:
        worker.wait_for_line("the worker is ready")
        assert app.send_task("tasks.primes", (100,)).get(timeout=20) == 25
        endless = app.send_task("tasks.primes", (2**52,), soft_time_limit=1)
        with pytest.raises(SoftTimeLimitExceeded):
            endless.get(timeout=20)
    finally:
        worker.stop()
        app.close()


def test_the_readme_says_how_programs_are_compiled() -> None:
    assert f"npx tsc {' '.join(COMPILER_FLAGS)} worker.ts client.ts" in (PACKAGE / "README.md").read_text()


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
