"""A gateway with its embedded store, and a worker, as processes of the demo's own."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 15.0
PR_SET_PDEATHSIG = 1

EXAMPLES = Path(__file__).resolve().parent.parent
CARAWAY = Path(sys.executable).with_name("caraway")


class ServiceError(Exception):
    """A service did not start; the message ends with what it said."""


@contextmanager
def services(build: Path) -> Iterator[str]:
    """Run both on a free port until the block ends, and yield the gateway's address.

    Data and logs lie in a new folder inside `build`, which is gone afterwards. Raises ServiceError.
    """
    build.mkdir(parents=True, exist_ok=True)
    with ExitStack() as ends:
        # A short name: the store's unix socket lies in there, and its path may have 107 characters.
        folder = Path(tempfile.mkdtemp(prefix="demo-", dir=build))
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        gateway = [str(CARAWAY), "server", "--listen", "127.0.0.1:0", "--data-dir", str(folder)]
        heard = ends.enter_context(_running(gateway, folder / "gateway.log", "listens on"))
        target = heard.split("listens on ")[1].split()[0]
        worker = [str(CARAWAY), "worker", "-A", "wordcount.tasks", "--target", target]
        ends.enter_context(_running(worker, folder / "worker.log", " ready."))
        yield target


@contextmanager
def _running(command: list[str], log: Path, ready: str) -> Iterator[str]:
    """Run a command until the block ends; yields the first line of its output that has `ready` in it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(EXAMPLES)},
            # No thread runs yet: gRPC, which has some, is loaded at the app's first call.
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - as said
        )
    try:
        yield _first_line(process, log, ready)
    finally:
        _stop(process)


def _end_with_parent() -> None:
    """Ask Linux to end this process with the demo, even if that is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _first_line(process: subprocess.Popen[bytes], log: Path, ready: str) -> str:
    deadline = time.monotonic() + START_SECONDS
    while True:
        has_ended = process.poll() is not None
        text = log.read_text(errors="replace")
        for line in text.splitlines(keepends=True):
            if ready in line and line.endswith("\n"):
                return line
        if has_ended or time.monotonic() > deadline:
            what = "ended" if has_ended else f"did not start within {START_SECONDS:.0f} s"
            raise ServiceError(f"{log.stem} {what}; its last words:\n{text[-2000:]}")
        time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL to one that does not end. The gateway ends its store, the worker its children."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
