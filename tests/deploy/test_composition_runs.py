"""The services of docker-compose.yml, run as plain processes by their own commands, with addresses of this machine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.composition import CHECKOUT, SERVICES, command, health_command, option
from support.gateway import GatewayProcess
from support.processes import CARAWAY
from support.stores import StoreProcess
from support.worker import WorkerProcess

SECONDS = 60
EXAMPLES = {"PYTHONPATH": str(CHECKOUT / "examples")}


def run(words: list[str]) -> "subprocess.CompletedProcess[str]":
    """A command to its end."""
    return subprocess.run(
        words, env={**os.environ, **EXAMPLES}, capture_output=True, text=True, timeout=SECONDS, check=False
    )


@pytest.fixture
def redis(stores: Callable[..., StoreProcess]) -> StoreProcess:
    """Redis with the settings of its command."""
    program, *flags = command("redis")
    assert program == "redis-server"
    settings = {name.removeprefix("--"): value for name, value in zip(flags[::2], flags[1::2], strict=True)}
    return stores("redis", **settings)


@pytest.fixture
def pair(redis: StoreProcess, gateways: Callable[..., GatewayProcess]) -> list[GatewayProcess]:
    """As many gateways as there are replicas."""
    _, server, *flags = command("gateway")
    assert server == "server"
    at = flags.index("--listen")
    del flags[at : at + 2]  # each takes a port of its own here
    flags[flags.index("--redis") + 1] = redis.url
    return [gateways(*flags) for _ in range(SERVICES["gateway"]["deploy"]["replicas"])]


@pytest.fixture
def worker(pair: list[GatewayProcess]) -> Iterator[WorkerProcess]:
    """One worker on the last gateway."""
    _, _, *flags = command("worker")
    app = option(flags, "-A")
    at = flags.index("-A")
    process = WorkerProcess(pair[-1].target, app, *flags[:at], *flags[at + 2 :], env=EXAMPLES).ready()
    yield process
    process.stop()


def test_the_demo_runs_on_two_gateways_that_share_a_store(
    pair: list[GatewayProcess], worker: WorkerProcess, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("caraway seed\n")
    words = command("demo")
    assert words[0] == "python"
    words[0] = sys.executable
    words[words.index("--target") + 1] = pair[0].target  # the worker is on the other one
    done = run([*words, str(tmp_path / "a.txt")])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Rate: 1 files" in done.stdout


def test_what_is_accepted_is_on_disk_and_health_is_answered(pair: list[GatewayProcess], redis: StoreProcess) -> None:
    words = health_command("gateway")
    words[words.index("--target") + 1] = pair[0].target
    healthy = run([*CARAWAY, *words[1:]])
    assert healthy.returncode == 0, healthy.stderr
    assert "ALWAYS" in healthy.stdout
    pair[0].stop()
    assert run([*CARAWAY, *words[1:]]).returncode != 0


def test_redis_health_is_answered(redis: StoreProcess) -> None:
    client, *words = health_command("redis")
    at = words.index("-p")
    words[at : at + 2] = ["-s", f"{redis.folder}/store.sock"]
    program = shutil.which(client)
    if program is None:
        pytest.skip(f"no {client} on this machine; on Debian: apt install redis-tools")
    assert run([program, *words]).stdout == "PONG\n"
    redis.stop()
    assert run([program, *words]).returncode != 0
