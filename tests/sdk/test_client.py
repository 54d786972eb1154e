"""Errors and retries of the SDK's calls, on grpcio-testing's fake channel.

It has no callbacks, which async calls stand on: test_async.py tests those on a real socket.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc
import grpc_testing
import pytest

from caraway import client as client_module
from caraway import exceptions, retry_clock
from caraway.client import Client
from caraway.reasons import REASONS
from caraway.v1 import task_pb2, task_service_pb2
from support.played import refusal

SERVICE = task_service_pb2.DESCRIPTOR.services_by_name["TaskService"]
TIMEOUT = 20


class Fake:
    """A client whose channel is played by the test; its calls run in a thread, one after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.channel = grpc_testing.channel([SERVICE], grpc_testing.strict_real_time())
        monkeypatch.setattr(client_module, "new_channel", lambda _target: self.channel)
        self.client = Client("gateway:1")
        self.executor = ThreadPoolExecutor(1)

    def run(self, function: Any, *args: Any, **kwargs: Any) -> Future[Any]:
        return self.executor.submit(function, *args, **kwargs)

    def take(self, method: str) -> tuple[Any, Any]:
        """The next call's request, and what answers it."""
        _metadata, request, rpc = self.channel.take_unary_unary(SERVICE.methods_by_name[method])
        return request, rpc

    def refuse(self, method: str, code: grpc.StatusCode, details: str = "", trailer: tuple[Any, ...] = ()) -> Any:
        request, rpc = self.take(method)
        rpc.terminate(None, trailer, code, details)
        return request


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    # Short waits between tries: what is tested is how often, not how long.
    monkeypatch.setattr(retry_clock, "_MAX_DELAY", 0.01)
    fake = Fake(monkeypatch)
    yield fake
    fake.executor.shutdown()


def trailer_of(reason: str, message: str = "", **metadata: str) -> tuple[Any, ...]:
    return (("grpc-status-details-bin", refusal(reason, message, **metadata).SerializeToString()),)


SPEC = task_pb2.TaskSpec(task_id="id", name="proj.add")
ACCEPTED = task_service_pb2.SubmitTaskResponse(task=task_pb2.Task(task_id="id"))


def test_a_call_is_one_request_and_has_a_deadline(fake: Fake) -> None:
    ended = fake.run(fake.client.submit, SPEC)
    request, rpc = fake.take("SubmitTask")
    assert request.task == SPEC
    rpc.terminate(ACCEPTED, (), grpc.StatusCode.OK, "")
    assert ended.result(TIMEOUT) == "id"


@pytest.mark.parametrize(
    "reason", [reason for reason in REASONS.values() if reason.exception and reason.code != "UNAVAILABLE"]
)
def test_each_refusal_is_its_exception_and_is_not_tried_again(fake: Fake, reason: Any) -> None:
    ended = fake.run(fake.client.submit, SPEC)
    code = grpc.StatusCode[reason.code]
    fake.refuse("SubmitTask", code, "why", trailer_of(reason.name, "why", field="task.name"))
    error = ended.exception(TIMEOUT)
    assert type(error) is reason.exception
    assert isinstance(error, exceptions.RequestError)
    assert (str(error), error.reason, error.code, error.metadata) == (
        "why",
        reason.name,
        reason.code,
        {"field": "task.name"},
    )


@pytest.mark.parametrize("reason", ["STORE_UNAVAILABLE", "STORE_READ_ONLY", "SHUTTING_DOWN"])
def test_what_passes_is_tried_again_with_the_same_request(fake: Fake, reason: str) -> None:
    ended = fake.run(fake.client.submit, SPEC)
    requests = [fake.refuse("SubmitTask", grpc.StatusCode.UNAVAILABLE, "", trailer_of(reason)) for _ in range(3)]
    request, rpc = fake.take("SubmitTask")
    rpc.terminate(ACCEPTED, (), grpc.StatusCode.OK, "")
    assert ended.result(TIMEOUT) == "id"
    assert all(earlier == request for earlier in requests)


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (grpc.StatusCode.UNAVAILABLE, "connection refused"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"),
        (grpc.StatusCode.CANCELLED, "Channel closed!"),
        (grpc.StatusCode.INTERNAL, "Received RST_STREAM with error code 2"),
    ],
)
def test_broken_connections_are_tried_again(fake: Fake, code: grpc.StatusCode, details: str) -> None:
    ended = fake.run(fake.client.submit, SPEC)
    fake.refuse("SubmitTask", code, details)
    _, rpc = fake.take("SubmitTask")
    rpc.terminate(ACCEPTED, (), grpc.StatusCode.OK, "")
    assert ended.result(TIMEOUT) == "id"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, exceptions.PayloadTooLarge),
        (grpc.StatusCode.INVALID_ARGUMENT, exceptions.InvalidTask),
        (grpc.StatusCode.NOT_FOUND, exceptions.TaskNotFound),
        (grpc.StatusCode.PERMISSION_DENIED, exceptions.RequestError),
        (grpc.StatusCode.UNKNOWN, exceptions.RequestError),
    ],
)
def test_a_status_without_reason_keeps_its_words(fake: Fake, code: grpc.StatusCode, expected: type[Exception]) -> None:
    ended = fake.run(fake.client.submit, SPEC)
    fake.refuse("SubmitTask", code, "some proxy says no")
    error = ended.exception(TIMEOUT)
    assert type(error) is expected
    assert isinstance(error, exceptions.RequestError)
    assert (str(error), error.code, error.reason) == ("some proxy says no", code.name, "")


def test_a_trailer_that_can_t_be_read_hides_nothing(fake: Fake) -> None:
    ended = fake.run(fake.client.submit, SPEC)
    fake.refuse("SubmitTask", grpc.StatusCode.NOT_FOUND, "m", (("grpc-status-details-bin", b"\xff\xff"),))
    assert type(ended.exception(TIMEOUT)) is exceptions.TaskNotFound


def test_a_gateway_that_stays_away_is_an_operational_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = retry_clock.RetryClock("gateway:1")
    passing = exceptions.OperationalError("connection refused", reason="STORE_UNAVAILABLE")
    delays = [clock.next_delay(passing) for _ in range(6)]
    assert all(0 <= delay <= 0.05 * 2**tries for tries, delay in enumerate(delays))
    monkeypatch.setattr(retry_clock, "RETRY_FOR", 0.0)
    with pytest.raises(exceptions.OperationalError) as raised:
        retry_clock.RetryClock("gateway:1").next_delay(passing)
    assert (raised.value.target, raised.value.reason) == ("gateway:1", "STORE_UNAVAILABLE")
    for word in ("gateway:1", "connection refused", "caraway server", "CARAWAY_TARGET"):
        assert word in str(raised.value)


def test_what_the_gateway_said_goes_before_an_attempt_that_was_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    told = exceptions.OperationalError("only 0 of 1 replicas", reason="STORE_NOT_CONFIRMED")
    silent = exceptions.OperationalError("Deadline Exceeded")
    gone = exceptions.OperationalError("Connection refused")
    for seconds, last, reason in ((5.0, silent, "STORE_NOT_CONFIRMED"), (4.5, gone, "")):
        now = 1000.0
        monkeypatch.setattr(retry_clock.time, "monotonic", lambda: now)  # noqa: B023 - called within this round
        monkeypatch.setattr(retry_clock, "_delay", lambda _tries: 1.0)
        clock = retry_clock.RetryClock("gateway:1", 5.0)
        now += 3
        clock.next_delay(told)
        now = 1000.0 + seconds
        with pytest.raises(exceptions.OperationalError, match=str(told if reason else gone)) as raised:
            clock.next_delay(last)
        assert raised.value.reason == reason


def answer(done: bool) -> Any:
    state = task_pb2.Task.STATE_SUCCEEDED if done else task_pb2.Task.STATE_RUNNING
    return task_service_pb2.WaitTaskResponse(task=task_pb2.Task(task_id="id", state=state), done=done)


def test_a_wait_is_cut_into_calls_and_carried_over_outages(fake: Fake) -> None:
    ended = fake.run(fake.client.wait, "id", None)
    request, rpc = fake.take("WaitTask")
    assert (request.task_id, request.max_wait.seconds, request.view) == ("id", 60, task_pb2.TASK_VIEW_FULL)
    rpc.terminate(answer(done=False), (), grpc.StatusCode.OK, "")
    for code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        fake.refuse("WaitTask", code)
    _, rpc = fake.take("WaitTask")
    rpc.terminate(answer(done=True), (), grpc.StatusCode.OK, "")
    assert ended.result(TIMEOUT).state == task_pb2.Task.STATE_SUCCEEDED


def test_a_wait_of_nothing_asks_once(fake: Fake) -> None:
    ended = fake.run(fake.client.wait, "id", 0)
    request, rpc = fake.take("WaitTask")
    assert request.HasField("max_wait")
    assert request.max_wait.ToNanoseconds() == 0
    rpc.terminate(answer(done=False), (), grpc.StatusCode.OK, "")
    error = ended.exception(TIMEOUT)
    assert isinstance(error, exceptions.TimeoutError)
    assert isinstance(error, TimeoutError)
    assert "id did not end within 0 s" in str(error)


def test_a_wait_that_meets_an_outage_times_out_and_says_so(fake: Fake) -> None:
    ended = fake.run(fake.client.wait, "id", 0)
    fake.refuse("WaitTask", grpc.StatusCode.UNAVAILABLE, "connection refused")
    error = ended.exception(TIMEOUT)
    assert isinstance(error, exceptions.TimeoutError)
    assert isinstance(error.__cause__, exceptions.OperationalError)
    assert "connection refused" in str(error)


def test_a_wait_for_an_unknown_task_ends(fake: Fake) -> None:
    ended = fake.run(fake.client.wait, "id", None)
    fake.refuse("WaitTask", grpc.StatusCode.NOT_FOUND, "", trailer_of("TASK_NOT_FOUND"))
    assert type(ended.exception(TIMEOUT)) is exceptions.TaskNotFound
