"""Dramatiq's producer. It has no call for many tasks: its group is a loop."""

from typing import Any

from clock import collected, latencies, rate, read_ids, run, write_ids
from dramatiq_tasks import backend, noop

RESULT_MILLISECONDS = 30_000


def submit(count: str, path: str, value: str = "") -> dict[str, Any]:
    """Submit tasks and keep their ids."""
    return write_ids(path, [noop.send(value or n).message_id for n in range(int(count))])


def delay(count: str) -> dict[str, Any]:
    """Time a loop of send(), each confirmed before the next."""

    def loop(number: int) -> None:
        for n in range(number):
            noop.send(n)

    return rate(int(count), loop)


def delay_get(count: str) -> dict[str, Any]:
    """Time send() and the wait for its result."""
    return latencies(int(count), lambda n: noop.send(n).get_result(block=True, timeout=RESULT_MILLISECONDS))


def collect(path: str) -> dict[str, Any]:
    """Wait for all, read every result; gives the first and the last start."""
    return collected(read_ids(path), _spans)


def _spans(ids: list[str]) -> dict[str, tuple[float, float]]:
    pipeline = backend.client.pipeline(transaction=False)
    for message_id in ids:
        pipeline.lindex(backend.build_message_key(noop.message(0).copy(message_id=message_id)), 0)
    stored = zip(ids, pipeline.execute(), strict=True)
    starts = {key: backend.unwrap_result(backend.encoder.decode(data)) for key, data in stored if data}
    return {key: (start, start) for key, start in starts.items()}


if __name__ == "__main__":
    run({f.__name__: f for f in (submit, delay, delay_get, collect)})
