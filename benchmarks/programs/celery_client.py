"""Celery's producer."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import chain, chord, group
from celery_tasks import app, noop
from clock import collected, latencies, rate, read_ids, run, write_ids

LEAD_SECONDS = 8


def submit(count: str, path: str, value: str = "") -> dict[str, Any]:
    """Submit tasks and keep their ids."""
    return write_ids(path, [noop.delay(value or n).id for n in range(int(count))])


def delay(count: str) -> dict[str, Any]:
    """Time a loop of delay()."""

    def loop(number: int) -> None:
        for n in range(number):
            noop.delay(n)

    return rate(int(count), loop)


def delay_get(count: str) -> dict[str, Any]:
    """Time delay().get()."""
    return latencies(int(count), lambda n: noop.delay(n).get(timeout=30))


def collect(path: str) -> dict[str, Any]:
    """Wait for all, read every result; gives the first start and the last end."""
    return collected(read_ids(path), _spans)


def _spans(ids: list[str]) -> dict[str, tuple[float, float]]:
    backend = app.backend
    stored = backend.mget([backend.get_key_for_task(task_id) for task_id in ids])
    ended = {task_id: backend.decode_result(text) for task_id, text in zip(ids, stored, strict=True) if text}
    return {task_id: (meta["result"], _instant(meta["date_done"])) for task_id, meta in ended.items()}


def _instant(text: str) -> float:
    done = datetime.fromisoformat(text)
    return done.replace(tzinfo=done.tzinfo or UTC).timestamp()


def lateness(count: str, span: str) -> dict[str, Any]:
    """Submit tasks that are due one after the other within `span` seconds; gives how late each started."""
    first = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
    dues = [first + timedelta(seconds=float(span) * n / int(count)) for n in range(int(count))]
    results = [noop.apply_async((n,), eta=due) for n, due in enumerate(dues)]
    if time.time() >= first.timestamp():
        raise RuntimeError("submitting took longer than the first task's delay")
    return {"seconds": [result.get() - due.timestamp() for result, due in zip(results, dues, strict=True)]}


def canvas(kind: str, count: str) -> dict[str, Any]:
    """Time a chain, a group or a chord of noops, from its submit to its result."""
    members = [noop.s(n) for n in range(int(count))]
    if kind == "chain":
        whole = chain(members[0], *(noop.s() for _ in members[1:]))
    else:
        whole = group(members) if kind == "group" else chord(members, noop.s())
    start = time.perf_counter()
    whole.apply_async().get(timeout=300)
    return {"seconds": time.perf_counter() - start}


if __name__ == "__main__":
    run({f.__name__: f for f in (submit, delay, delay_get, collect, lateness, canvas)})
