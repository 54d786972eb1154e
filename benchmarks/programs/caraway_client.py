"""Caraway's producer."""

import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from caraway_tasks import app, noop
from clock import latencies, rate, read_ids, run, write_ids

from caraway import chain, chord, group
from caraway.channel import new_channel
from caraway.ids import uuid7
from caraway.payload import decode, encode_arguments
from caraway.transport import Transport
from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc

PAGE = 500
LEAD_SECONDS = 8
TERMINAL = task_pb2.Task.STATE_SUCCEEDED


def submit(count: str, path: str, value: str = "") -> dict[str, Any]:
    """Submit tasks and keep their ids."""
    return write_ids(path, [result.id for result in app.submit_many(noop.s(value or n) for n in range(int(count)))])


def submit_many(count: str) -> dict[str, Any]:
    """Time app.submit_many()."""
    return rate(int(count), lambda number: app.submit_many(noop.s(n) for n in range(number)))


def batch_delay(count: str) -> dict[str, Any]:
    """Time a loop of delay() inside app.batch()."""

    def loop(number: int) -> None:
        with app.batch():
            for n in range(number):
                noop.delay(n)

    return rate(int(count), loop)


def delay(count: str) -> dict[str, Any]:
    """Time a loop of delay(), each confirmed before the next."""

    def loop(number: int) -> None:
        for n in range(number):
            noop.delay(n)

    return rate(int(count), loop)


def delay_get(count: str) -> dict[str, Any]:
    """Time delay().get()."""
    return latencies(int(count), lambda n: noop.delay(n).get(timeout=30))


def run_task(count: str) -> dict[str, Any]:
    """Time RunTask: submit and wait in one call."""
    with new_channel(Transport(app.target)) as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)

        def call(number: int) -> None:
            spec = task_pb2.TaskSpec(task_id=uuid7(), name=noop.name, payload=encode_arguments((number,), {}))
            answer = stub.RunTask(task_service_pb2.RunTaskRequest(task=spec), timeout=30)
            if not answer.done:
                raise RuntimeError("a no-op took longer than RunTask waits")

        return latencies(int(count), call)


def collect(path: str) -> dict[str, Any]:
    """Wait for all, read every result; gives the first start and the last end."""
    ids = read_ids(path)
    app.AsyncResult(ids[-1]).get(timeout=300)
    starts, ends = [], []
    with new_channel(Transport(app.target)) as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        while ids:
            request = task_service_pb2.BatchGetTasksRequest(task_ids=ids[:PAGE], view=task_pb2.TASK_VIEW_FULL)
            answer = stub.BatchGetTasks(request, timeout=30)
            done = [task for task in answer.tasks if task.state == TERMINAL]
            starts += [decode(task.result) for task in done]
            ends += [task.end_time.ToNanoseconds() / 1e9 for task in done]
            left = {task.task_id for task in done}
            ids = ids[PAGE:] + [task_id for task_id in ids[:PAGE] if task_id not in left]
    return {"count": len(starts), "first_start": min(starts), "last_end": max(ends)}


def lateness(count: str, span: str) -> dict[str, Any]:
    """Submit tasks that are due one after the other within `span` seconds; gives how late each started."""
    first = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
    dues = [first + timedelta(seconds=float(span) * n / int(count)) for n in range(int(count))]
    with app.batch():
        results = [noop.apply_async((n,), eta=due) for n, due in enumerate(dues)]
    if time.time() >= first.timestamp():
        raise RuntimeError("submitting took longer than the first task's delay")
    return {"seconds": [result.get() - due.timestamp() for result, due in zip(results, dues, strict=True)]}


def keep_listing(per_second: str) -> dict[str, Any]:
    """Read a page of waiting and one of succeeded tasks, and the counts, so often a second, until the input ends."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    calls = 0
    with new_channel(Transport(app.target)) as channel:
        stub = task_service_pb2_grpc.TaskServiceStub(channel)
        while not ended.wait(1 / float(per_second)):
            for state in (task_pb2.Task.STATE_QUEUED, TERMINAL):
                chosen = task_pb2.TaskFilter(states=[state])
                stub.ListTasks(task_service_pb2.ListTasksRequest(filter=chosen), timeout=30)
            stub.CountTasks(task_service_pb2.CountTasksRequest(), timeout=30)
            calls += 3
    return {"calls": calls}


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


OPERATIONS = (
    submit, submit_many, batch_delay, delay, delay_get, run_task, collect, lateness, keep_listing, canvas,
)  # fmt: skip

if __name__ == "__main__":
    run({operation.__name__: operation for operation in OPERATIONS})
