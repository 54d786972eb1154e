"""Client, worker, tasks and command line against a gateway with mutual TLS and tokens."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from caraway import Caraway, chain
from caraway.exceptions import ImproperlyConfigured, OperationalError, Unauthenticated
from sdk.test_fork import BUSY_PARENT
from support.processes import CARAWAY, eventually
from support.secured import SecuredGateway
from support.worker import WorkerProcess

SECONDS = 30.0
FORKS = 5

Environment = dict[str, str]


@pytest.fixture(scope="module")
def secured(short_folder: Callable[[], Path]) -> Iterator[SecuredGateway]:
    """With mutual TLS and tokens."""
    gateway = SecuredGateway(short_folder(), mutual=True).start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def environment(secured: SecuredGateway) -> Environment:
    """What a client of it is told."""
    cert, key = secured.client.write(secured.folder, "client")
    return {
        "CARAWAY_TARGET": f"grpcs://{secured.target}",
        "CARAWAY_TOKEN": secured.token,
        "CARAWAY_TLS_CA": str(secured.ca),
        "CARAWAY_TLS_CERT": str(cert),
        "CARAWAY_TLS_KEY": str(key),
    }


@pytest.fixture
def app(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caraway]:
    """An app that is told by the environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = Caraway("secured")
    yield made
    made.close()


@pytest.fixture
def start_worker(secured: SecuredGateway) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts workers, that are told by flags but for the token."""
    started: list[WorkerProcess] = []
    flags = ["--tls-ca", secured.ca, "--tls-cert", secured.folder / "client.pem"]
    flags += ["--tls-key", secured.folder / "client.key", "-c", "1"]

    def start(*more: str, target: str = secured.target, **env: str) -> WorkerProcess:
        # What a test's own environment says is not for it.
        own = {name: "" for name in os.environ if name.startswith("CARAWAY_")}
        started.append(WorkerProcess(target, "e2e.sample", *map(str, flags), *more, env={**own, **env}))
        return started[-1]

    yield start
    for process in started:
        process.end_family()
        process.stop()


def test_tasks_run_and_submit_tasks_and_no_token_can_be_seen(
    secured: SecuredGateway, app: Caraway, start_worker: Callable[..., WorkerProcess]
) -> None:
    worker = start_worker("-Q", "secured,told", CARAWAY_WORKER_TOKEN=secured.token).ready()
    assert app.send_task("e2e.sample.add", [1, 2], queue="secured").get(timeout=SECONDS) == 3
    inner = app.send_task("e2e.sample.submit_and_tell", [7, "told"], queue="secured").get(timeout=SECONDS)
    assert app.AsyncResult(inner).get(timeout=SECONDS) is not None
    family = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
    assert len(family) == 2
    assert secured.token not in str([member.cmdline() for member in family])
    assert secured.token not in worker.output
    assert secured.token not in secured.output


def test_workers_are_commanded_with_the_token(
    secured: SecuredGateway, app: Caraway, start_worker: Callable[..., WorkerProcess]
) -> None:
    worker = start_worker("-Q", "commanded", "-n", "commanded@here", CARAWAY_WORKER_TOKEN=secured.token).ready()
    name = "commanded@here"
    assert app.control.ping(destination=[name], timeout=SECONDS) == [{name: {"ok": "pong"}}]
    app.control.shutdown(destination=[name])
    assert worker.end() == 0


def test_solo_hands_on_what_it_was_told(
    secured: SecuredGateway, app: Caraway, start_worker: Callable[..., WorkerProcess]
) -> None:
    start_worker("-Q", "solo", "-P", "solo", CARAWAY_WORKER_TOKEN=secured.token).ready()
    assert app.send_task("e2e.sample.submit_and_tell", [1, "nowhere"], queue="solo").get(timeout=SECONDS)


def test_large_inputs_of_a_workflow_are_read_with_the_token(
    secured: SecuredGateway, app: Caraway, start_worker: Callable[..., WorkerProcess]
) -> None:
    start_worker("-Q", "flows", CARAWAY_WORKER_TOKEN=secured.token).ready()
    large = app.signature("e2e.sample.text", (1_000_000,), queue="flows")
    both = chain(large, app.signature("e2e.sample.add", ("!",), queue="flows"))
    result = both.apply_async()
    assert len(result.get(timeout=SECONDS)) == 1_000_001


def is_known(token: str) -> bool:
    """Whether the gateway takes a token by now."""
    app = Caraway("asks", token=token)
    try:
        app.send_task("t", queue="kept")
    except Unauthenticated:
        return False
    finally:
        app.close()
    return True


def test_a_worker_takes_the_new_token_of_its_file_and_loses_no_outcome(
    secured: SecuredGateway, app: Caraway, start_worker: Callable[..., WorkerProcess], tmp_path: Path
) -> None:
    file, started, release = (tmp_path / name for name in ("token", "started", "release"))
    file.write_text(secured.allow("worker-1"))
    eventually(lambda: is_known(file.read_text()), SECONDS, "the gateway knows the token")
    worker = start_worker("-Q", "rotated", "--token", f"@{file}").ready()
    result = app.send_task("e2e.sample.hold", [str(started), str(release)], queue="rotated")
    eventually(started.exists, SECONDS, "the task runs")
    secured.remove("worker-1")
    worker.wait_for_line("the gateway can't be reached")
    release.touch()  # it ends while its worker can't report
    worker.wait_for_line("reports can't be delivered")
    file.write_text(secured.allow("worker-2") + "\n")
    worker.wait_for_line("the gateway is back")
    (child,) = worker.children
    assert result.get(timeout=SECONDS) == child.pid  # of the run that was under way


def test_an_app_is_told_by_its_arguments(secured: SecuredGateway, environment: Environment) -> None:
    files = {
        "tls_ca": secured.ca,
        "tls_cert": environment["CARAWAY_TLS_CERT"],
        "tls_key": environment["CARAWAY_TLS_KEY"],
    }
    app = Caraway("told", secured.target, token=secured.token, **files)
    assert app.send_task("t", queue="kept").state == "PENDING"
    app.close()
    wrong = Caraway("told", secured.target, token="wrong", **files)
    with pytest.raises(Unauthenticated, match="does not know"):
        wrong.send_task("t")
    assert "wrong" not in repr(wrong.client_settings)
    wrong.close()
    with pytest.raises(ImproperlyConfigured, match=r"tls_ca = .*gone: it can't be read"):
        Caraway("told", secured.target, tls_ca="gone").send_task("t")
    with pytest.raises(ImproperlyConfigured, match="write grpcs://"):
        Caraway("told", f"grpc://{secured.target}", token=secured.token, **files).send_task("t")


async def test_async_calls_and_streams_carry_the_token(app: Caraway) -> None:
    result = await app.asend_task("t", queue="kept")
    assert (await app.gateway.aread(result.id, full=False)).task_id == result.id


def caraway(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """A command to its end."""
    whole = {**os.environ, **env}
    return subprocess.run([*CARAWAY, *words], env=whole, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_line(secured: SecuredGateway, environment: Environment, tmp_path: Path) -> None:
    told = caraway("call", "t", "--queue", "by-cli", **environment)
    assert told.returncode == 0, told.stderr
    (watched,) = caraway("list", "--queue", "by-cli", "--json", **environment).stdout.splitlines()
    assert json.loads(watched)["task_id"] == told.stdout.strip()
    revoked = caraway("revoke", told.stdout.strip(), **environment)
    assert revoked.returncode == 0
    assert caraway("watch", told.stdout.strip(), **environment).returncode in (0, 1)
    (tmp_path / "token").write_text(secured.token)
    by_file = caraway("info", "--token", f"@{tmp_path / 'token'}", **{**environment, "CARAWAY_TOKEN": ""})
    assert by_file.returncode == 0, by_file.stderr


def test_the_command_line_says_what_to_do(environment: Environment, tmp_path: Path) -> None:
    without = caraway("info", **{**environment, "CARAWAY_TOKEN": ""})
    assert (without.returncode, "set CARAWAY_TOKEN" in without.stderr) == (1, True), without.stderr
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(Path(environment["CARAWAY_TLS_CERT"]).read_bytes())
    untrusted = caraway("info", **{**environment, "CARAWAY_TLS_CA": str(stranger)})
    assert (untrusted.returncode, "--tls-ca" in untrusted.stderr) == (3, True), untrusted.stderr
    plain = {name: "" for name in environment if "TLS" in name}
    target = environment["CARAWAY_TARGET"].removeprefix("grpcs://")
    unsafe = caraway("info", "--target", target, **{**environment, **plain})
    assert (unsafe.returncode, "write grpcs://" in unsafe.stderr) == (3, True), unsafe.stderr


def test_config_and_report_mask_the_token(secured: SecuredGateway, environment: Environment) -> None:
    for words in (("config",), ("config", "--json"), ("report",), ("report", "--json")):
        shown = caraway(*words, CARAWAY_WORKER_TOKEN=secured.token, **environment)
        assert "***" in shown.stdout, shown.stderr
        assert secured.token not in shown.stdout + shown.stderr
    assert "@/run/token" in caraway("config", "client", CARAWAY_TOKEN="@/run/token").stdout


def test_a_busy_program_forks(environment: Environment) -> None:
    target = environment["CARAWAY_TARGET"]
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", BUSY_PARENT, target, str(FORKS)]
    ended = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=90, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_a_worker_without_a_token_keeps_trying_and_ends_when_told(
    app: Caraway, start_worker: Callable[..., WorkerProcess]
) -> None:
    worker = start_worker("-Q", "closed")
    worker.wait_for_line("this gateway asks for a token")
    worker.signal(signal.SIGTERM)
    assert worker.end() == 0
    with pytest.raises(OperationalError):
        Caraway("nobody", "grpcs://127.0.0.1:1").gateway.read("x", full=False)
