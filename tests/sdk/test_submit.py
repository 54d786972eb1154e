"""What a call becomes on the wire, and what reaches a gateway over a real socket."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from caraway import Caraway
from caraway.exceptions import EncodeError, OperationalError, PayloadTooLarge, QueueFull
from caraway.payload import decode_arguments
from caraway.request import PARENT_HEADER, ROOT_HEADER, Context, pop, push
from caraway.spec import fill
from caraway.v1 import task_pb2
from support.played import PlayedGateway, refusal

Spec = task_pb2.TaskSpec


def spec_of(**options: Any) -> task_pb2.TaskSpec:
    spec = task_pb2.TaskSpec()
    fill(spec, "id", "proj.add", (1,), {"y": 2}, options)  # type: ignore[arg-type]
    return spec


def test_a_call_without_options_sets_nothing_else() -> None:
    spec = spec_of()
    assert {field.name for field, _ in spec.ListFields()} == {"task_id", "name", "payload"}
    assert decode_arguments(spec) == ((1,), {"y": 2})


def test_options_become_fields() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    spec = spec_of(
        countdown=1.5, expires=timedelta(hours=1), queue="mail", priority=0, headers={"a": "b"}, time_limit=3,
        soft_time_limit=2, ignore_result=True, result_ttl=60,
    )  # fmt: skip
    assert spec.delay.ToTimedelta() == timedelta(seconds=1.5)
    assert spec.ttl.ToTimedelta() == timedelta(hours=1)
    assert (spec.queue, spec.priority, dict(spec.headers)) == ("mail", 0, {"a": "b"})
    assert spec.HasField("priority")
    assert (spec.time_limits.hard.seconds, spec.time_limits.soft.seconds) == (3, 2)
    assert spec.ignore_result
    assert spec.result_ttl.seconds == 60
    spec = spec_of(eta=at, expires=at + timedelta(days=1))
    assert spec.schedule_time.ToDatetime(UTC) == at
    assert spec.expire_time.ToDatetime(UTC) == at + timedelta(days=1)
    assert spec_of(countdown=0).WhichOneof("start") == "delay"
    assert spec_of(countdown=None, eta=None, queue=None, priority=None) == spec_of()


@pytest.mark.parametrize(
    ("options", "expected", "words"),
    [
        ({"countdwon": 1}, TypeError, "'countdwon'; did you mean 'countdown'"),
        ({"group_id": "g"}, TypeError, "does not support the option 'group_id'"),
        ({"countdown": "1"}, TypeError, "countdown"),
        ({"countdown": True}, TypeError, "countdown"),
        ({"countdown": float("nan")}, ValueError, "countdown is to be finite"),
        ({"countdown": 1e30}, ValueError, "countdown is out of range"),
        ({"countdown": 1, "eta": datetime.now(UTC)}, ValueError, "exclude each other"),
        ({"eta": datetime(2030, 1, 1)}, ValueError, "eta is to carry a time zone"),
        ({"eta": 5}, TypeError, "eta"),
        ({"expires": datetime(2030, 1, 1)}, ValueError, "expires is to carry a time zone"),
        ({"expires": "soon"}, TypeError, "expires"),
        ({"priority": 10}, ValueError, "priority"),
        ({"headers": {"a": 1}}, TypeError, "'a' is 1"),
        ({"result_ttl": "1"}, TypeError, "result_ttl"),
    ],
)
def test_wrong_options_are_refused_by_their_names(options: Any, expected: type[Exception], words: str) -> None:
    with pytest.raises(expected, match=words):
        spec_of(**options)


def test_what_a_task_submits_names_its_family() -> None:
    token = push(Context(id="child", root_id="root", task="proj.add"))
    try:
        assert dict(spec_of().headers) == {ROOT_HEADER: "root", PARENT_HEADER: "child"}
    finally:
        pop(token)


def test_acks_late_goes_with_the_call_where_it_is_given() -> None:
    modes = [spec_of(acks_late=given).ack_mode for given in (None, True, False)]
    assert modes == [Spec.ACK_MODE_UNSPECIFIED, Spec.ACK_MODE_ON_FINISH, Spec.ACK_MODE_ON_START]


def test_the_acks_late_of_a_task_goes_with_its_calls_unless_they_give_their_own(
    app: Caraway, played: PlayedGateway
) -> None:
    once = app.task(name="proj.once", acks_late=False)(lambda: None)
    often = app.task(name="proj.often")(lambda: None)
    unset = app.task(name="proj.unset", acks_late=None)(lambda: None)
    calls = (once.delay(), once.apply_async(acks_late=True), often.delay(), unset.delay())
    modes = [played.tasks[result.id].spec.ack_mode for result in calls]
    assert modes == [Spec.ACK_MODE_ON_START, Spec.ACK_MODE_ON_FINISH, *[Spec.ACK_MODE_UNSPECIFIED] * 2]


def test_delay_and_apply_async_reach_the_gateway(app: Caraway, played: PlayedGateway) -> None:
    add = app.task(name="proj.add", queue="sums", priority=7, ignore_result=True)(lambda x, y: x + y)
    plain, special = add.delay(1, y=2), add.apply_async((1,), {"y": 2}, queue="mail", task_id="own")
    assert special.id == "own"
    first, second = played.tasks[plain.id].spec, played.tasks["own"].spec
    assert (first.queue, first.priority, first.ignore_result) == ("sums", 7, True)
    assert (second.queue, second.priority) == ("mail", 7)
    assert decode_arguments(first) == decode_arguments(second) == ((1,), {"y": 2})
    assert played.calls == ["SubmitTask"] * 2


def test_send_task_needs_no_task(app: Caraway, played: PlayedGateway) -> None:
    result = app.send_task("other.service", [1], {"a": 2}, countdown=5)
    spec = played.tasks[result.id].spec
    assert (spec.name, spec.delay.seconds, decode_arguments(spec)) == ("other.service", 5, ((1,), {"a": 2}))


def test_an_app_s_default_queue_is_sent(played: PlayedGateway) -> None:
    app = Caraway("proj", target=played.target, default_queue="mine")
    spec = played.tasks[app.send_task("x").id].spec
    assert (app.default_queue, spec.queue) == ("mine", "mine")
    assert played.tasks[app.send_task("x", queue="other").id].spec.queue == "other"
    app.close()


def test_signatures_keep_a_call_for_later(app: Caraway, played: PlayedGateway) -> None:
    add = app.task(name="proj.add")(lambda *args, **kwargs: None)
    signature = add.s(2, a=1).set(queue="mail", priority=3)
    assert signature == {
        "task": "proj.add", "args": (2,), "kwargs": {"a": 1}, "options": {"queue": "mail", "priority": 3},
        "subtask_type": None, "immutable": False,
    }  # fmt: skip
    assert repr(signature) == "proj.add(2, a=1)"
    spec = played.tasks[signature.delay(1, b=2).id].spec
    assert decode_arguments(spec) == ((1, 2), {"a": 1, "b": 2})
    assert (spec.queue, spec.priority) == ("mail", 3)
    immutable = add.si(2)
    assert decode_arguments(played.tasks[immutable.apply_async((1,), {"b": 2}).id].spec) == ((2,), {})
    clone = signature.clone((0,), queue="other")
    assert (clone.args, clone.options, signature.args) == ((0, 2), {"queue": "other", "priority": 3}, (2,))
    assert app.signature(dict(signature)) == signature
    assert app.signature("proj.add", (1,), countdown=3).options == {"countdown": 3}


def test_refusals_reach_the_caller(app: Caraway, played: PlayedGateway) -> None:
    played.refusals.append(refusal("QUEUE_FULL", "full", queue="mail"))
    with pytest.raises(QueueFull) as raised:
        app.send_task("x")
    assert raised.value.metadata == {"queue": "mail"}
    with pytest.raises(PayloadTooLarge):
        app.send_task("x", ["x" * 5_000_000])
    with pytest.raises(EncodeError):
        app.send_task("x", [object()])
    with pytest.raises(EncodeError, match="surrogate"):
        app.send_task("x", ["\ud800"])


def test_an_outage_is_waited_through(app: Caraway, played: PlayedGateway) -> None:
    app.send_task("x")
    played.stop()
    results: list[Any] = []
    sender = threading.Thread(target=lambda: results.append(app.send_task("y")))
    sender.start()
    played.start()
    sender.join(30)
    assert played.tasks[results[0].id].spec.name == "y"


def test_no_gateway_at_all_is_an_operational_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caraway.retry_clock.RETRY_FOR", 0.3)
    app = Caraway("proj", target="127.0.0.1:1")
    with pytest.raises(OperationalError, match=r"127\.0\.0\.1:1.*caraway server"):
        app.send_task("x")
    app.close()


def test_many_threads_share_an_app(app: Caraway, played: PlayedGateway) -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.extend(app.send_task("x").id for _ in range(10))) for _ in range(42)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(ids)) == 420
    assert set(ids) == set(played.tasks)
