"""The Go client: its own tests on a real gateway, its pages' programs, and what Go and Python do together."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.gateway import GatewayProcess
from support.processes import Running
from support.secured import SecuredGateway
from support.toolchains import require_programs
from support.worker import WorkerProcess
from support.worker_runs import StartWorker, WorkerRuns, ended

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "clients/go"
BUILD_SECONDS = 110
NAME = "github.com/caraway-tasks/caraway/clients/go"
ENV = {
    "GOMODCACHE": str(ROOT / ".build/go-modules"),
    "GOCACHE": str(ROOT / ".build/go-cache"),
    "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip(),
}


def go(*arguments: str, cwd: Path = MODULE, **env: str) -> str:
    """Run a command of Go; gives what it said."""
    require_programs("go")
    done = subprocess.run(
        ["go", *arguments], cwd=cwd, env={**os.environ, **ENV, **env},
        capture_output=True, text=True, timeout=BUILD_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"go {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Builds commands of the module, each once; gives their paths."""
    folder = tmp_path_factory.mktemp("go")

    def build(package: str) -> str:
        path = folder / Path(package).name
        if not path.exists():
            go("build", "-o", str(path), f"./{package}")
        return str(path)

    return build


@pytest.fixture
def worker(gateway: GatewayProcess) -> Iterator[WorkerProcess]:
    """A Python worker of e2e.sample, on the queue "python"."""
    process = WorkerProcess(gateway.target, "e2e.sample", "-c", "1", "-Q", "python").ready()
    yield process
    process.stop()


@pytest.fixture
def start_worker(program: Callable[[str], str], gateway: GatewayProcess) -> Iterator[StartWorker]:
    """Starts Go workers and waits until they are ready; kills with the test what still runs."""
    started: list[Running] = []

    def start(queue: str, target: str = gateway.target) -> Running:
        started.append(Running([program("internal/playworker"), queue], env={"CARAWAY_TARGET": target}))
        started[-1].wait_for_line("the worker is ready")
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.mark.timeout(300)
def test_vet_and_the_modules_own_tests(gateway: GatewayProcess) -> None:
    go("vet", "./...")
    said = go("test", "-v", "./...", CARAWAY_TARGET=gateway.target)
    assert said.count("--- PASS") > 30
    skipped = re.findall(r"--- SKIP: (\w+)", said)
    assert skipped == ["TestSecured"], "all but this, which is run below, have the gateway that they need"


@pytest.mark.timeout(300)
def test_with_certificates_and_a_token(short_folder: Callable[[], Path]) -> None:
    require_programs("go")
    folder = short_folder()
    secured = SecuredGateway(folder, mutual=True).start()
    try:
        (folder / "certificates").mkdir()
        for name, content in (
            ("ca.pem", secured.ca.read_bytes()), ("token", secured.token.encode()),
            ("client.pem", secured.client.cert), ("client.key", secured.client.key),
        ):  # fmt: skip
            (folder / "certificates" / name).write_bytes(content)
        said = go(
            "test", "-v", "-run", "^TestSecured$", ".",
            CARAWAY_TARGET=secured.target.replace("127.0.0.1", "localhost"),
            CARAWAY_TEST_CERTIFICATES=str(folder / "certificates"),
        )  # fmt: skip
        assert "--- PASS: TestSecured" in said
    finally:
        secured.stop()


class TestGoWorker(WorkerRuns):
    """Its worker lives through what all do."""

    LANGUAGE = "go"


def readme_program(name: str) -> str:
    """A whole program of the README, by the name in its first line."""
    found = re.search(rf"```go\n(// {name}\.go\n.*?)```", (MODULE / "README.md").read_text(), re.S)
    assert found is not None, name
    return found[1]


def build(folder: Path, text: str) -> str:
    """Build a program outside the module, as a user of it does; gives its path."""
    folder.mkdir()
    (folder / "main.go").write_text(text)
    shutil.copy(MODULE / "go.sum", folder)
    module = re.sub(r"^module .*", "module program", (MODULE / "go.mod").read_text())
    (folder / "go.mod").write_text(f"{module}\nrequire {NAME} v0.0.0\n\nreplace {NAME} => {MODULE}\n")
    go("build", "-mod=mod", "-o", "program", ".", cwd=folder)
    assert subprocess.run(["gofmt", "-l", "."], cwd=folder, capture_output=True, text=True, check=True).stdout == ""
    return str(folder / "program")


@pytest.mark.timeout(300)
def test_the_readmes_programs(gateways: Callable[..., GatewayProcess], tmp_path: Path) -> None:
    target = {"CARAWAY_TARGET": gateways().target}
    worker = Running([build(tmp_path / "worker", readme_program("worker"))], env=target)
    try:
        worker.wait_for_line("the worker is ready")
        client = Running([build(tmp_path / "client", readme_program("client"))], env=target)
        client.wait_for_line("4 <nil>")
        assert ended(client) == 0
        options = Running([build(tmp_path / "options", readme_program("options"))], env=target)
        options.wait_for_line("there is no such task")
        assert ended(options) == 0
        assert options.lines[0] == "SCHEDULED"
        assert options.lines[-4:-2] == ["SUCCEEDED", "[14 14] <nil>"]
        assert options.lines[-2].startswith("PAYLOAD the arguments do not fit")
    finally:
        worker.stop()


@pytest.mark.timeout(300)
def test_go_submits_to_python(gateway: GatewayProcess, worker: WorkerProcess, tmp_path: Path) -> None:
    call = 'caraway.NewCall("tasks.add", 2, 2)'
    there = 'caraway.NewCall("e2e.sample.add", 2, 2).With(caraway.WithQueue("python"))'
    text = readme_program("client").replace(call, there)
    assert there in text
    client = Running([build(tmp_path / "client", text)], env={"CARAWAY_TARGET": gateway.target})
    client.wait_for_line("4 <nil>", 60)
    assert ended(client) == 0


def test_the_example_counts_words(gateway: GatewayProcess, program: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one two three")
    (tmp_path / "b.txt").write_text("four\nfive\n")
    command = [program("examples/wordcount"), str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    env = {**os.environ, "CARAWAY_TARGET": gateway.target}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("5 words\n", 0), done.stderr
    missing = [*command, str(tmp_path / "c.txt")]
    done = subprocess.run(missing, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert "a task failed: open" in done.stdout, done.stderr


def test_one_trace_goes_from_the_caller_to_the_handler(gateway: GatewayProcess, tmp_path: Path) -> None:
    go("build", "-o", str(tmp_path / "tracing"), ".", cwd=MODULE / "examples/tracing")
    example = Running([str(tmp_path / "tracing")], env={"CARAWAY_TARGET": gateway.target})
    example.wait_for_line("one trace: true")
    assert ended(example) == 0


def test_its_documentation_reads_well() -> None:
    said = go("doc", "-all", ".")
    assert said.startswith("package caraway // import")
    assert "func NewClient(target string, options ...ClientOption) (*Client, error)" in said
