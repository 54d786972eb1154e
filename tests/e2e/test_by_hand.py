"""Calls as grpcurl makes them: messages known from reflection alone, written by hand as JSON."""

import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from support.gateway import GatewayProcess

SERVICE = "caraway.v1.TaskService"


class Caller:
    """Calls methods of TaskService with JSON text, and gives JSON back."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))

    def call(self, method: str, text: str) -> dict[str, Any]:
        """One call. Raises grpc.RpcError, and json_format.ParseError for text that is no such message."""
        described = self._pool.FindServiceByName(SERVICE).methods_by_name[method]
        request = json_format.Parse(text, message_factory.GetMessageClass(described.input_type)())
        rpc: grpc.UnaryUnaryMultiCallable[Any, Any] = self._channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(described.output_type).FromString,
        )
        answer: dict[str, Any] = json_format.MessageToDict(rpc(request, timeout=30), descriptor_pool=self._pool)
        return answer


@pytest.fixture
def caller(gateway: GatewayProcess, worker: object) -> Iterator[Caller]:
    """One that knows nothing but the gateway's address."""
    with gateway.channel() as channel:
        yield Caller(channel)


def run(caller: Caller, task: dict[str, Any]) -> dict[str, Any]:
    answer = caller.call("RunTask", json.dumps({"task": {"queue": "e2e", **task}}))
    assert answer["done"]
    ended: dict[str, Any] = answer["task"]
    return ended


def test_a_task_without_an_id_gets_one(caller: Caller) -> None:
    answer = caller.call("SubmitTask", '{"task":{"name":"e2e.sample.add","args":[2,2],"queue":"e2e"}}')
    task_id = answer["task"]["taskId"]
    ended = caller.call("WaitTask", json.dumps({"taskId": task_id}))
    assert ended["task"]["state"] == "STATE_SUCCEEDED"
    assert ended["task"]["result"]["json"] == "4"


def test_numbers_by_hand_reach_the_task_as_integers_where_they_are(caller: Caller) -> None:
    assert run(caller, {"name": "e2e.sample.add", "args": [2, 0.5]})["result"]["json"] == "2.5"
    assert run(caller, {"name": "e2e.sample.add", "kwargs": {"x": 2**53 - 1, "y": 0}})["result"]["json"] == str(
        2**53 - 1
    )


def test_integers_that_would_be_rounded_are_refused(caller: Caller) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        run(caller, {"name": "e2e.sample.add", "args": [2**53, 1]})
    assert isinstance(raised.value, grpc.Call)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_failure_is_the_tasks_and_not_the_calls(caller: Caller) -> None:
    ended = run(caller, {"name": "e2e.sample.fail", "args": ["bolts", 3]})
    assert ended["state"] == "STATE_FAILED"
    assert ended["error"]["type"] == "e2e.sample.OutOfStockError"


def test_the_gateways_own_retries_apply_to_a_task_that_only_fails(caller: Caller) -> None:
    policy = {"maxAttempts": 3, "initialBackoff": "0.010s"}
    ended = run(caller, {"name": "e2e.sample.fail", "args": ["bolts", 3], "retryPolicy": policy})
    assert (ended["state"], ended["attempt"]) == ("STATE_FAILED", 3)
