"""SubmitTask and BatchSubmitTasks over the wire."""

import hashlib
import time
from typing import Any

import pytest
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2
from google.protobuf.json_format import ParseDict

from api.wire import DEADLINE, Api, Refusal, numbers, refused
from caraway.ids import uuid7
from caraway.v1 import task_pb2, task_service_pb2

MIB = 1 << 20
Task = task_pb2.Task
Request = task_service_pb2.SubmitTaskRequest
CREATED = task_service_pb2.SUBMIT_DISPOSITION_CREATED
ALREADY = task_service_pb2.SUBMIT_DISPOSITION_ALREADY_SUBMITTED


def batch(api: Api, *specs: task_pb2.TaskSpec, **fields: Any) -> list[Any]:
    """Submits a batch; returns its results."""
    request = task_service_pb2.BatchSubmitTasksRequest(requests=[Request(task=spec) for spec in specs], **fields)
    return list(api.tasks.BatchSubmitTasks(request, timeout=DEADLINE).results)


def seconds(value: float) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromMicroseconds(round(value * 1e6))
    return duration


def test_the_readmes_call_works_without_an_id(api: Api) -> None:
    request = ParseDict({"task": {"name": "proj.add", "args": [2, 2]}}, Request())
    answer = api.tasks.SubmitTask(request, timeout=DEADLINE)
    assert len(answer.task.task_id) == 36
    assert (answer.task.state, answer.disposition) == (Task.STATE_QUEUED, CREATED)
    assert answer.task.spec.queue == "default"
    assert api.get(answer.task.task_id).spec.args == numbers(2, 2)
    assert api.revoke(answer.task.task_id) == [task_service_pb2.RevokeTasksResponse.Result.OUTCOME_REVOKED]


def test_the_answer_is_the_basic_view(api: Api, queue: str) -> None:
    task_id = uuid7()
    answer = api.submit(queue, task_id=task_id, args=numbers(1), headers={"traceparent": "00-1"}, priority=7).task
    assert answer == api.get(task_id, task_pb2.TASK_VIEW_BASIC)
    assert not answer.spec.HasField("args")
    assert not answer.spec.headers
    assert (answer.spec.priority, answer.revision, answer.attempt) == (7, 1, 0)


def test_a_delayed_task_says_when_it_is_due(api: Api, queue: str) -> None:
    answer = api.submit(queue, delay=seconds(60)).task
    assert answer.state == Task.STATE_SCHEDULED
    assert answer.next_attempt_time.ToMicroseconds() - answer.create_time.ToMicroseconds() == 60_000_000


def test_repeating_a_submit_is_one_task(api: Api, queue: str) -> None:
    task_id = uuid7()
    first, again = (api.submit(queue, task_id=task_id, args=numbers(1)) for _ in range(2))
    assert (first.disposition, again.disposition) == (CREATED, ALREADY)
    assert again.task == first.task


def test_headers_are_no_part_of_the_identity(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue, headers={"traceparent": "one"})
    assert api.submit(queue, task_id=task_id, headers={"traceparent": "two"}).disposition == ALREADY
    assert dict(api.get(task_id).spec.headers) == {"traceparent": "one"}


PLAIN = task_pb2.Payload(json='{"args":[1]}')
DIGEST = hashlib.sha256(PLAIN.json.encode()).digest()


def packed(**fields: Any) -> task_pb2.Payload:
    """PLAIN, as if something had compressed it."""
    return task_pb2.Payload(**{"data": b"packed", "content_type": "application/json", **fields})


def test_encodings_and_shown_texts_are_no_part_of_the_identity(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue, payload=PLAIN)
    last = packed(data=b"other bytes", content_encodings=["zlib", "zstd"], plain_sha256=DIGEST)
    again: list[dict[str, Any]] = [
        {"payload": PLAIN, "args_repr": "(***,)", "kwargs_repr": "{}"},
        {"payload": packed(data=PLAIN.json.encode())},
        {"payload": packed(content_encodings=["gzip"], plain_sha256=DIGEST)},
        {"payload": last},
    ]
    for spec in again:
        assert api.submit(queue, task_id=task_id, **spec).disposition == ALREADY
    task_id = api.submit_id(queue, payload=last)
    assert api.get(task_id).spec.payload == last
    assert api.submit(queue, task_id=task_id, payload=PLAIN).disposition == ALREADY


@pytest.mark.parametrize(
    "other",
    [
        task_pb2.Payload(json='{"args":[1] }'),
        packed(content_encodings=["gzip"]),
        packed(content_encodings=["gzip"], plain_sha256=bytes(32)),
        packed(content_type="application/x-yaml", plain_sha256=DIGEST),
        None,
    ],
    ids=["text", "no digest", "digest", "content type", "none"],
)
def test_another_payload_is_another_spec(api: Api, queue: str, other: task_pb2.Payload | None) -> None:
    task_id = api.submit_id(queue, payload=PLAIN)
    assert refused(lambda: api.submit(queue, task_id=task_id, payload=other)).reason == "TASK_ID_CONFLICT"


@pytest.mark.parametrize("other", [{"args": numbers(2)}, {"priority": 5}, {"name": "u"}, {"ignore_result": True}])
def test_an_id_with_another_spec_is_a_conflict(api: Api, queue: str, other: dict[str, Any]) -> None:
    task_id = api.submit_id(queue, args=numbers(1))
    refusal = refused(lambda: api.submit(queue, **{"task_id": task_id, "args": numbers(1), **other}))
    assert (refusal.reason, refusal.metadata) == ("TASK_ID_CONFLICT", {"task_id": task_id})


def test_a_deleted_task_is_known_by_its_id_alone(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    api.revoke(task_id)
    selector = task_pb2.TaskSelector(task_ids=[task_id])
    api.tasks.DeleteTasks(task_service_pb2.DeleteTasksRequest(selector=selector), timeout=DEADLINE)
    answer = api.submit(queue, task_id=task_id)
    assert answer.disposition == ALREADY
    assert answer.task == Task(task_id=task_id)


def test_validate_only_accepts_nothing(api: Api, queue: str) -> None:
    spec = task_pb2.TaskSpec(task_id=uuid7(), name="t", queue=queue)
    answer = api.tasks.SubmitTask(Request(task=spec, validate_only=True), timeout=DEADLINE)
    assert (answer.task.task_id, answer.task.state) == (spec.task_id, Task.STATE_UNSPECIFIED)
    assert refused(lambda: api.get(spec.task_id)).reason == "TASK_NOT_FOUND"
    wrong = task_pb2.TaskSpec(name="t", queue="no spaces")
    refusal = refused(lambda: api.tasks.SubmitTask(Request(task=wrong, validate_only=True), timeout=DEADLINE))
    assert refusal.reason == "INVALID_FIELD"


PAST = timestamp_pb2.Timestamp(seconds=-1)
FAR = timestamp_pb2.Timestamp(seconds=round(time.time()) + 11 * 365 * 86400)
ABSURD = timestamp_pb2.Timestamp(seconds=2**63 - 1)
ENDLESS = duration_pb2.Duration(seconds=2**63 - 1)
POLICY = task_pb2.RetryPolicy
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("task.name", {"name": ""}),
    ("task.name", {"name": "n" * 256}),
    ("task.name", {"name": "a\nb"}),
    ("task.task_id", {"task_id": "i" * 256}),
    ("task.task_id", {"task_id": "\x7f"}),
    ("task.queue", {"queue": "with space"}),
    ("task.queue", {"queue": "a:b"}),
    ("task.queue", {"queue": "q" * 256}),
    ("task.priority", {"priority": 10}),
    ("task.priority", {"priority": -1}),
    ("task.ack_mode", {"ack_mode": 9}),
    ("task.delay", {"delay": seconds(-1)}),
    ("task.delay", {"delay": seconds(11 * 365 * 86400)}),
    ("task.delay", {"delay": ENDLESS}),
    ("task.schedule_time", {"schedule_time": PAST}),
    ("task.schedule_time", {"schedule_time": FAR}),
    ("task.schedule_time", {"schedule_time": ABSURD}),
    ("task.ttl", {"ttl": seconds(0)}),
    ("task.ttl", {"ttl": ENDLESS}),
    ("task.expire_time", {"expire_time": PAST}),
    ("task.expire_time", {"expire_time": FAR}),
    ("task.expire_time", {"expire_time": ABSURD}),
    ("task.result_ttl", {"result_ttl": seconds(0)}),
    ("task.result_ttl", {"result_ttl": ENDLESS}),
    ("task.time_limits.soft", {"time_limits": task_pb2.TimeLimits(soft=seconds(0))}),
    ("task.time_limits.hard", {"time_limits": task_pb2.TimeLimits(hard=seconds(-5))}),
    ("task.payload", {"payload": task_pb2.Payload(json="{}"), "args": numbers(1)}),
    ("task.payload", {"payload": task_pb2.Payload(json="{}"), "kwargs": struct_pb2.Struct()}),
    ("task.payload.content_type", {"payload": task_pb2.Payload(data=b"x")}),
    ("task.headers", {"headers": {"large": "x" * 70_000}}),
    ("task.retry_policy.max_attempts", {"retry_policy": POLICY(max_attempts=-2)}),
    ("task.retry_policy.initial_backoff", {"retry_policy": POLICY(initial_backoff=seconds(-1))}),
    ("task.retry_policy.max_backoff", {"retry_policy": POLICY(max_backoff=ENDLESS)}),
    ("task.retry_policy.backoff_multiplier", {"retry_policy": POLICY(backoff_multiplier=0.5)}),
    ("task.retry_policy.backoff_multiplier", {"retry_policy": POLICY(backoff_multiplier=float("nan"))}),
    ("task.retry_policy.jitter_ratio", {"retry_policy": POLICY(jitter_ratio=1.5)}),
    ("task", {"retry_policy": POLICY(retryable_error_types=["x" * (3 * MIB + MIB // 2)])}),
    ("task.payload.content_type", {"payload": packed(content_type="x" * 256)}),
    ("task.payload.content_type", {"payload": packed(content_type="a/b\0c")}),
    ("task.payload.content_encodings", {"payload": packed(content_encodings=["gzip"] * 5)}),
    ("task.payload.content_encodings", {"payload": packed(content_encodings=["GZIP"])}),
    ("task.payload.content_encodings", {"payload": packed(content_encodings=[""])}),
    ("task.payload.content_encodings", {"payload": packed(content_encodings=["x" * 33])}),
    ("task.payload.content_encodings", {"payload": task_pb2.Payload(json="{}", content_encodings=["gzip"])}),
    ("task.payload.content_encodings", {"payload": task_pb2.Payload(json="{}", plain_sha256=bytes(32))}),
    ("task.payload.plain_sha256", {"payload": packed(plain_sha256=bytes(31))}),
]


@pytest.mark.parametrize(("field", "wrong"), WRONG)
def test_a_refusal_names_the_field(api: Api, queue: str, field: str, wrong: dict[str, Any]) -> None:
    refusal = refused(lambda: api.submit(**{"queue": queue, **wrong}))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": field})
    assert refusal.message.startswith(field + " ")


@pytest.mark.parametrize("task_id", ["with space", "über/1", "日本 🦑", "\u00a0", "e" * 255])
def test_any_printable_id_will_do(api: Api, queue: str, task_id: str) -> None:
    name = f"{task_id[:200]}{uuid7()}"
    api.submit(queue, task_id=name)
    assert api.get(name).task_id == name


@pytest.mark.parametrize("number", [2.0**53, -(2.0**53), 1e300, float("inf"), float("nan")])
def test_a_number_that_may_have_been_rounded_is_refused(api: Api, queue: str, number: float) -> None:
    nested = struct_pb2.Struct()
    nested.fields["deep"].list_value.CopyFrom(numbers(1, number))
    assert refused(lambda: api.submit(queue, args=numbers(number))).reason == "NUMBER_NOT_EXACT"
    refusal = refused(lambda: api.submit(queue, kwargs=nested))
    assert (refusal.reason, refusal.metadata) == ("NUMBER_NOT_EXACT", {"field": "task.kwargs"})


def test_the_largest_exact_number_is_taken(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue, args=numbers(2**53 - 1, -(2**53) + 1, 0.5))
    assert api.get(task_id).spec.args == numbers(2**53 - 1, -(2**53) + 1, 0.5)


@pytest.mark.parametrize("form", ["json", "data", "args"])
def test_arguments_beyond_the_limit_are_refused(api: Api, queue: str, form: str) -> None:
    large = 3 * MIB + 1
    forms: dict[str, dict[str, Any]] = {
        "json": {"payload": task_pb2.Payload(json="x" * large)},
        "data": {"payload": task_pb2.Payload(data=b"x" * large, content_type="a/b")},
        "args": {"args": struct_pb2.ListValue(values=[struct_pb2.Value(string_value="x" * large)])},
    }
    refusal = refused(lambda: api.submit(queue, **forms[form]))
    assert refusal.reason == "PAYLOAD_TOO_LARGE"
    assert int(refusal.metadata["size_bytes"]) > int(refusal.metadata["max_bytes"]) == 3 * MIB


def test_arguments_are_measured_in_bytes_not_characters(api: Api, queue: str) -> None:
    refusal = refused(lambda: api.submit(queue, payload=task_pb2.Payload(json="ü" * (2 * MIB - 100))))
    assert refusal.reason == "PAYLOAD_TOO_LARGE"


def test_text_that_is_no_utf8_is_a_malformed_message(api: Api) -> None:
    submit: Any = api.channel.unary_unary("/caraway.v1.TaskService/SubmitTask")
    good = Request(task=task_pb2.TaskSpec(name="NAME")).SerializeToString()
    refusal = refused(lambda: submit(good.replace(b"NAME", b"\xff\xfe\xfdX"), timeout=DEADLINE))
    assert refusal.reason == "MALFORMED_MESSAGE"
    assert "UTF-8" in refusal.message


def test_a_batch_answers_each_item_for_itself(api: Api, queue: str) -> None:
    good, wrong = (task_pb2.TaskSpec(task_id=uuid7(), name=name, queue=queue) for name in ("t", ""))
    results = batch(api, good, wrong, good)
    assert [result.WhichOneof("outcome") for result in results] == ["response", "error", "response"]
    assert [results[index].response.disposition for index in (0, 2)] == [CREATED, ALREADY]
    assert results[0].response.task == Task(task_id=good.task_id, state=Task.STATE_QUEUED, revision=1)
    assert Refusal(results[1].error).metadata == {"field": "task.name"}


@pytest.mark.parametrize("fault", ["field", "conflict"])
def test_all_or_nothing(api: Api, queue: str, fault: str) -> None:
    taken = api.submit_id(queue)
    wrong = task_pb2.TaskSpec(task_id=taken, name="" if fault == "field" else "another", queue=queue)
    good = task_pb2.TaskSpec(task_id=uuid7(), name="t", queue=queue)
    results = batch(api, good, wrong, all_or_nothing=True)
    reasons = [Refusal(result.error).reason for result in results]
    assert reasons == ["BATCH_REJECTED", {"field": "INVALID_FIELD", "conflict": "TASK_ID_CONFLICT"}[fault]]
    assert refused(lambda: api.get(good.task_id)).reason == "TASK_NOT_FOUND"


def test_a_batch_may_check_single_items_only(api: Api, queue: str) -> None:
    spec = task_pb2.TaskSpec(task_id=uuid7(), name="t", queue=queue)
    request = task_service_pb2.BatchSubmitTasksRequest(requests=[Request(task=spec, validate_only=True)])
    result = api.tasks.BatchSubmitTasks(request, timeout=DEADLINE).results[0]
    assert result.response.task == Task(task_id=spec.task_id)
    assert refused(lambda: api.get(spec.task_id)).reason == "TASK_NOT_FOUND"


def test_a_batch_has_its_limits(api: Api, queue: str) -> None:
    specs = [task_pb2.TaskSpec(name="t", queue=queue)] * 501
    refusal = refused(lambda: batch(api, *specs))
    assert (refusal.reason, refusal.metadata) == ("BATCH_TOO_LARGE", {"size": "501", "max_size": "500"})
    assert refused(lambda: batch(api)).metadata == {"field": "requests"}
    assert len(batch(api, *specs[:500])) == 500
