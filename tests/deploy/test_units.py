"""deploy/systemd against systemd's own check and against the code."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from caraway_server import app, embedded
from deploy.caraway_command import parse
from deploy.source import CHECKOUT, variables_read

UNITS = CHECKOUT / "deploy" / "systemd"
GATEWAY, WORKER = "caraway-gateway.service", "caraway-worker@.service"
INSTANCE = "shop"


def settings(unit: str) -> dict[str, list[str]]:
    """Every setting of a unit with its values, instance names put in."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text().replace("%i", INSTANCE).splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def command(unit: str) -> list[str]:
    """What the unit runs."""
    (line,) = settings(unit)["ExecStart"]
    return shlex.split(line)


def test_these_are_all() -> None:
    assert {path.name for path in UNITS.iterdir()} == {GATEWAY, WORKER}


@pytest.mark.parametrize("unit", [GATEWAY, WORKER])
def test_systemd_takes_it(unit: str, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze on this machine; on Debian: apt install systemd")
    # It looks for the command, which is not installed where tests run.
    text = (UNITS / unit).read_text().replace(command(unit)[0].replace(INSTANCE, "%i"), sys.executable)
    named = tmp_path / unit.replace("@", f"@{INSTANCE}")
    named.write_text(text)
    done = subprocess.run([program, "verify", str(named)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("unit", "name"), [(GATEWAY, "server"), (WORKER, "worker")])
def test_a_command_is_one_that_caraway_takes(unit: str, name: str) -> None:
    program, *arguments = command(unit)
    assert Path(program).name == "caraway"
    assert parse(arguments)[0] == name


def test_the_worker_finds_the_gateway() -> None:
    _, server = parse(command(GATEWAY)[1:])
    assert settings(WORKER)["Environment"] == [f"CARAWAY_TARGET={server['listen']}"]
    assert {line.partition("=")[0] for line in settings(WORKER)["Environment"]} <= variables_read()
    assert GATEWAY in settings(WORKER)["After"][0].split()


def test_the_store_lies_where_the_gateway_may_write() -> None:
    _, server = parse(command(GATEWAY)[1:])
    (folder,) = settings(GATEWAY)["StateDirectory"]
    assert server["data_dir"] == Path("/var/lib", folder)
    assert len(f"{server['data_dir']}/valkey.sock") <= embedded.LONGEST_SOCKET_PATH


@pytest.mark.parametrize("unit", [GATEWAY, WORKER])
def test_the_signal_is_for_the_main_process_alone(unit: str) -> None:
    """The store and the processes in which tasks run are ended by it, in order."""
    assert settings(unit)["KillMode"] == ["mixed"]
    assert settings(unit)["KillSignal"] == ["SIGTERM"]


def test_a_stopped_service_has_the_time_it_takes() -> None:
    _, worker = parse(command(WORKER)[1:])
    assert int(settings(WORKER)["TimeoutStopSec"][0]) > worker["drain_timeout"].total_seconds() + 5
    assert int(settings(GATEWAY)["TimeoutStopSec"][0]) > app.STOP_SECONDS + embedded.STOP_SECONDS + 5


@pytest.mark.parametrize("unit", [GATEWAY, WORKER])
def test_it_runs_as_a_user_of_its_own_and_is_started_again(unit: str) -> None:
    """Neither forks into the background."""
    found = settings(unit)
    assert (found["DynamicUser"], found["Restart"], found["Type"]) == (["yes"], ["always"], ["exec"])


def test_nobody_else_reads_the_store_and_its_socket_is_allowed() -> None:
    found = settings(GATEWAY)
    assert (found["StateDirectoryMode"], found["UMask"]) == (["0700"], ["0077"])
    assert {"AF_INET", "AF_INET6", "AF_UNIX"} <= set(found["RestrictAddressFamilies"][0].split())


@pytest.mark.parametrize("unit", [GATEWAY, WORKER])
def test_it_is_installed_where_the_page_says(unit: str) -> None:
    environment = str(Path(command(unit)[0]).parents[1])
    assert f"`{environment}`" in (CHECKOUT / "docs" / "deploy.md").read_text()


def test_an_instance_runs_its_app_in_its_folder() -> None:
    """As docs/deploy.md says; what the tasks read need not be there."""
    _, worker = parse(command(WORKER)[1:])
    assert worker["app"] == INSTANCE
    assert settings(WORKER)["WorkingDirectory"] == [f"/srv/{INSTANCE}"]
    assert settings(WORKER)["EnvironmentFile"] == [f"-/etc/caraway/{INSTANCE}.env"]
