"""TaskReport.Retry.overrides: what a task changes in its own spec when it asks for its retry."""

import time
from typing import Any

import pytest
from google.protobuf import duration_pb2, timestamp_pb2

from api.wire import Api, Lease, Refusal, numbers
from caraway.v1 import task_pb2, worker_service_pb2

MIB = 1 << 20
YEAR = 365 * 86_400  # seconds
Task = task_pb2.Task
Spec = task_pb2.TaskSpec
Report = worker_service_pb2.TaskReport
MINUTE = duration_pb2.Duration(seconds=60)


def retry(api: Api, lease: Lease, wait: int = 0, **overrides: Any) -> worker_service_pb2.ReportTasksResponse.Result:
    """Asks for a retry."""
    delay = duration_pb2.Duration(seconds=wait)
    return api.report(lease, retry=Report.Retry(delay=delay, overrides=Spec(**overrides)))


def leased(api: Api, queue: str, **spec: Any) -> Lease:
    """A task, delivered."""
    api.submit(queue, **spec)
    return api.stream(queue, credit=1).lease()


def test_a_payload_replaces_the_arguments(api: Api, queue: str) -> None:
    lease = leased(api, queue, args=numbers(1), ignore_result=True)
    assert retry(api, lease, payload=task_pb2.Payload(json='{"args":[2]}')).state == Task.STATE_QUEUED
    again = api.stream(queue, credit=1).lease()
    assert (again.task.payload.json, again.task.HasField("args"), again.attempt) == ('{"args":[2]}', False, 2)
    assert again.task.ignore_result


def test_the_texts_that_are_shown_are_replaced_with_the_arguments(api: Api, queue: str) -> None:
    lease = leased(api, queue, payload=task_pb2.Payload(json="{}"), args_repr="(1, ***)", kwargs_repr="{}")
    payload = task_pb2.Payload(json='{"args":[2]}')
    retry(api, lease, payload=payload, args_repr="(2, ***)")
    spec = api.get(lease.task.task_id).spec
    assert (spec.payload, spec.args_repr, spec.kwargs_repr) == (payload, "(2, ***)", "{}")


def test_another_queue_is_all_it_takes(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    other = queue + "-other"
    retry(api, lease, queue=other)
    assert api.get(lease.task.task_id).spec.queue == other
    assert api.stream(queue, credit=1).is_quiet()
    assert api.stream(other, credit=1).lease().task.queue == other


def test_a_delayed_retry_waits_in_its_new_queue(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    other = queue + "-other"
    assert retry(api, lease, wait=600, queue=other).state == Task.STATE_RETRYING
    task = api.get(lease.task.task_id)
    assert (task.spec.queue, task.HasField("next_attempt_time")) == (other, True)


def test_priority_0_is_set_and_not_unset(api: Api, queue: str) -> None:
    lease = leased(api, queue, priority=9)
    usual = api.submit_id(queue, priority=1)
    retry(api, lease, priority=0)
    assert api.get(lease.task.task_id).spec.priority == 0
    found = [one.task.task_id for one in api.stream(queue, credit=2).leases(2)]
    assert found == [usual, lease.task.task_id]


def test_limits_and_headers_replace_the_tasks(api: Api, queue: str) -> None:
    lease = leased(api, queue, time_limits=task_pb2.TimeLimits(soft=MINUTE), headers={"a": "1", "b": "1"})
    retry(api, lease, time_limits=task_pb2.TimeLimits(hard=MINUTE), headers={"a": "2"})
    spec = api.stream(queue, credit=1).lease().task
    assert (spec.time_limits.HasField("soft"), spec.time_limits.hard) == (False, MINUTE)
    assert dict(spec.headers) == {"a": "2"}


def test_a_ttl_counts_from_the_retry(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    assert not lease.HasField("expires_in")
    retry(api, lease, ttl=MINUTE)
    again = api.stream(queue, credit=1).lease()
    assert 50 < again.expires_in.ToTimedelta().total_seconds() <= 60
    assert again.task.ttl == MINUTE


def test_an_instant_takes_the_place_of_a_ttl(api: Api, queue: str) -> None:
    lease = leased(api, queue, ttl=MINUTE)
    retry(api, lease, expire_time=timestamp_pb2.Timestamp(seconds=round(time.time()) + 600))
    again = api.stream(queue, credit=1).lease()
    assert (again.expires_in.seconds > 500, again.task.WhichOneof("expiration")) == (True, "expire_time")


def test_an_instant_that_has_passed_ends_it(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    assert retry(api, lease, expire_time=timestamp_pb2.Timestamp(seconds=1)).state == Task.STATE_EXPIRED


def test_a_retry_without_overrides_changes_nothing(api: Api, queue: str) -> None:
    lease = leased(api, queue, args=numbers(1), headers={"a": "1"}, priority=7)
    retry(api, lease)
    assert api.stream(queue, credit=1).lease().task == lease.task


@pytest.mark.parametrize(
    ("field", "overrides"),
    [
        ("task_id", {"task_id": "x"}),
        ("name", {"name": "u"}),
        ("args", {"args": numbers(1)}),
        ("kwargs", {"kwargs": {"a": 1}}),
        ("delay", {"delay": MINUTE}),
        ("retry_policy", {"retry_policy": task_pb2.RetryPolicy()}),
        ("ack_mode", {"ack_mode": Spec.ACK_MODE_ON_START}),
        ("uniqueness", {"uniqueness": task_pb2.Uniqueness(key="k")}),
        ("ignore_result", {"ignore_result": True}),
        ("result_ttl", {"result_ttl": MINUTE}),
        ("args_repr", {"args_repr": "x" * 1025}),
        ("queue", {"queue": "no spaces"}),
        ("priority", {"priority": 10}),
        ("ttl", {"ttl": duration_pb2.Duration()}),
        ("expire_time", {"expire_time": timestamp_pb2.Timestamp(seconds=-1)}),
        ("expire_time", {"expire_time": timestamp_pb2.Timestamp(seconds=round(time.time()) + 11 * YEAR)}),
        ("time_limits.soft", {"time_limits": task_pb2.TimeLimits(soft=duration_pb2.Duration())}),
        ("payload.content_type", {"payload": task_pb2.Payload(data=b"x")}),
        ("headers", {"headers": {"a": "x" * 65536}}),
    ],
)
def test_anything_else_is_refused_and_changes_nothing(
    api: Api, queue: str, field: str, overrides: dict[str, Any]
) -> None:
    lease = leased(api, queue)
    refusal = Refusal(retry(api, lease, **overrides).status)
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": f"reports.retry.overrides.{field}"})
    assert api.get(lease.task.task_id).state == Task.STATE_LEASED


def test_a_payload_beyond_the_limit_is_refused(api: Api, queue: str) -> None:
    lease = leased(api, queue)
    refusal = Refusal(retry(api, lease, payload=task_pb2.Payload(json="x" * (3 * MIB + 1))).status)
    assert refusal.reason == "PAYLOAD_TOO_LARGE"
