"""CommandWorkers: commands go to the workers that are meant, on whatever gateway, and their replies come back."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from google.rpc import code_pb2, status_pb2

from api.wire import DEADLINE, Api, Refusal, WorkerStream, refused
from caraway.ids import uuid7
from caraway.v1 import control_service_pb2 as control
from caraway.v1 import task_pb2, worker_service_pb2
from support.gateway import GatewayProcess

Response = control.CommandWorkersResponse


class Asking:
    """A call of CommandWorkers, whose answers are collected as they come."""

    def __init__(self, api: Api, *worker_ids: str, seconds: float = 10, **fields: Any) -> None:
        request = control.CommandWorkersRequest(worker_ids=worker_ids, **{"command": "look", **fields})
        request.timeout.FromMilliseconds(round(seconds * 1000))
        self.call = api.control.CommandWorkers(request, timeout=DEADLINE)
        self.answers: list[Response] = []
        self._thread = threading.Thread(target=lambda: self.answers.extend(self.call))
        self._thread.start()

    def end(self) -> dict[str, Response]:
        """Waits for its end; the answers by worker."""
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        return {answer.worker_id: answer for answer in self.answers}


def reply(stream: WorkerStream, output: str = '"done"', **fields: Any) -> worker_service_pb2.WorkerCommand:
    """Takes a command and answers it."""
    command = stream.expect("command").command
    message = worker_service_pb2.CommandReply(command_id=command.command_id, **fields)
    message.output.json = output
    stream.send(command_reply=message)
    return command


@pytest.fixture
def alone(gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]) -> Api:
    """A client of a gateway that no other test uses."""
    return connect(gateways().target)


def test_all_workers_are_told_and_answer(alone: Api) -> None:
    info = worker_service_pb2.WorkerInfo(name="w@h")
    streams = {name: alone.stream("q", worker_id=name, info=info) for name in ("a", "b")}
    asking = Asking(alone, arguments=task_pb2.Payload(json='{"x": 1}'))
    for name, stream in streams.items():
        command = reply(stream, f'"{name}"')
        assert (command.command, command.arguments.json) == ("look", '{"x": 1}')
    answers = asking.end()
    assert {name: answer.output.json for name, answer in answers.items()} == {"a": '"a"', "b": '"b"'}
    assert all(answers[name].worker_name == "w@h" and answers[name].status.code == 0 for name in streams)


def test_only_those_that_are_named_are_told(api: Api, queue: str) -> None:
    meant, other = uuid7(), uuid7()
    streams = [api.stream(queue, worker_id=one) for one in (meant, other)]
    asking = Asking(api, meant, "nobody")
    reply(streams[0])
    answers = asking.end()
    assert answers.keys() == {meant, "nobody"}
    unknown = Refusal(answers["nobody"].status)
    assert (unknown.reason, unknown.metadata) == ("WORKER_NOT_FOUND", {"worker_id": "nobody"})
    assert streams[1].is_quiet()


def test_a_worker_on_another_gateway_is_told(
    gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api], stores: Callable[..., Any]
) -> None:
    url = stores().url
    here, there = (connect(gateways("--redis", url).target) for _ in range(2))
    stream = there.stream("q", worker_id="far")
    asking = Asking(here, "far")
    reply(stream, "7")
    assert asking.end()["far"].output.json == "7"


def test_a_silent_worker_is_answered_for_at_the_timeout(api: Api, queue: str) -> None:
    silent, quick = uuid7(), uuid7()
    streams = [api.stream(queue, worker_id=one) for one in (silent, quick)]
    began = time.monotonic()
    asking = Asking(api, silent, quick, seconds=1)
    late = streams[0].expect("command").command
    reply(streams[1])
    answers = asking.end()
    assert time.monotonic() - began >= 1
    assert (answers[quick].status.code, answers[silent].status.code) == (0, code_pb2.DEADLINE_EXCEEDED)
    # An answer that comes too late, or to a command that nobody gave, goes nowhere and harms nobody.
    for command_id in (late.command_id, "nonsense", ""):
        streams[0].send(command_reply=worker_service_pb2.CommandReply(command_id=command_id))
    assert streams[0].is_quiet()


def test_what_a_worker_says_against_it_is_passed_on(api: Api, queue: str) -> None:
    worker_id = uuid7()
    stream = api.stream(queue, worker_id=worker_id)
    asking = Asking(api, worker_id)
    reply(stream, status=status_pb2.Status(code=code_pb2.UNIMPLEMENTED, message="what?"))
    status = asking.end()[worker_id].status
    assert (status.code, status.message) == (code_pb2.UNIMPLEMENTED, "what?")


def test_a_reply_that_is_too_large_is_told_as_such(api: Api, queue: str) -> None:
    worker_id = uuid7()
    stream = api.stream(queue, worker_id=worker_id)
    asking = Asking(api, worker_id)
    reply(stream, '"' + "x" * (3 << 20) + '"')
    answer = asking.end()[worker_id]
    assert Refusal(answer.status).reason == "PAYLOAD_TOO_LARGE"
    assert not answer.HasField("output")


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("command", {"command": ""}),
        ("arguments", {"arguments": task_pb2.Payload(data=b"x", content_type="t")}),
        ("arguments", {"arguments": task_pb2.Payload(json='"' + "x" * (256 << 10) + '"')}),
        ("timeout", {"timeout": {}}),
    ],
)
def test_an_unfit_command_is_refused(api: Api, field: str, fields: dict[str, Any]) -> None:
    request = control.CommandWorkersRequest(**{"command": "look", **fields})
    refusal = refused(lambda: list(api.control.CommandWorkers(request, timeout=DEADLINE)))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": field})


def test_too_many_workers_are_refused(api: Api) -> None:
    request = control.CommandWorkersRequest(command="look", worker_ids=[str(number) for number in range(501)])
    assert refused(lambda: list(api.control.CommandWorkers(request, timeout=DEADLINE))).reason == "BATCH_TOO_LARGE"


def test_a_gateway_that_leaves_says_so(gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]) -> None:
    process = gateways()
    api = connect(process.target)
    stream = api.stream("q", worker_id="w")
    outcome: list[Refusal] = []
    request = control.CommandWorkersRequest(command="look")
    request.timeout.FromSeconds(30)
    thread = threading.Thread(
        target=lambda: outcome.append(refused(lambda: list(api.control.CommandWorkers(request, timeout=DEADLINE))))
    )
    thread.start()
    stream.expect("command")
    process.stop()
    thread.join(DEADLINE)
    assert outcome[0].reason == "SHUTTING_DOWN"
