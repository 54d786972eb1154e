"""The Java client and worker: their own tests on a real gateway, what their page shows, and life beside Python's."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from caraway import Caraway
from caraway.ids import uuid7
from caraway.v1 import control_service_pb2, task_pb2, task_service_pb2
from support.gateway import GatewayProcess
from support.java import MODULE, ROOT, JavaProgram, build, javac, run
from support.processes import Running, eventually
from support.worker import WorkerProcess

Start = Callable[..., JavaProgram]

TERMINATED = 143
"""How a JVM ends by SIGTERM, whatever its hooks did: 128 + 15."""


@pytest.fixture(scope="session")
def classpath() -> str:
    """What runs Java programs."""
    return build()


@pytest.fixture
def programs(classpath: str) -> Iterator[Start]:
    """Starts Java programs; ends them with the test."""
    started: list[Running] = []

    def start(target: str, name: str, *args: str, more: str = "") -> JavaProgram:
        path = f"{more}:{classpath}" if more else classpath
        program = JavaProgram(path, target, name, *args)
        started.append(program)
        return program

    yield start
    for program in started:
        program.end_family()
        program.stop()


@pytest.fixture
def queue() -> str:
    """A queue of the test's own."""
    return f"java-{uuid7()}"


def holding(programs: Start, target: str, queue: str, folder: Path) -> JavaProgram:
    program = programs(target, "io.caraway.worker.HoldingWorker", queue, str(folder))
    program.wait_for_line("ready")
    return program


def test_the_module_passes_its_own_tests(classpath: str, gateway: GatewayProcess) -> None:
    maven = [
        "mvn",
        "-B",
        "-f",
        str(MODULE),
        f"-Dmaven.repo.local={ROOT}/.build/maven",
        "-Pgateway",
        "surefire:test",
    ]
    output = run(maven, CARAWAY_TARGET=gateway.target)
    (ran,) = re.findall(r"Tests run: (\d+), Failures: 0, Errors: 0, Skipped: 0$", output, re.MULTILINE)
    assert int(ran) > 100


def test_without_a_gateway_its_tests_fail_and_say_what_to_do(classpath: str) -> None:
    launcher = f"-Dmaven.repo.local={ROOT}/.build/maven"
    maven = ["mvn", "-B", "-f", str(MODULE), launcher, "-Pgateway", "-Dtest=TracingTest", "surefire:test"]
    running = Running(maven, env={"CARAWAY_TARGET": ""})
    assert running.process.wait(120) != 0
    running.stop()
    assert "name its address in CARAWAY_TARGET" in running.output


def test_what_the_readme_shows_runs(classpath: str, gateway: GatewayProcess, programs: Start, tmp_path: Path) -> None:
    blocks = re.findall(r"^```java\n(.*?)^```", (MODULE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    for block in blocks:
        if named := re.search(r"public class (\w+)", block):
            (tmp_path / f"{named[1]}.java").write_text(block)
        else:
            body = "import io.caraway.*; import io.caraway.canvas.*; import io.opentelemetry.api.*;\n"
            body += "import java.nio.file.*; import java.time.*;\n"
            name = f"Fragment{len(list(tmp_path.glob('*.java')))}"
            body += f"class {name} {{ void shown() {{\n{block}\n}} }}"
            (tmp_path / f"{name}.java").write_text(body)
    javac(tmp_path, classpath, *tmp_path.glob("*.java"))
    programs(gateway.target, "Adder", more=str(tmp_path))
    client = programs(gateway.target, "Client", more=str(tmp_path))
    assert client.process.wait(180) == 0, client.output
    assert client.lines[-1] == "4"
    assert len(blocks) == 4


def test_the_example_counts_words(gateway: GatewayProcess, programs: Start) -> None:
    worker = programs(gateway.target, "io.caraway.examples.Work")
    worker.wait_for_line("ready")
    client = programs(gateway.target, "io.caraway.examples.Submit", "to be or not to be", "that is the question")
    client.wait_for_line("10 words", 60)


@pytest.mark.parametrize("operation", ["unary", "batch", "drain"])
def test_the_bench_program_counts(gateway: GatewayProcess, programs: Start, operation: str) -> None:
    bench = programs(gateway.target, "io.caraway.bench.Bench", operation, "700")
    assert bench.process.wait(120) == 0, bench.output
    (line,) = [line for line in bench.lines if line.startswith("{")]
    assert json.loads(line)["per_second"] > 0


def test_sigterm_drains(gateway: GatewayProcess, programs: Start, queue: str, tmp_path: Path) -> None:
    app = Caraway("java", target=gateway.target)
    worker = holding(programs, gateway.target, queue, tmp_path)
    runs = app.send_task("hold", ("first",), queue=queue)
    worker.wait_for_line("begun first")
    worker.process.send_signal(signal.SIGTERM)
    # Once it says to the gateway that it drains, nothing more comes to it.
    eventually(lambda: any(info["state"] == "DRAINING" for info in workers(app, worker)), what="the worker drains")
    waits = app.send_task("hold", ("second",), queue=queue)
    (tmp_path / "first").touch()
    assert runs.get(timeout=30) == "held first"
    assert worker.process.wait(30) == TERMINATED
    assert waits.state == "PENDING"
    assert "begun second" not in worker.output
    waits.revoke()
    app.close()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What is started has the usual SIGINT: a JVM that begins with it ignored, as behind a shell's &, stays deaf."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("second", "name"), [(signal.SIGTERM, "hold"), (signal.SIGINT, "hold"), (signal.SIGTERM, "deaf")]
)
def test_a_second_signal_hands_back_what_runs(
    gateway: GatewayProcess, programs: Start, queue: str, tmp_path: Path, second: signal.Signals, name: str
) -> None:
    app = Caraway("java", target=gateway.target)
    worker = holding(programs, gateway.target, queue, tmp_path)
    held = app.send_task(name, ("it",), queue=queue)
    worker.wait_for_line("begun it")
    worker.process.send_signal(signal.SIGTERM)
    eventually(lambda: any(info["state"] == "DRAINING" for info in workers(app, worker)), what="the worker drains")
    worker.process.send_signal(second)
    assert worker.process.wait(30) == TERMINATED
    assert "told again to end" in worker.output
    task = app.gateway.ask("GetTask", task_service_pb2.GetTaskRequest(task_id=held.id)).task
    assert (task.state, task.lost_count) == (task_pb2.Task.STATE_QUEUED, 0)
    other = holding(programs, gateway.target, queue, tmp_path)
    other.wait_for_line("begun it")
    (tmp_path / "it").touch()
    assert held.get(timeout=30) == "held it"
    app.close()


def workers(app: Caraway, program: JavaProgram) -> list[dict[str, str]]:
    """What the gateway tells of a program's worker."""
    answer = app.gateway.ask("ListWorkers", control_service_pb2.ListWorkersRequest(page_size=200))
    names = control_service_pb2.Worker.State
    return [
        {"state": names.Name(worker.state).removeprefix("STATE_"), "language": worker.info.language}
        for worker in answer.workers
        if worker.info.pid == program.pid
    ]


def test_a_killed_worker_loses_nothing(
    gateways: Callable[..., GatewayProcess], programs: Start, queue: str, tmp_path: Path
) -> None:
    gateway = gateways("--lease", "2s", "--heartbeat", "0.5s")
    app = Caraway("java", target=gateway.target)
    worker = holding(programs, gateway.target, queue, tmp_path)
    assert workers(app, worker)[0]["language"].startswith("java 1")
    result = app.send_task("hold", ("it",), queue=queue)
    worker.wait_for_line("begun it")
    worker.kill()
    other = holding(programs, gateway.target, queue, tmp_path)
    other.wait_for_line("begun it")
    (tmp_path / "it").touch()
    assert result.get(timeout=30) == "held it"
    app.close()


def test_a_gateway_is_restarted_under_a_worker(
    gateways: Callable[..., GatewayProcess], programs: Start, queue: str, tmp_path: Path
) -> None:
    gateway = gateways()
    app = Caraway("java", target=gateway.target)
    worker = holding(programs, gateway.target, queue, tmp_path)
    held = app.send_task("hold", ("before",), queue=queue)
    worker.wait_for_line("begun before")
    gateway.kill()
    worker.wait_for_line("the gateway can't be reached")
    (tmp_path / "before").touch()
    gateway.start()
    assert held.get(timeout=60) == "held before"
    (tmp_path / "after").touch()
    assert app.send_task("hold", ("after",), queue=queue).get(timeout=60) == "held after"
    assert worker.output.count("begun before") == 1
    assert psutil.pid_exists(worker.pid)
    app.close()


def test_a_queue_is_shared_with_a_python_worker(
    gateway: GatewayProcess, programs: Start, queue: str, tmp_path: Path
) -> None:
    app = Caraway("java", target=gateway.target)
    java = holding(programs, gateway.target, queue, tmp_path)
    python = WorkerProcess(gateway.target, "support.double_tasks", "-Q", queue, "-c", "1").ready()
    try:
        results = [app.send_task("python.double", (n,), queue=queue) for n in range(20)]
        for n in range(20):
            (tmp_path / str(n)).touch()
            results.append(app.send_task("hold", (str(n),), queue=queue))
        assert [result.get(timeout=60) for result in results[:20]] == [2 * n for n in range(20)]
        assert [result.get(timeout=60) for result in results[20:]] == [f"held {n}" for n in range(20)]
        assert java.output.count("begun") == 20
    finally:
        python.stop()
        app.close()
