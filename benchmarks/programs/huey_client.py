"""Huey's producer. It has no call for many tasks."""

from typing import Any

from clock import collected, latencies, rate, read_ids, run, write_ids
from huey_tasks import huey, noop

POLL_SECONDS = 0.001


def submit(count: str, path: str, value: str = "") -> dict[str, Any]:
    """Submit tasks and keep their ids."""
    return write_ids(path, [noop(value or n).id for n in range(int(count))])


def delay(count: str) -> dict[str, Any]:
    """Time a loop of calls, each confirmed before the next."""

    def loop(number: int) -> None:
        for n in range(number):
            noop(n)

    return rate(int(count), loop)


def delay_get(count: str) -> dict[str, Any]:
    """Time a call and the wait for its result."""
    return latencies(int(count), lambda n: noop(n).get(blocking=True, timeout=30, max_delay=POLL_SECONDS))


def collect(path: str) -> dict[str, Any]:
    """Wait for all, read every result; gives the first and the last start."""
    return collected(read_ids(path), _spans)


def _spans(ids: list[str]) -> dict[str, tuple[float, float]]:
    starts = {key: huey.serializer.deserialize(value) for key, value in huey.storage.peek_many(ids).items()}
    return {key: (start, start) for key, start in starts.items()}


if __name__ == "__main__":
    run({f.__name__: f for f in (submit, delay, delay_get, collect)})
