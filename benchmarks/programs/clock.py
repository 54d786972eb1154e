"""How both producers measure and what they print."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

WARM_UP = 50


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


def run(operations: dict[str, Callable[..., dict[str, Any]]]) -> None:
    """Run the operation that the command line names, with its arguments, and print what it gives."""
    name, *arguments = sys.argv[1:]
    print(json.dumps(operations[name](*arguments)))
