"""Event loops and threads: coroutine tasks in every pool, and one app that all loops and threads of a program share."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from caraway import Caraway
from caraway.ids import uuid7
from caraway.v1 import task_service_pb2
from e2e import sample
from e2e.conftest import Gate, WorkerStarter
from support.gateway import GatewayProcess
from support.worker import WorkerProcess

SECONDS = 40


@pytest.mark.parametrize("pool", ["process", "thread", "asyncio", "gevent", "solo"])
def test_a_coroutine_task_awaits_and_submits_in_every_pool(
    gateway: GatewayProcess, sample_app: None, start_worker: WorkerStarter, pool: str
) -> None:
    queue = f"e2e-async-{pool}"
    start_worker(gateway.target, "-P", pool, "-c", "1", "-Q", queue)
    results = [sample.submit_and_tell.apply_async((number, queue), queue=queue) for number in range(5)]
    others = [sample.app.AsyncResult(result.get(timeout=SECONDS)) for result in results]
    assert [other.get(timeout=SECONDS) for other in others] == [0, 2, 4, 6, 8]


async def test_the_loop_runs_on_while_a_running_task_is_awaited(worker: WorkerProcess, gate: Gate) -> None:
    result = await sample.report.adelay(str(gate.release))
    told: list[str] = []

    async def listen() -> str:
        return await result.aget(timeout=SECONDS, on_message=lambda body: told.append(body["status"]))

    waiting = [asyncio.create_task(listen()), asyncio.create_task(result.aget(timeout=SECONDS))]
    async for update in result.updates(timeout=SECONDS):
        if update.state == "PACKING":
            assert update.result == {"done": 3, "of": 7}
            # Only this loop opens the gate: were it held by a wait, the task would never end.
            gate.open()
    assert await asyncio.gather(*waiting) == ["packed", "packed"]
    assert told[-1] == "SUCCESS"


async def use(numbers: range) -> list[int]:
    async def one(number: int) -> int:
        result = await sample.add.adelay(number, number)
        return int(await result.aget(timeout=SECONDS))

    return await asyncio.gather(*map(one, numbers))


@pytest.mark.usefixtures("worker")
def test_loops_that_come_and_go_and_run_beside_each_other_share_an_app() -> None:
    for start in range(0, 50, 10):
        assert asyncio.run(use(range(start, start + 10))) == [2 * number for number in range(start, start + 10)]
        assert sample.add.delay(start, 1).get(timeout=SECONDS) == start + 1
    with ThreadPoolExecutor(12) as threads:
        loops = [threads.submit(asyncio.run, use(range(start, start + 20))) for start in range(0, 120, 20)]
        plain = [threads.submit(lambda: sample.add.delay(1, 1).get(timeout=SECONDS)) for _ in range(6)]
        assert [loop.result() for loop in loops] == [
            [2 * number for number in range(start, start + 20)] for start in range(0, 120, 20)
        ]
        assert [one.result() for one in plain] == [2] * 6


@pytest.fixture
def publisher(gateways: Callable[..., GatewayProcess]) -> Iterator[Caraway]:
    """An app of a gateway of the test's own, on which all that is there can be counted."""
    app = Caraway("e2e.sample", target=gateways().target, default_queue="e2e")
    yield app
    app.close()


def test_42_threads_publish_at_once_and_nothing_is_lost_or_doubled(
    publisher: Caraway, start_worker: WorkerStarter
) -> None:
    start_worker(publisher.target, "-c", "2")
    begin = threading.Barrier(42)

    def publish(thread: int) -> list[tuple[str, int, int]]:
        begin.wait(SECONDS)
        calls = [(thread * 1000 + number, thread) for number in range(25)]
        results = [publisher.send_task("e2e.sample.add", call) for call in calls]
        return [
            (result.id, result.get(timeout=SECONDS), sum(call)) for result, call in zip(results, calls, strict=True)
        ]

    with ThreadPoolExecutor(42) as threads:
        published = [one for part in threads.map(publish, range(42)) for one in part]
    assert all(value == expected for _, value, expected in published)
    assert len({task_id for task_id, _, _ in published}) == len(published) == 42 * 25
    counts = publisher.gateway.ask("CountTasks", task_service_pb2.CountTasksRequest()).counts
    assert counts == {"SUCCEEDED": 42 * 25}


def test_ids_of_threads_that_start_together_differ() -> None:
    begin = threading.Barrier(42)

    def make(_thread: int) -> list[str]:
        begin.wait(SECONDS)
        return [uuid7() for _ in range(500)]

    with ThreadPoolExecutor(42) as threads:
        made = [task_id for part in threads.map(make, range(42)) for task_id in part]
    assert len(set(made)) == len(made) == 42 * 500
