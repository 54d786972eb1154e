"""What a server tells of itself: GetServerInfo, reflection, health."""

import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from api.wire import DEADLINE, Api
from caraway.v1 import admin_service_pb2
from caraway_server.app import SERVICES
from support.gateway import GatewayProcess
from support.processes import eventually
from support.stores import StoreProcess

Info = admin_service_pb2.GetServerInfoResponse


def ask(api: Api) -> Info:
    return api.admin.GetServerInfo(admin_service_pb2.GetServerInfoRequest(), timeout=DEADLINE)


def test_the_facts(api: Api) -> None:
    info = ask(api)
    assert info.server_version == version("caraway")
    assert (info.max_payload_bytes, info.max_message_bytes, info.max_batch_size) == (3 << 20, 4 << 20, 500)
    assert (info.max_queue_length, info.default_result_ttl.seconds) == (10_000_000, 86_400)
    assert (info.min_keepalive_interval.seconds, info.durability) == (5, Info.DURABILITY_ALWAYS)
    assert info.store_version.startswith("valkey ")
    assert "no replica" in info.failover_loss
    assert abs(info.server_time.ToMicroseconds() / 1e6 - time.time()) < 30


@pytest.mark.parametrize(
    ("settings", "durability"),
    [
        ({}, Info.DURABILITY_MEMORY),
        ({"save": "3600 1"}, Info.DURABILITY_OCCASIONAL),
        ({"appendonly": "yes", "appendfsync": "everysec"}, Info.DURABILITY_EVERY_SECOND),
        ({"appendonly": "yes", "appendfsync": "always"}, Info.DURABILITY_ALWAYS),
        ({"appendonly": "yes", "appendfsync": "no"}, Info.DURABILITY_OCCASIONAL),
    ],
)
def test_how_durable_an_accepted_task_is(
    stores: Callable[..., StoreProcess],
    gateways: Callable[..., GatewayProcess],
    connect: Callable[[str], Api],
    settings: dict[str, str],
    durability: int,
) -> None:
    store = stores("redis", **settings)
    assert ask(connect(gateways("--redis", store.url).target)).durability == durability


def test_reflection_shows_the_whole_contract(api: Api) -> None:
    database = ProtoReflectionDescriptorDatabase(api.channel)
    assert set(SERVICES) <= set(database.get_services())
    pool = DescriptorPool(database)
    methods = pool.FindServiceByName("caraway.v1.TaskService").methods_by_name
    assert {"SubmitTask", "BatchSubmitTasks", "RunTask", "GetTask", "WaitTask", "RevokeTasks"} <= set(methods)
    assert pool.FindMessageTypeByName("caraway.v1.TaskSpec").fields_by_name["task_id"].number == 1


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_health_of_the_server_and_of_each_service(api: Api, service: str) -> None:
    # A gateway that has just begun to listen is not ready yet.
    eventually(lambda: api.is_serving(service), what=f"{service or 'the server'} serves")


def test_an_unknown_service_has_no_health(api: Api) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        api.check("caraway.v1.Nothing")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_an_unknown_method_is_unimplemented(api: Api) -> None:
    call: Any = api.channel.unary_unary("/caraway.v1.TaskService/Nothing")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=DEADLINE)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
