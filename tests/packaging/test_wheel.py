"""The wheel, installed into fresh environments outside the checkout."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.processes import Running

pytestmark = [pytest.mark.installs, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
CLIENT_ALONE = {
    "caraway", "click", "googleapis-common-protos", "grpcio", "grpcio-status", "protobuf", "typing-extensions",
}  # fmt: skip
TASKS = """
from caraway import Caraway

app = Caraway("proj")

@app.task
def add(x, y):
    return x + y
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Runs it without anything of this environment's, and returns what it wrote to stdout."""
    env = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from what git would hand out, so that nothing outside the checkout's files can help."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    files = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\n")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", made, source, cwd=made)
    (found,) = made.glob("caraway-*.whl")
    return found


@pytest.fixture
def install(wheel: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Installs the wheel with extras; returns the folder of its commands."""

    def make(extras: str) -> Path:
        environment = tmp_path / "environment"
        run(sys.executable, "-m", "venv", environment, cwd=tmp_path)
        run(environment / "bin/pip", "install", "-q", f"{wheel}{extras}", cwd=tmp_path)
        return environment / "bin"

    return make


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "proj.py").write_text(TASKS)
    return folder


@pytest.fixture
def start(project: Path) -> Iterator[Callable[..., Running]]:
    """Starts processes in the user's project; ends them with the test."""
    started: list[Running] = []

    def run_in_project(*command: str | Path) -> Running:
        started.append(Running([str(word) for word in command], cwd=project, env={"PYTHONPATH": ""}))
        return started[-1]

    yield run_in_project
    for process in reversed(started):
        process.stop()


def test_bare_install_is_the_client_and_little_else(install: Callable[[str], Path], project: Path) -> None:
    commands = install("")
    listed = run(commands / "pip", "list", "--format", "freeze", cwd=project).split()
    names = {
        line.split("==")[0].split("@")[0].strip().lower().replace("_", "-")
        for line in listed
        if "==" in line or "@" in line
    }
    assert names - {"pip", "setuptools"} == CLIENT_ALONE
    assert "proj.add" in run(commands / "python", "-c", "import proj; print(proj.add.name)", cwd=project)
    refused = subprocess.run([commands / "caraway", "server"], cwd=project, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "pip install 'caraway[server]'" in refused.stderr
    assert "CARAWAY_TARGET" in run(commands / "caraway", "config", "--reference", cwd=project)
    refused = subprocess.run([commands / "caraway", "worker"], cwd=project, capture_output=True, text=True)
    assert "pip install 'caraway[worker]'" in refused.stderr


def test_server_and_worker_run_outside_the_checkout(
    install: Callable[[str], Path], project: Path, start: Callable[..., Running], short_folder: Callable[[], Path]
) -> None:
    commands = install("[server,worker]")
    server = start(commands / "caraway", "server", "--listen", "127.0.0.1:0", "--data-dir", short_folder())
    target = server.wait_for_line("listens on").split("listens on ")[1].split()[0]
    start(commands / "caraway", "worker", "-A", "proj", "--target", target, "-l", "INFO").wait_for_line(" ready.")
    program = "import proj; print(proj.add.delay(2, 40).get(timeout=30))"
    assert run("env", f"CARAWAY_TARGET={target}", commands / "python", "-c", program, cwd=project).strip() == "42"
