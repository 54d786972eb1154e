"""The command `caraway dev`: a gateway and a worker for one's own machine, and a new worker when the code changes."""

import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from caraway_worker.sources import Sources

_COMMAND = [sys.executable, "-c", "from caraway.cli import main; main(prog_name='caraway')"]
_LOOK_SECONDS = 0.5
_STOP_SECONDS = 20.0
_DRAIN_SECONDS = "3"


@click.command()
@click.option("-A", "--app", required=True, metavar="APP", help="As for `caraway worker`.")
@click.option("--listen", default="127.0.0.1:50051", show_default=True, help="Where the gateway listens.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path(".caraway"),
    show_default=True,
    help="Where the tasks are kept.",
)
@click.option("--temporary", is_flag=True, help="Keep the tasks only while this command runs.")
@click.option("-l", "--loglevel", default="INFO", show_default=True, help="Of the worker.")
@click.argument("worker_arguments", nargs=-1)
def dev(
    app: str, listen: str, data_dir: Path, temporary: bool, loglevel: str, worker_arguments: tuple[str, ...]
) -> None:
    """Run a gateway and a worker, and restart the worker when a Python file below this folder changes.

    What follows `--` goes to `caraway worker`.
    """
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, on_signal)
    with _folder(data_dir, temporary) as folder, _gateway(listen, folder) as (gateway, target):
        worker = [*_COMMAND, "worker", "-A", app, "--target", target, "-l", loglevel]
        worker += ["--drain-timeout", _DRAIN_SECONDS, *worker_arguments]
        ended = Development(worker, Sources(Path.cwd()), lambda: gateway.poll() is not None).run(stop)
    sys.exit(ended)


@contextmanager
def _folder(data_dir: Path, temporary: bool) -> Iterator[Path]:
    if not temporary:
        yield data_dir
        return
    with tempfile.TemporaryDirectory(prefix="caraway") as folder:
        yield Path(folder)


@contextmanager
def _gateway(listen: str, folder: Path) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """Run a gateway; yields its process and its address once it listens."""
    command = [*_COMMAND, "server", "--listen", listen, "--data-dir", str(folder)]
    # A group of its own: Ctrl-C is for this command, which ends the worker first.
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, process_group=0)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "listens on " not in line:
            raise click.ClickException("the gateway did not start; what it says is above")
        click.echo(line.rstrip())
        yield process, line.split("listens on ")[1].split()[0]
    finally:
        _end(process)
        if process.stdout is not None:
            process.stdout.close()


def _end(process: "subprocess.Popen[str]") -> None:
    """Ask a process to end, and kill it if it does not."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Development:
    """Keeps a worker running on the newest code."""

    def __init__(self, command: list[str], sources: Sources, is_over: Callable[[], bool]) -> None:
        """`is_over` tells that there is no gateway to work for any more."""
        self._command = command
        self._sources = sources
        self._is_over = is_over
        self._worker: subprocess.Popen[str] | None = None

    def run(self, stop: threading.Event) -> int:
        """Work until `stop` is set. Returns the exit code."""
        self._sources.changed()
        self._start()
        try:
            while not stop.wait(_LOOK_SECONDS):
                if self._is_over():
                    click.echo("caraway dev: the gateway has ended", err=True)
                    return 1
                self._look()
        finally:
            self._stop()
        return 0

    def _look(self) -> None:
        changed = self._sources.changed()
        if changed:
            click.echo(f"caraway dev: {changed[0]} changed; the worker starts anew")
            self._stop()
            self._start()
        elif self._worker is not None and self._worker.poll() is not None:
            self._worker = None
            click.echo("caraway dev: the worker has ended; it starts again when the code changes", err=True)

    def _start(self) -> None:
        self._worker = subprocess.Popen(self._command, text=True, stdin=subprocess.DEVNULL, process_group=0)

    def _stop(self) -> None:
        if self._worker is not None:
            _end(self._worker)
            self._worker = None
