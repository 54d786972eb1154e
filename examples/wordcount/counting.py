"""Counts the files: submits a task for each, shows how far they are, merges what they return."""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from caraway import AsyncResult
from caraway.exceptions import TimeoutError
from wordcount.tasks import app, count_words

LOOK_SECONDS = 0.2


@dataclass(slots=True)
class Total:
    """What came of all files. `seconds` from the first submit to the last task's end."""

    words: Counter[str] = field(default_factory=Counter)
    tasks: int = 0
    bytes: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def count_files(console: Console, files: list[Path]) -> Total:
    """Count the words of all files; a file whose task fails is among the problems and in no count."""
    total = Total()
    start = time.time()
    results = app.submit_many(count_words.s(str(file)) for file in files)
    last_end = start
    with _progress(console) as progress:
        read = progress.add_task("bytes", total=sum(file.stat().st_size for file in files), unit="bytes")
        ended = progress.add_task("files", total=len(files), unit="files")
        for file, result in zip(files, results, strict=True):
            outcome = _wait(result, progress, read, total.bytes)
            if isinstance(outcome, BaseException):
                total.problems.append(f"{file}: {type(outcome).__name__}: {outcome}")
            else:
                total.words.update(outcome)
                total.tasks += 1
                total.bytes += file.stat().st_size
            progress.update(read, completed=total.bytes)
            progress.advance(ended)
            if result.date_done is not None:
                last_end = max(last_end, result.date_done.timestamp())
    total.seconds = last_end - start
    return total


def _wait(result: AsyncResult[dict[str, int]], progress: Progress, read: Any, before: int) -> Any:
    """Give what the task returned, or the exception it ended with; show its own progress until then."""
    while True:
        try:
            return result.get(timeout=LOOK_SECONDS, propagate=False)
        except TimeoutError:
            told = result.info
            if isinstance(told, dict):
                progress.update(read, completed=before + told.get("bytes", 0))


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), _Amount(), TimeElapsedColumn(), console=console
    )  # fmt: skip


class _Amount(MofNCompleteColumn):
    """Bytes in their own units, files as a number."""

    _bytes = DownloadColumn()

    def render(self, task: Any) -> Any:
        """Give the text beside the bar."""
        return self._bytes.render(task) if task.fields["unit"] == "bytes" else super().render(task)
