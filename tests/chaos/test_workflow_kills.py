"""Gateways and the store are killed while workflows run: no join is lost, none fires twice, every result is right."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caraway.v1 import task_pb2
from caraway_server.core.task import State
from caraway_server.core.workflow import On
from chaos.graph_player import Player, result_of
from support.gateway import GatewayProcess
from support.graph_model import STUMBLE, STUMBLES, Ended, Maker, Model, PlayedEdge, PlayedNode
from support.stores import StoreProcess

SEED = int(os.environ.get("CHAOS_SEED", "20261122"))
KILLS = int(os.environ.get("CHAOS_WORKFLOW_KILLS", "12"))
IN_FLIGHT = 8
HEADER = 300


class Killer:
    """Kills one thing after the other at random moments, and starts each again, until it is told to stop."""

    def __init__(self, chance: random.Random, gateways: list[GatewayProcess], store: StoreProcess) -> None:
        self._chance = chance
        self._gateways = gateways
        self._store = store
        self._enough = threading.Event()
        self.kills: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    @property
    def is_at_work(self) -> bool:
        """Whether there is more to be killed."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while len(self.kills) < KILLS and not self._enough.wait(self._chance.uniform(0.05, 0.5)):
            if self._chance.random() < 0.25:
                self._store.kill()
                self._store.start()
                self.kills.append("store")
            else:
                gateway = self._chance.choice(self._gateways)
                gateway.kill()
                gateway.start()
                self.kills.append("gateway")


@pytest.fixture
def arena(
    stores: Callable[..., StoreProcess], tmp_path: Path
) -> Iterator[tuple[StoreProcess, list[GatewayProcess], Player]]:
    store = stores("valkey", appendonly="yes", appendfsync="always")
    flags = ("--redis", store.url, "--lease", "1", "--heartbeat", "0.5", "--max-lost", "50", "-l", "WARNING")
    gateways = [GatewayProcess(tmp_path, *flags).start() for _ in range(2)]
    player = Player([gateway.target for gateway in gateways], 0.02, random.Random(SEED))
    yield store, gateways, player
    player.close()
    for gateway in gateways:
        gateway.stop()
        assert gateway.running is not None
        print(gateway.running.output)  # what a failure is to be explained with


def chord(prefix: str) -> list[PlayedNode]:
    """A wide join, and what comes after it."""
    header = [PlayedNode(f"{prefix}h{number:03d}") for number in range(HEADER)]
    join = PlayedNode(f"{prefix}join", tuple(PlayedEdge(node.node_id, On.SUCCESS) for node in header), collect=True)
    body = PlayedNode(f"{prefix}body", (PlayedEdge(join.node_id, On.SUCCESS, 1),))
    return [*header, join, body, PlayedNode(f"{prefix}last", (PlayedEdge(body.node_id, On.SUCCESS, 1),))]


@pytest.mark.chaos
@pytest.mark.timeout(180)
def test_workflows_survive_kills(arena: tuple[StoreProcess, list[GatewayProcess], Player]) -> None:
    store, gateways, player = arena
    chance = random.Random(SEED)
    graphs = {"chord": chord("c-")}
    player.submit("chord", graphs["chord"])
    todo = ["chord"]
    deadline = time.monotonic() + 150
    with Killer(chance, gateways, store) as killer:
        while todo or killer.is_at_work:
            if len(todo) < IN_FLIGHT and killer.is_at_work:
                name = f"w{len(graphs)}"
                graphs[name] = Maker(chance, f"{name}-").graph(chance.randint(5, 25))
                player.submit(name, graphs[name])
                todo.append(name)
            if player.work() == 0:
                todo = [name for name in todo if not player.is_over(name)]
            assert time.monotonic() < deadline, f"{todo} do not end"
    problems = [problem for name, graph in graphs.items() for problem in problems_of(player, name, graph)]
    assert problems == []
    extra = sum(player.runs.values()) - len(player.runs)
    print(f"{len(graphs)} workflows, {len(player.runs)} tasks, {killer.kills}, {extra} runs more, seed {SEED}")
    assert len(killer.kills) == KILLS


def problems_of(player: Player, workflow_id: str, graph: list[PlayedNode]) -> Iterator[str]:
    """Everything that contradicts the model."""
    ends = Model(graph).ends()
    tasks = player.tasks(workflow_id)
    if tasks.keys() != ends.keys():
        yield f"{workflow_id} has other nodes than it is to have: {sorted(tasks.keys() ^ ends.keys())}"
        return
    for node_id, ended in ends.items():
        yield from _problems_of_node(tasks[node_id], ended, player.nodes[node_id])


def _problems_of_node(task: task_pb2.Task, ended: Ended, node: PlayedNode) -> Iterator[str]:
    if task.state != ended.state:
        yield f"{task.task_id} is {State(task.state).name}, not {ended.state.name}"
        return
    if ended.state is State.SUCCEEDED and not node.collect and result_of(task) != ended.value:
        yield f"{task.task_id} returned {task.result.json}, not {ended.value}"
    if task.error.failed_task_id != ended.culprit:
        yield f"{task.task_id} blames {task.error.failed_task_id!r}, not {ended.culprit!r}"
    # Each delivery was an attempt, or was lost with a gateway; a join that fires twice would run its task once more.
    if task.delivery_count and task.delivery_count > task.attempt + task.lost_count:
        yield f"{task.task_id} was delivered {task.delivery_count} times for {task.attempt} attempts"
    wanted = STUMBLES + 1 if node.plan == STUMBLE else 1
    if task.delivery_count and task.attempt != wanted:
        yield f"{task.task_id} took {task.attempt} attempts, not {wanted}"
