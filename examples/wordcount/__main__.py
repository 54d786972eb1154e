"""Runs the demo: `python -m wordcount [--target HOST:PORT] [FILE]...`."""

import argparse
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from rich.console import Console

from caraway.exceptions import CarawayError
from wordcount.counting import count_files
from wordcount.features import show_features
from wordcount.report import print_rate, print_words
from wordcount.services import ServiceError, services

CHECKOUT = Path(__file__).resolve().parents[2]
OWN_DOCUMENTS = ("README.md", "CHANGELOG.md", "docs/**/*.md", "proto/**/*.proto")
INTERRUPTED = 130


def main() -> int:
    """Count the words of the files named on the command line, by default of the project's own documents.

    With --target a gateway and workers that run already do it; the workers must find the files at the same paths.

    Returns the exit code: 0, 1 if a task or a service failed, 2 for wrong usage, or if a file can't be read, 130 after
    Ctrl-C.
    """
    options = _arguments()
    files = options.files or own_documents()
    problems = [problem for problem in map(why_unreadable, files) if problem]
    if problems:
        return complain(2, *problems)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with ExitStack() as ends:
            target = options.target or ends.enter_context(services(CHECKOUT / ".build"))
            # The app reads it at its first call.
            os.environ["CARAWAY_TARGET"] = target
            console = Console(highlight=False, soft_wrap=True)
            console.print(_introduction(target, own=not options.target))
            return complain(1, *run(console, [file.resolve() for file in files]))
    except (ServiceError, CarawayError) as error:
        return complain(1, str(error))
    except KeyboardInterrupt:
        return complain(INTERRUPTED, "interrupted")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="wordcount", description="Count words, one task a file.")
    parser.add_argument("--target", metavar="HOST:PORT", help="a gateway that runs; default: one of the demo's own")
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path, help="default: the project's own documents")
    return parser.parse_args()


def _introduction(target: str, *, own: bool) -> str:
    if not own:
        return f"The gateway at {target}, and its workers, do the work.\n"
    return f"A gateway with its embedded store listens on {target}; a worker runs {os.cpu_count()} processes.\n"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def complain(code: int, *problems: str) -> int:
    """Say what went wrong, a line each; returns the code, or 0 where nothing did."""
    for problem in problems:
        print(f"wordcount: {problem}", file=sys.stderr)
    return code if problems else 0


def own_documents() -> list[Path]:
    """Give the repository's documents, and its contract, whose comments are the longest text of all."""
    return sorted({path for pattern in OWN_DOCUMENTS for path in CHECKOUT.glob(pattern)})


def why_unreadable(file: Path) -> str | None:
    """Say why a file can't be counted; None if it can."""
    if file.exists() and not file.is_file():
        return f"{file}: not a regular file"
    try:
        file.open("rb").close()
    except OSError as error:
        return f"{file}: {error.strerror}"
    return None


def run(console: Console, files: list[Path]) -> list[str]:
    """Submit all tasks, show how they go, print what came of them. Returns what went wrong."""
    show_features(console)
    console.print(f"\nCounting words, one task a file, {len(files)} in all:")
    total = count_files(console, files)
    print_words(console, total)
    if total.tasks:
        print_rate(console, total)
    return total.problems


if __name__ == "__main__":
    sys.exit(main())
