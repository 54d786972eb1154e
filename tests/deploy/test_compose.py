"""docker-compose.yml against compose's own check, and against the code: commands, ports, variables, times."""

import shutil
import subprocess

import pytest

from caraway_server import app
from deploy.caraway_command import parse
from deploy.composition import CHECKOUT, SERVICES, command, health_command, option, seconds
from deploy.source import variables_read

OURS = ["gateway", "worker"]


def compose_program() -> list[str]:
    """docker-compose, or docker's plugin."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    pytest.skip("no docker-compose on this machine; on Debian: apt install docker-compose")


def test_compose_takes_it() -> None:
    done = subprocess.run(
        [*compose_program(), "--profile", "demo", "config", "--services"],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"redis", "gateway", "worker", "demo"}


@pytest.mark.parametrize("service", OURS)
def test_a_command_is_one_that_caraway_takes(service: str) -> None:
    program, *arguments = command(service)
    assert program == "caraway"
    name, _ = parse(arguments)
    assert name == {"gateway": "server"}.get(service, service)


def test_the_health_check_is_a_command_of_caraways() -> None:
    program, *arguments = health_command("gateway")
    assert (program, parse(arguments)[0]) == ("caraway", "info")


def test_ports_match() -> None:
    _, server = parse(command("gateway")[1:])
    host, _, port = server["listen"].rpartition(":")
    assert host == "0.0.0.0"
    assert server["insecure"], "the gateway would refuse to start"
    assert SERVICES["worker"]["environment"]["CARAWAY_TARGET"] == f"gateway:{port}"
    assert option(command("demo"), "--target") == f"gateway:{port}"
    assert option(health_command("gateway"), "--target") == f"127.0.0.1:{port}"
    (published,) = SERVICES["gateway"]["ports"]
    address, outside, inside = published.rsplit(":", 2)
    assert (address, inside) == ("127.0.0.1", port)
    first, last = map(int, outside.split("-"))
    assert last - first + 1 == SERVICES["gateway"]["deploy"]["replicas"] == 2


def test_the_store_is_the_one_that_runs() -> None:
    _, server = parse(command("gateway")[1:])
    port = option(health_command("redis"), "-p")
    assert port == "6379"  # Redis's own, and its command says no other
    assert "--port" not in command("redis")
    assert server["redis"] == f"redis://redis:{port}/0"
    (volume,) = SERVICES["redis"]["volumes"]
    assert volume.endswith(":/data")  # where the image's redis-server writes


def test_every_variable_is_read() -> None:
    for service in SERVICES:
        assert set(SERVICES[service].get("environment", {})) <= variables_read(), service


def test_a_stopped_service_has_the_time_it_takes() -> None:
    _, worker = parse(command("worker")[1:])
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > worker["drain_timeout"].total_seconds() + 5
    assert seconds(SERVICES["gateway"]["stop_grace_period"]) > app.STOP_SECONDS + 5


def test_what_killed_tasks_leave_behind_is_reaped() -> None:
    assert SERVICES["worker"]["init"] is True


def test_services_start_in_order_and_again() -> None:
    assert SERVICES["gateway"]["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert SERVICES["worker"]["depends_on"] == {"gateway": {"condition": "service_healthy"}}
    for service in ("redis", "gateway", "worker"):
        assert SERVICES[service]["restart"] == "unless-stopped"
