"""docs/languages.md: the Rust program over stubs from proto/ alone is built, and submits tasks."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.gateway import GatewayProcess
from support.pages import CHECKOUT
from support.toolchains import require_programs
from support.worker import WorkerProcess

RUST = CHECKOUT / "examples/rust"
BUILD_SECONDS = 900
pytestmark = pytest.mark.timeout(BUILD_SECONDS)


@pytest.fixture(scope="module")
def program() -> Path:
    """The example, built."""
    require_programs("cargo")
    made = subprocess.run(
        ["make", "-s", "example-rust"], cwd=CHECKOUT, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return Path(made.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def worker(gateway: GatewayProcess) -> Iterator[WorkerProcess]:
    """A worker for the queue that specs name which name none."""
    process = WorkerProcess(gateway.target, "e2e.sample", "-c", "1", "-Q", "default").ready()
    yield process
    process.stop()


def call(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_a_rust_program_submits_and_waits(program: Path, gateway: GatewayProcess, worker: WorkerProcess) -> None:
    target = f"http://{gateway.target}"
    assert call(program, target, "e2e.sample.add", "[2, 2]").stdout == "4\n"
    assert call(program, target, "e2e.sample.add", "[9007199254740992, 1]").stdout == "9007199254740993\n"
    failed = call(program, target, "e2e.sample.fail", '["screws", 3]')
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "STATE_FAILED" in failed.stderr and "OutOfStockError" in failed.stderr


def test_the_program_is_small_and_the_page_shows_it() -> None:
    main, build = (RUST / "src/main.rs").read_text(), (RUST / "build.rs").read_text()
    assert len(main.splitlines()) <= 50
    page = (CHECKOUT / "docs/languages.md").read_text()
    shown = [block.partition("\n")[2] for block in page.split("```")[1::2] if block.startswith("rust\n")]
    assert [block in text for block, text in zip(shown, (build, main), strict=True)] == [True, True]
