"""LeaseTasks: the rules of the stream, from Hello to Goaway."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from api.wire import Api
from caraway.ids import uuid7
from caraway.v1 import task_pb2, worker_service_pb2
from support.gateway import GatewayProcess
from support.processes import eventually

MIB = 1 << 20
Task = task_pb2.Task
Hello = worker_service_pb2.Hello
Report = worker_service_pb2.TaskReport


def test_hello_comes_first_and_welcome_answers(api: Api, queue: str) -> None:
    welcome = api.stream(queue).welcome
    assert welcome.session_id
    assert (welcome.lease_duration.seconds, welcome.heartbeat_interval.seconds) == (15, 5)


@pytest.mark.parametrize("kind", ["credit", "heartbeat", "drain"])
def test_anything_else_first_breaks_the_protocol(api: Api, kind: str) -> None:
    stream = api.raw_stream()
    messages: dict[str, Any] = {
        "credit": worker_service_pb2.Credit(), "heartbeat": worker_service_pb2.Heartbeat(),
        "drain": worker_service_pb2.DrainRequest(),
    }  # fmt: skip
    stream.send(**{kind: messages[kind]})
    assert stream.refusal().reason == "STREAM_PROTOCOL"


def test_saying_nothing_breaks_the_protocol(api: Api) -> None:
    stream = api.raw_stream()
    stream.finish()
    assert stream.refusal().reason == "STREAM_PROTOCOL"


def test_a_second_hello_breaks_the_protocol(api: Api, queue: str) -> None:
    stream = api.stream(queue)
    stream.send(hello=Hello(worker_id="w", queues=[queue], all_task_names=True))
    assert stream.refusal().reason == "STREAM_PROTOCOL"


@pytest.mark.parametrize(
    ("field", "hello"),
    [
        ("hello.worker_id", Hello(queues=["q"], all_task_names=True)),
        ("hello.worker_id", Hello(worker_id="w" * 256, queues=["q"], all_task_names=True)),
        ("hello.queues", Hello(worker_id="w", all_task_names=True)),
        ("hello.queues", Hello(worker_id="w", queues=["no spaces"], all_task_names=True)),
        ("hello.task_names", Hello(worker_id="w", queues=["q"])),
    ],
)
def test_a_hello_that_lacks_something_is_refused(api: Api, field: str, hello: Hello) -> None:
    stream = api.raw_stream()
    stream.send(hello=hello)
    refusal = stream.refusal()
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": field})


def test_a_lease_says_everything(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue, priority=3, headers={"h": "v"}, payload=task_pb2.Payload(json="{}"))
    lease = api.stream(queue, credit=1).lease()
    assert (lease.task.task_id, lease.task.name, lease.task.queue, lease.task.priority) == (task_id, "t", queue, 3)
    assert (dict(lease.task.headers), lease.task.payload.json) == ({"h": "v"}, "{}")
    assert (lease.attempt, lease.delivery_count, lease.lease_duration.seconds) == (1, 1, 15)
    assert lease.create_time == api.get(task_id).create_time
    assert (lease.fence > 0, lease.HasField("expires_in")) == (True, False)


def test_a_lease_of_a_task_that_expires_says_how_long_it_may_wait(api: Api, queue: str) -> None:
    spec = task_pb2.TaskSpec()
    spec.ttl.FromSeconds(60)
    api.submit_id(queue, ttl=spec.ttl)
    lease = api.stream(queue, credit=1).lease()
    assert 50 < lease.expires_in.ToTimedelta().total_seconds() <= 60


def test_no_lease_without_credit(api: Api, queue: str) -> None:
    api.submit_id(queue)
    stream = api.stream(queue)
    assert stream.is_quiet()
    stream.credit(1)
    stream.lease()


def test_credit_is_cumulative_and_a_resend_grants_nothing(api: Api, queue: str) -> None:
    ids = [api.submit_id(queue) for _ in range(5)]
    stream = api.stream(queue, credit=2)
    got = [lease.task.task_id for lease in stream.leases(2)]
    for _ in range(3):
        stream.credit(2)
    stream.credit(1)
    assert stream.is_quiet()
    stream.credit(3)
    got.append(stream.lease().task.task_id)
    assert stream.is_quiet()
    assert got == ids[:3]


def test_credit_of_bytes_is_cumulative_and_the_last_may_go_over(api: Api, queue: str) -> None:
    for _ in range(4):
        api.submit_id(queue, payload=task_pb2.Payload(json="x" * 1000))
    stream = api.stream(queue)
    stream.credit(100, size=1500)
    stream.leases(2)
    assert stream.is_quiet()
    stream.credit(100, size=2500)
    stream.leases(1)
    assert stream.is_quiet()


def test_work_that_comes_later_is_sent_at_once(api: Api, queue: str) -> None:
    stream = api.stream(queue, credit=3)
    assert stream.is_quiet()
    ids = [api.submit_id(queue) for _ in range(3)]
    assert [lease.task.task_id for lease in stream.leases(3)] == ids


def test_only_names_that_the_worker_has_are_sent(api: Api, queue: str) -> None:
    api.submit_id(queue, name="unknown")
    known = api.submit_id(queue, name="known")
    stream = api.stream(queue, credit=9, task_names=["known"])
    assert stream.lease().task.task_id == known
    assert stream.is_quiet()


def test_large_tasks_are_cut_into_batches_below_a_message(api: Api, queue: str) -> None:
    ids = [api.submit_id(queue, payload=task_pb2.Payload(data=b"x" * MIB, content_type="a/b")) for _ in range(7)]
    ids.append(api.submit_id(queue, payload=task_pb2.Payload(data=b"x" * (3 * MIB - 100), content_type="a/b")))
    got: list[str] = []
    stream = api.stream(queue, credit=20)
    while len(got) < len(ids):
        message = stream.expect("leases")
        assert message.ByteSize() < 4 * MIB
        got += [lease.task.task_id for lease in message.leases.leases]
    assert got == ids


def test_a_heartbeat_tells_what_is_lost(api: Api, queue: str) -> None:
    for _ in range(2):
        api.submit_id(queue)
    stream = api.stream(queue, credit=2)
    held, gone = stream.leases(2)
    api.report(gone, ignored=Report.Ignored())
    stale = f"{gone.fence - 1}.{gone.task.task_id}"
    lost = stream.beat(7, held.lease_token, gone.lease_token, stale, "nonsense")
    assert lost == [gone.lease_token, stale, "nonsense"]
    assert stream.beat(8) == []


def test_a_new_stream_takes_up_what_is_held(api: Api, queue: str) -> None:
    worker_id = uuid7()
    for _ in range(2):
        api.submit_id(queue)
    first = api.stream(queue, credit=2, worker_id=worker_id)
    held, gone = first.leases(2)
    first.beat(
        1, held.lease_token, gone.lease_token
    )  # the gateway knows that they were written; else it takes them back
    first.abandon()
    api.report(gone, released=Report.Released())
    tokens = [held.lease_token, gone.lease_token]
    second = api.stream(queue, worker_id=worker_id, held_lease_tokens=tokens)
    assert list(second.welcome.lost_lease_tokens) == [gone.lease_token]
    api.succeed(held)


def test_a_second_stream_of_one_worker_ends_the_first(api: Api, queue: str) -> None:
    worker_id = uuid7()
    first = api.stream(queue, credit=1, worker_id=worker_id)
    second = api.stream(queue, credit=1, worker_id=worker_id)
    assert "new stream" in first.expect("goaway").goaway.reason
    assert first.next() is None
    api.submit_id(queue)
    second.lease()


def test_drain_stops_the_leases(api: Api, queue: str) -> None:
    stream = api.stream(queue, credit=5)
    api.submit_id(queue)
    lease = stream.lease()
    stream.send(drain=worker_service_pb2.DrainRequest())
    stream.expect("drain_ack")
    waiting = api.submit_id(queue)
    stream.credit(10)
    assert stream.beat(1, lease.lease_token) == []
    assert stream.is_quiet()
    assert api.get(waiting).state == Task.STATE_QUEUED
    api.succeed(lease)


def test_a_worker_that_ends_its_stream_is_let_go(api: Api, queue: str) -> None:
    stream = api.stream(queue, credit=1)
    stream.finish()
    assert [message.WhichOneof("message") for message in stream.until_end()] == ["goaway"]


def test_a_message_that_is_none_ends_the_stream(api: Api, queue: str) -> None:
    call: Any = api.channel.stream_stream("/caraway.v1.WorkerService/LeaseTasks")
    responses = call(iter([b"\xff\xff\xff"]), timeout=10)
    with pytest.raises(Exception, match="can't be parsed"):
        next(responses)


def test_what_was_leased_and_never_sent_is_given_back(api: Api, queue: str, connect: Callable[[str], Api]) -> None:
    """Streams end at all moments while tasks come in: none stays leased to nobody, and none is counted as lost."""
    other = connect(api.target)
    ids = [uuid7() for _ in range(150)]

    def submit() -> None:
        for task_id in ids:
            other.submit_id(queue, task_id=task_id)

    producer = threading.Thread(target=submit)
    producer.start()
    received: set[str] = set()
    while producer.is_alive():
        stream = api.stream(queue, credit=3)
        stream.finish()
        for message in stream.until_end():
            received |= {lease.lease_token for lease in message.leases.leases}
    producer.join()
    tokens = {token.partition(".")[2] for token in received}

    def settled() -> bool:
        tasks = [api.get(task_id, task_pb2.TASK_VIEW_BASIC) for task_id in ids]
        return all(task.state == Task.STATE_QUEUED or task.task_id in tokens for task in tasks)

    eventually(settled, timeout=5, what="every undelivered lease is given back")
    assert {api.get(task_id).lost_count for task_id in ids} == {0}


def test_a_gateway_that_leaves_says_so(gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]) -> None:
    gateway = gateways()
    api = connect(gateway.target)
    stream = api.stream("q", credit=1)
    gateway.signal(signal.SIGTERM)
    goaway = stream.expect("goaway").goaway
    assert (goaway.within.seconds > 0, "shutting down" in goaway.reason) == (True, True)
    assert stream.next() is None


def test_a_silent_worker_is_let_go(gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]) -> None:
    api = connect(gateways("--lease", "1", "--heartbeat", "0.3").target)
    stream = api.stream("q", credit=1)
    task_id = api.submit_id("q")
    stream.lease()
    assert stream.expect("goaway").goaway.reason
    assert stream.next() is None
    eventually(lambda: api.get(task_id).state == Task.STATE_QUEUED, what="its task waits again")
    assert api.get(task_id).lost_count == 1
