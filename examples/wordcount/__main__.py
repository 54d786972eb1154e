"""Runs the demo: `python -m wordcount [FILE]...`."""

import os
import signal
import sys
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

    Returns the exit code: 0, 1 if a task or a service failed, 2 if a file can't be read, 130 after Ctrl-C.
    """
    files = [Path(name) for name in sys.argv[1:]] or own_documents()
    problems = [problem for problem in map(why_unreadable, files) if problem]
    if problems:
        return complain(2, *problems)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with services(CHECKOUT / ".build") as target:
            # The app reads it at its first call.
            os.environ["CARAWAY_TARGET"] = target
            return complain(
                1, *run(Console(highlight=False, soft_wrap=True), target, [file.resolve() for file in files])
            )
    except (ServiceError, CarawayError) as error:
        return complain(1, str(error))
    except KeyboardInterrupt:
        return complain(INTERRUPTED, "interrupted")


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


def run(console: Console, target: str, files: list[Path]) -> list[str]:
    """Submit all tasks, show how they go, print what came of them. Returns what went wrong."""
    console.print(f"A gateway with its embedded store listens on {target}; a worker runs {os.cpu_count()} processes.\n")
    show_features(console)
    console.print(f"\nCounting words, one task a file, {len(files)} in all:")
    total = count_files(console, files)
    print_words(console, total)
    if total.tasks:
        print_rate(console, total)
    return total.problems


if __name__ == "__main__":
    sys.exit(main())
