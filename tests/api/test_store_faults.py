"""A store that fails: clear errors, readiness red and green again by itself, and nothing lost."""

import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from api.wire import Api, Refusal, refused
from caraway.v1 import task_pb2
from caraway_server.core.errors import StoreUnfit
from caraway_server.store.connection import connect as connect_store
from caraway_server.store.connection import examine
from support.gateway import GatewayProcess, refused_start
from support.processes import CARAWAY, Running, eventually
from support.stores import StoreProcess

MIB = 1 << 20
Task = task_pb2.Task
QUICK = ("--lease", "1.5", "--heartbeat", "0.5")


class Pair:
    """A store, its administrator's connection, and a gateway on it."""

    def __init__(self, store: StoreProcess, gateway: GatewayProcess, api: Api) -> None:
        self.store = store
        self.gateway = gateway
        self.api = api
        self.admin = redis.Redis.from_url(store.url)

    def until_serving(self) -> None:
        eventually(self.api.is_serving, what="the gateway is ready")

    def until_not_serving(self) -> None:
        eventually(lambda: not self.api.is_serving(), what="the gateway is not ready")


@pytest.fixture
def pair(
    stores: Callable[..., StoreProcess], gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]
) -> Iterator[Callable[..., Pair]]:
    """Makes a store of a kind, with settings, and a ready gateway on it."""
    made: list[Pair] = []

    def make(kind: str = "valkey", **settings: str) -> Pair:
        store = stores(kind, **settings)
        gateway = gateways("--redis", store.url, *QUICK)
        made.append(Pair(store, gateway, connect(gateway.target)))
        made[-1].until_serving()
        return made[-1]

    yield make
    for one in made:
        one.admin.close()


def is_replica(pair: Pair) -> bool:
    return bool(pair.admin.info("replication")["role"] == "slave")


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_a_read_only_store(pair: Callable[..., Pair], kind: str) -> None:
    one = pair(kind)
    kept = one.api.submit_id("q")
    one.admin.replicaof("127.0.0.1", 1)
    eventually(lambda: is_replica(one))
    refusal = refused(lambda: one.api.submit("q"))
    assert refusal.reason == "STORE_READ_ONLY"
    one.until_not_serving()
    one.admin.replicaof("NO", "ONE")
    one.until_serving()
    assert one.api.get(kept).state == Task.STATE_QUEUED
    one.api.submit_id("q")


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_a_full_store_takes_nothing_new_and_can_be_drained(pair: Callable[..., Pair], kind: str) -> None:
    one = pair(kind)
    ids = [one.api.submit_id("q", payload=task_pb2.Payload(data=b"x" * MIB, content_type="a/b")) for _ in range(3)]
    stream = one.api.stream("q")
    one.admin.config_set("maxmemory", "1mb")
    assert refused(lambda: one.api.submit("q")).reason == "STORE_FULL"
    one.until_not_serving()
    stream.credit(3)
    leases = stream.leases(3)
    assert stream.beat(1, *(lease.lease_token for lease in leases)) == []
    for lease in leases:
        one.api.succeed(lease)
    assert {one.api.get(task_id).state for task_id in ids} == {Task.STATE_SUCCEEDED}
    one.admin.config_set("maxmemory", "0")
    one.until_serving()
    one.api.submit_id("q")


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_a_full_store_takes_leases_back(pair: Callable[..., Pair], kind: str) -> None:
    one = pair(kind)
    task_id = one.api.submit_id("q")
    one.api.stream("q", credit=1).lease()
    one.admin.config_set("maxmemory", "1mb")
    one.until_not_serving()
    eventually(lambda: one.api.get(task_id).state == Task.STATE_QUEUED, what="the lease of the silent worker ends")
    assert not one.api.is_serving()
    one.admin.config_set("maxmemory", "0")


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_a_store_that_dies_and_comes_back(pair: Callable[..., Pair], kind: str) -> None:
    one = pair(kind, appendonly="yes", appendfsync="always")
    kept = one.api.submit_id("q")
    stream = one.api.stream("q")
    one.store.kill()
    assert refused(lambda: one.api.submit("q")).reason == "STORE_UNAVAILABLE"
    one.until_not_serving()
    one.store.start()
    one.until_serving()
    stream.credit(1)
    assert stream.lease().task.task_id == kept


def test_a_wait_outlives_the_store(pair: Callable[..., Pair]) -> None:
    one = pair(appendonly="yes", appendfsync="always")
    task_id = one.api.submit_id("q")
    lease = one.api.stream("q", credit=1).lease()
    one.store.kill()
    one.store.start()
    one.until_serving()
    assert one.api.wait(task_id, 0).task.state == Task.STATE_LEASED
    one.api.succeed(lease)
    assert one.api.wait(task_id, 10).done


def test_a_heartbeat_that_cannot_be_stored_is_not_answered(pair: Callable[..., Pair]) -> None:
    one = pair()
    one.api.submit_id("q")
    stream = one.api.stream("q", credit=1)
    lease = stream.lease()
    one.admin.replicaof("127.0.0.1", 1)
    eventually(lambda: is_replica(one))
    one.until_not_serving()
    one.admin.replicaof("NO", "ONE")
    one.until_serving()
    assert stream.beat(1, lease.lease_token) == []


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_a_full_queue(stores: Callable[..., StoreProcess], gateways: Any, connect: Any, kind: str) -> None:
    api = connect(gateways("--redis", stores(kind).url, "--max-queue-length", "2").target)
    for _ in range(2):
        api.submit_id("q")
    refusal: Refusal = refused(lambda: api.submit("q"))
    assert (refusal.reason, refusal.metadata) == ("QUEUE_FULL", {"queue": "q"})
    api.submit_id("another")


def test_a_store_that_throws_tasks_away_is_refused(stores: Callable[..., StoreProcess]) -> None:
    for policy in ("allkeys-lru", "volatile-ttl"):
        said = refused_start("--redis", stores(maxmemory_policy=policy).url)
        assert f"maxmemory-policy is {policy}" in said
        assert "Set maxmemory-policy noeviction" in said


def test_a_replica_is_refused(stores: Callable[..., StoreProcess]) -> None:
    assert "name its primary" in refused_start("--redis", stores(replicaof="127.0.0.1 1").url)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost", "sentinel://localhost", "sentinel:///service", "sentinel://a:1,b:c/service",
        "sentinel://a/service/x", "sentinel://a/service?quorum=2",
    ],
)  # fmt: skip
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(StoreUnfit, match=rf"--redis '{re.escape(url)}' can't be understood"):
        connect_store(url)


def test_a_start_with_an_url_that_is_none_ends() -> None:
    assert "--redis 'http://localhost' can't be understood" in refused_start("--redis", "http://localhost")


@pytest.mark.parametrize("kind", ["valkey", "redis"])
@pytest.mark.parametrize("login", ["", ":wrong@"])
def test_a_wrong_password_is_refused(stores: Callable[..., StoreProcess], kind: str, login: str) -> None:
    url = stores(kind, requirepass="secret").url.replace("unix://", f"unix://{login}")
    assert "refuses the user or the password" in refused_start("--redis", url)


class OldStore:
    """Says of itself what a store says that is not to be had here."""

    def __init__(self, **info: str) -> None:
        self._info = info

    async def info(self) -> dict[str, str]:
        return self._info


@pytest.mark.parametrize(
    ("info", "fit"),
    [
        ({"redis_version": "6.2.14"}, False),
        ({"redis_version": "7.0.0", "aof_enabled": "1"}, True),
        ({"redis_version": "7.2.4", "valkey_version": "9.0.1", "aof_enabled": "1"}, True),
    ],
)
async def test_an_old_store_is_refused(info: dict[str, str], fit: bool) -> None:
    class Managed(OldStore):
        async def config_get(self, name: str) -> dict[str, str]:
            raise redis.ResponseError("unknown command 'CONFIG'")

    if fit:
        assert (await examine(Managed(**info))).durability == "unknown"  # type: ignore[arg-type]
        return
    with pytest.raises(StoreUnfit, match=r"redis 6\.2\.14; Redis 7\.0 or newer, or Valkey, is needed"):
        await examine(Managed(**info))  # type: ignore[arg-type]


def test_a_gateway_that_waits_for_its_store_ends_when_told() -> None:
    flags = ["--redis", "redis://127.0.0.1:1", "--metrics-bind", "127.0.0.1:0"]
    running = Running([*CARAWAY, "server", "--listen", "127.0.0.1:0", *flags])
    running.wait_for_line("metrics:")  # it has begun, and hears signals
    assert running.stop(timeout=15) == 1  # far less than its patience with the store
    assert "the store can't be reached" in running.output


def test_the_program_is_what_a_user_starts() -> None:
    said = subprocess.run([*CARAWAY, "server", "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    assert "--redis" in said
