"""Workers, children, gateway and store are killed at seeded moments, a thousand tasks in flight."""

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from caraway import Caraway
from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc
from chaos.history import Expected, problems_of, read_tasks
from chaos.workers import Workers, victims_of
from support.gateway import GatewayProcess
from support.processes import eventually

SEED = int(os.environ.get("CHAOS_SEED", "20261122"))
KILLS_OF_EACH = int(os.environ.get("CHAOS_KILLS", "10"))
IN_FLIGHT = 1000
PENDING_ONLY = task_service_pb2.RevokeTasksRequest.MODE_PENDING_ONLY
Outcome = task_service_pb2.RevokeTasksResponse.Result.Outcome


class Load:
    """Tasks of all kinds; remembers what was accepted, and what it must come to."""

    def __init__(self, app: Caraway, stub: task_service_pb2_grpc.TaskServiceStub, chance: random.Random) -> None:
        self._app = app
        self.stub = stub
        self._chance = chance
        self.expected: dict[str, Expected] = {}

    def submit(self, count: int) -> None:
        numbers = [self._chance.randrange(10**6) for _ in range(count)]
        signatures, failures = [], []
        for number in numbers:
            kind = self._chance.random()
            failing = self._chance.randint(1, 3) if kind < 0.15 else 0
            if failing:
                signature = self._app.signature("chaos.stumble", (number, failing))
            else:
                signature = self._app.signature("chaos.square", (number, self._chance.uniform(0, 0.05)))
            if kind > 0.8:
                signature.set(countdown=self._chance.uniform(0.1, 5))
            signatures.append(signature)
            failures.append(failing)
        # Confirmed, or repeated with the same ids until it is.
        for number, failing, result in zip(numbers, failures, self._app.submit_many(signatures), strict=True):
            self.expected[result.id] = Expected(result.id, number * number, failing)

    def revoke_some(self, count: int) -> None:
        ids = self._chance.sample(sorted(self.expected), count)
        request = task_service_pb2.RevokeTasksRequest(selector=task_pb2.TaskSelector(task_ids=ids), mode=PENDING_ONLY)
        response = self._app.gateway.revoke(request)  # repeated until it is answered
        for answer in response.results:
            revoked = {Outcome.OUTCOME_REVOKED: "certain", Outcome.OUTCOME_CANCEL_REQUESTED: "requested"}
            if answer.outcome in revoked:
                old = self.expected[answer.task_id]
                self.expected[answer.task_id] = Expected(old.task_id, old.value, old.failures, revoked[answer.outcome])


@pytest.fixture
def arena(
    gateways: Callable[..., GatewayProcess], tmp_path: Path
) -> Iterator[tuple[GatewayProcess, Workers, Load, random.Random]]:
    chance = random.Random(SEED)
    gateway = gateways("--lease", "2", "--heartbeat", "0.5", "--max-lost", "50", "-l", "WARNING")
    app = Caraway(target=gateway.target)
    workers = Workers(gateway.target, "chaos.chaos_tasks", {"CHAOS_RUNS": str(tmp_path / "runs")})
    with gateway.channel() as channel:
        yield gateway, workers, Load(app, task_service_pb2_grpc.TaskServiceStub(channel), chance), chance
        workers.stop()
    app.close()


def in_flight(gateway: GatewayProcess) -> int:
    """Tasks that wait or are delivered; read from the store itself, which may be just coming up."""

    def read() -> list[int] | None:
        try:
            with Redis.from_url(gateway.redis_url) as redis:
                waiting = sum(int(count) for count in redis.hvals("caraway:{0}:depth"))
                return [waiting + int(redis.zcard("caraway:{0}:leases"))]
        except (RedisError, OSError):
            return None

    found = eventually(read, timeout=20, what="the store answers")
    assert isinstance(found, list)
    return int(found[0])


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_kills(arena: tuple[GatewayProcess, Workers, Load, random.Random], tmp_path: Path) -> None:
    gateway, workers, load, chance = arena
    load.submit(2 * IN_FLIGHT)
    victims = victims_of(workers, gateway, KILLS_OF_EACH, chance)
    for victim, kill in victims:
        time.sleep(chance.uniform(0.05, 1.0))  # the moment is part of what is played
        waiting = in_flight(gateway)
        if waiting < IN_FLIGHT + 300:
            load.submit(400)
        assert in_flight(gateway) >= IN_FLIGHT
        print(f"kill the {victim}, {waiting} tasks in flight")
        kill()
        load.revoke_some(5)

    def done() -> bool:
        return in_flight(gateway) == 0

    eventually(done, timeout=120, what="everything accepted ends")
    tasks, missing = read_tasks(load.stub, list(load.expected))
    assert missing == []
    assert problems_of(load.expected.values(), tasks, tmp_path / "runs") == []
    lost = sum(task.lost_count for task in tasks.values())
    print(f"{len(tasks)} tasks, {len(victims)} kills, {lost} lost deliveries, seed {SEED}")
