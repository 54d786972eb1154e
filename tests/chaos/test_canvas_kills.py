"""Canvases of a real app run while workers, their children, gateway and store are killed: every result is right."""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from caraway import Caraway, chain, chord, current, group
from caraway.result import AsyncResult
from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc
from chaos.workers import Workers, victims_of
from support.canvas_tasks import BrokenError, register
from support.compositions import COMPOSITIONS, Composition
from support.gateway import GatewayProcess

SEED = int(os.environ.get("CHAOS_SEED", "20261122"))
KILLS_OF_EACH = int(os.environ.get("CHAOS_CANVAS_KILLS", "4"))
PATIENCE = 90.0  # seconds for what is under way when the last kill is over
WIDTH = 100
RETRIED = "proj.third_time"
State = task_pb2.Task.State
Sent = tuple[Composition, "AsyncResult[object]"]

# What a worker that dies could leave half done beside joins: nodes that a running task adds, and others in its place.
GROWING = (
    Composition("a wide chord", lambda t: chord((t.slowly.s(n) for n in range(WIDTH)), t.total.s()), sum(range(WIDTH))),
    Composition(
        "replaced links",
        lambda t: chain(t.add.s(1, 1), t.become.s(t.add.s(1) | t.add.s(2)), t.become.s(t.add.s(4)), t.add.s(8)),
        17,
    ),
    Composition("a replaced group", lambda t: t.become.s(group(t.same.s(1), t.same.s(2))) | t.total.s(), 3),
    Composition("replaced again and again", lambda t: t.count_down.s(5), 0),
    Composition("a chord that grows", lambda t: chord([t.grow.s(5), t.same.s(5)], t.total.s()), 0),
)


@pytest.fixture
def arena(gateways: Callable[..., GatewayProcess], tmp_path: Path) -> Iterator[tuple[GatewayProcess, Workers, Caraway]]:
    gateway = gateways("--lease", "1", "--heartbeat", "0.5", "--max-lost", "50", "-l", "WARNING")
    workers = Workers(gateway.target, "chaos.noted_canvas", {"CHAOS_RUNS": str(tmp_path / "runs")})
    with current.kept():  # an empty group is sent by the current app
        app = Caraway("canvas", target=gateway.target, default_queue="canvas")
        yield gateway, workers, app
        app.close()
    workers.stop()


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_canvases_survive_kills(arena: tuple[GatewayProcess, Workers, Caraway], tmp_path: Path) -> None:
    gateway, workers, app = arena
    chance = random.Random(SEED)
    tasks = register(app)
    for name in (
        "e2e.canvas_app.become",
        "e2e.canvas_app.grow",
        "e2e.canvas_app.count_down",
        "chaos.noted_canvas.slowly",
    ):
        setattr(tasks, name.rpartition(".")[2], _Remote(app, name))
    victims = victims_of(workers, gateway, KILLS_OF_EACH, chance)
    sent: list[Sent] = []
    for victim, kill in victims:
        played = [*GROWING, *chance.sample(COMPOSITIONS, 12)]
        sent += [(row, row.build(tasks).apply_async()) for row in played]
        time.sleep(chance.uniform(0, 0.4))  # the moment is part of what is played
        under_way = sum(not result.ready() for _, result in sent[-len(played) :])
        print(f"kill the {victim}, {under_way} of the last {len(played)} canvases under way")
        kill()
    deadline = time.monotonic() + PATIENCE
    assert [problem for row, result in sent for problem in problems_of(row, result, deadline)] == []
    with gateway.channel() as channel:
        ended = list(all_tasks(channel))
    runs = [line.split() for line in (tmp_path / "runs").read_text().splitlines()]
    assert len({(run[0], run[1]) for run in runs}) == len(runs)  # no delivery ran twice
    counts = Counter(run[0] for run in runs)
    assert [problem for task in ended for problem in problems_of_task(task, counts[task.task_id])] == []
    lost = sum(task.lost_count for task in ended)
    print(f"{len(sent)} canvases, {len(ended)} tasks, {len(victims)} kills, {lost} lost deliveries, seed {SEED}")
    assert lost > 0  # some kills hit a task that was in a worker's hands


class _Remote:
    """A task that only the workers have, with `.s()`."""

    def __init__(self, app: Caraway, name: str) -> None:
        self._app, self._name = app, name

    def s(self, *args: object) -> object:
        return self._app.signature(self._name, args)


def problems_of(row: Composition, result: "AsyncResult[object]", deadline: float) -> Iterator[str]:
    """What contradicts what a canvas is to give."""
    try:
        value = result.get(timeout=max(1.0, deadline - time.monotonic()))
    except BrokenError as error:
        if row.error is None or error.args != row.error.args:
            yield f"{row.name} ended by {error!r}"
    else:
        if row.error is not None or value != row.value:
            yield f"{row.name} gave {value!r}, not {row.error or row.value!r}"


def problems_of_task(task: task_pb2.Task, runs: int) -> Iterator[str]:
    """Each run was an attempt or was lost; a join that fires twice would run its task once more."""
    most = 3 if task.spec.name == RETRIED else 1
    if task.attempt > most:
        yield f"{task.task_id} ({task.spec.name}) took {task.attempt} attempts, not {most}"
    if runs > task.attempt + task.lost_count:
        yield f"{task.task_id} ({task.spec.name}) ran {runs} times for {task.attempt} attempts, {task.lost_count} lost"
    if not task.HasField("end_time"):
        yield f"{task.task_id} ({task.spec.name}) is {State.Name(task.state)}, not ended"


def all_tasks(channel: grpc.Channel) -> Iterator[task_pb2.Task]:
    """All that there are."""
    stub = task_service_pb2_grpc.TaskServiceStub(channel)
    request = task_service_pb2.ListTasksRequest(page_size=500)
    while True:
        page = stub.ListTasks(request, timeout=10)
        yield from page.tasks
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
