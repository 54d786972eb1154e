"""How the producers measure and what they print."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

WARM_UP = 50
PAGE = 500
COLLECT_SECONDS = 300


def rate(count: int, submit: Callable[[int], Any]) -> dict[str, Any]:
    """Time `count` tasks that `submit` sends and confirms, after a warm-up that is not counted."""
    submit(WARM_UP)
    start = time.perf_counter()
    submit(count)
    return {"per_second": count / (time.perf_counter() - start)}


def latencies(count: int, call: Callable[[int], Any]) -> dict[str, Any]:
    """Time `count` calls, one after the other, in seconds each."""
    for number in range(WARM_UP):
        call(number)
    spans = []
    for number in range(count):
        start = time.perf_counter()
        call(number)
        spans.append(time.perf_counter() - start)
    return {"seconds": spans}


def write_ids(path: str, ids: Iterable[str]) -> dict[str, Any]:
    """Keep the ids of what was submitted for the one who reads the results."""
    Path(path).write_text("\n".join(ids))
    return {}


def read_ids(path: str) -> list[str]:
    """Give them back."""
    return Path(path).read_text().split()


def collected(ids: list[str], read: Callable[[list[str]], dict[str, tuple[float, float]]]) -> dict[str, Any]:
    """Wait for all tasks and read every result.

    `read` gives the start and the end, in seconds since 1970, of those of its ids that have ended, by id; the start
    again as the end where the system keeps no end that could be read. Gives the first start and the last end.
    """
    deadline = time.monotonic() + COLLECT_SECONDS
    last = ids[-1:]
    spans: dict[str, tuple[float, float]] = {}
    while ids:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(ids)} tasks did not end")
        # While the last one is not done, asking for others would only take time from those who do it.
        found = read(ids[:PAGE]) if spans or read(last) else {}
        if not found:
            time.sleep(0.1)
        spans |= found
        ids = ids[PAGE:] + [task_id for task_id in ids[:PAGE] if task_id not in found]
    starts, ends = zip(*spans.values(), strict=True)
    return {"count": len(spans), "first_start": min(starts), "last_end": max(ends)}


def run(operations: dict[str, Callable[..., dict[str, Any]]]) -> None:
    """Run the operation that the command line names, with its arguments, and print what it gives."""
    name, *arguments = sys.argv[1:]
    print(json.dumps(operations[name](*arguments)))
