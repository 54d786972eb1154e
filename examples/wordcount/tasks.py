"""The tasks of the demo; `caraway worker -A wordcount.tasks` runs them."""

import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

from caraway import Caraway

app = Caraway("wordcount.tasks")

CHUNK_BYTES = 4 * 1024 * 1024
WORD = re.compile(rb"[a-z]+")
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class UnluckyError(Exception):
    """Raised by `third_time_lucky`."""


@app.task(bind=True)
def count_words(self: Any, path: str) -> dict[str, int]:
    """Count a file's words (runs of A-Z and a-z, lowercased); tells on its way how many bytes are read."""
    counts: Counter[bytes] = Counter()
    unfinished = b""
    done = 0
    with Path(path).open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            done += len(chunk)
            text = unfinished + chunk
            # A word that reaches the end of a chunk may go on in the next one.
            end = len(text.rstrip(LETTERS))
            unfinished = text[end:]
            counts.update(WORD.findall(text[:end].lower()))
            self.update_state(state="COUNTING", meta={"bytes": done})
    counts.update(WORD.findall(unfinished.lower()))
    return {word.decode("ascii"): count for word, count in counts.items()}


@app.task(bind=True, autoretry_for=(UnluckyError,), max_retries=2, default_retry_delay=0.3)
def third_time_lucky(self: Any) -> int:
    """Fail twice; return the number of the attempt that succeeded."""
    attempt: int = self.request.attempt
    if attempt < 3:
        raise UnluckyError(f"attempt {attempt} fails on purpose")
    return attempt


@app.task
def started_at() -> float:
    """Return when it ran, in seconds since 1970."""
    return time.time()
