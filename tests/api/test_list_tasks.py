"""ListTasks, CountTasks and RetryTasks over the wire."""

import base64
from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2

from api.wire import DEADLINE, Api, numbers, refused
from caraway.ids import uuid7
from caraway.v1 import task_pb2, worker_service_pb2
from caraway.v1 import task_service_pb2 as service
from support.gateway import GatewayProcess

Task = task_pb2.Task
Error = task_pb2.TaskError
Filter = task_pb2.TaskFilter
Report = worker_service_pb2.TaskReport
Outcome = service.RetryTasksResponse.Result
HOUR = duration_pb2.Duration(seconds=3600)


@pytest.fixture
def own(gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]) -> Api:
    """A client of a gateway that no other test uses."""
    return connect(gateways().target)


def pages(api: Api, size: int = 0, view: int = 0, **conditions: Any) -> list[list[Task]]:
    """All pages of a list."""
    found, token = [], ""
    while True:
        request = service.ListTasksRequest(
            filter=Filter(**conditions), page_size=size, page_token=token, view=view  # type: ignore[arg-type]
        )  # fmt: skip
        answer = api.tasks.ListTasks(request, timeout=DEADLINE)
        found.append(list(answer.tasks))
        token = answer.next_page_token
        if not token:
            return found


def ids(api: Api, **conditions: Any) -> list[str]:
    """The ids of a list."""
    return [task.task_id for page in pages(api, **conditions) for task in page]


def count(api: Api, group_by: int = 0) -> dict[str, int]:
    request = service.CountTasksRequest(group_by=group_by)  # type: ignore[arg-type]
    return dict(api.tasks.CountTasks(request, timeout=DEADLINE).counts)


def retry(api: Api, *task_ids: str) -> list[int]:
    request = service.RetryTasksRequest(selector=task_pb2.TaskSelector(task_ids=task_ids))
    return [result.outcome for result in api.tasks.RetryTasks(request, timeout=DEADLINE).results]


def fail(api: Api, queue: str, kind: Error.Kind.ValueType = Error.KIND_APPLICATION, **spec: Any) -> str:
    """A task that failed."""
    task_id = api.submit_id(queue, **spec)
    error = Error(kind=kind, type="E", message="m", traceback="tb")
    api.report(api.stream(queue, credit=1).lease(), failed=Report.Failed(error=error))
    return task_id


def one_of_each(api: Api, queue: str) -> dict[str, str]:
    """A task in each of several states."""
    made = {"FAILED": fail(api, queue), "SUCCEEDED": api.submit_id(queue)}
    api.succeed(api.stream(queue, credit=1).lease())
    made["LEASED"] = api.submit_id(queue)
    api.stream(queue, credit=1).lease()
    made["SCHEDULED"] = api.submit_id(queue, delay=HOUR)
    made["QUEUED"] = api.submit_id(queue)
    made["REVOKED"] = api.submit_id(queue)
    api.revoke(made["REVOKED"])
    return made


def test_lists_and_counts_by_state(own: Api) -> None:
    made = one_of_each(own, "q")
    for state, task_id in made.items():
        assert ids(own, states=[Task.State.Value(f"STATE_{state}")]) == [task_id]
    order = ["SCHEDULED", "QUEUED", "LEASED", "SUCCEEDED", "FAILED", "REVOKED"]
    assert ids(own) == [made[state] for state in order]
    assert count(own) == dict.fromkeys(made, 1)
    assert count(own, 1) == count(own)
    assert count(own, 2) == {"q": 2}


@pytest.mark.parametrize("size", [1, 2, 7])
def test_small_pages_tell_every_task_once(api: Api, queue: str, size: int) -> None:
    submitted = [api.submit_id(queue, name=f"n{number % 3}", priority=number % 2) for number in range(7)]
    found = pages(api, size, queues=[queue], states=[Task.STATE_QUEUED])
    assert max(map(len, found)) == size
    flat = [task.task_id for page in found for task in page]
    assert (len(flat), set(flat)) == (7, set(submitted))


def test_small_pages_of_ended_tasks_go_back_in_time(own: Api) -> None:
    made = [own.submit_id("q") for _ in range(120)]  # more than the store reads at once
    own.revoke(*made)  # in one script: all end at one instant
    found = [task.task_id for page in pages(own, 7, states=[Task.STATE_REVOKED]) for task in page]
    assert (len(found), set(found)) == (120, set(made))
    last = own.submit_id("q")
    own.revoke(last)
    assert ids(own, states=[Task.STATE_REVOKED])[0] == last


def test_each_condition_holds(api: Api, queue: str) -> None:
    failed, lost = fail(api, queue, name="a"), fail(api, queue, Error.KIND_TIME_LIMIT, name="b")
    worker = api.get(failed).worker_id
    here: dict[str, Any] = {"queues": [queue]}
    assert ids(api, names=["a", "z"], **here) == [failed]
    assert ids(api, worker_ids=[worker]) == [failed]
    assert ids(api, error_kinds=[Error.KIND_TIME_LIMIT], **here) == [lost]
    assert ids(api, names=["a"], error_kinds=[Error.KIND_TIME_LIMIT], **here) == []
    created = api.get(lost).create_time
    assert ids(api, created_after=created, **here) == [lost]
    assert ids(api, created_before=created, **here) == [failed]
    later = timestamp_pb2.Timestamp(seconds=created.seconds + 60)
    assert ids(api, created_after=later, **here) == []


def test_kinds_are_those_that_the_tasks_show(api: Api, queue: str) -> None:
    revoked = api.submit_id(queue)
    api.revoke(revoked)
    api.submit(queue)
    again = api.stream(queue, credit=1).lease()
    api.report(again, retry=Report.Retry(error=Error(kind=Error.KIND_APPLICATION)))
    api.succeed(api.stream(queue, credit=1).lease())
    assert ids(api, error_kinds=[Error.KIND_REVOKED], queues=[queue]) == [revoked]
    succeeded = [Task.STATE_SUCCEEDED]
    assert ids(api, states=succeeded, error_kinds=[Error.KIND_APPLICATION], queues=[queue]) == []


def test_the_view_is_basic_unless_full_is_asked_for(api: Api, queue: str) -> None:
    fail(api, queue, args=numbers(1), args_repr="(1,)")
    basic, full = (
        next(task for page in pages(api, view=view, queues=[queue]) for task in page)
        for view in (0, task_pb2.TASK_VIEW_FULL)
    )
    assert (basic.error.traceback, basic.spec.HasField("args"), basic.spec.args_repr) == ("", False, "(1,)")
    assert (full.error.traceback, full.spec.args) == ("tb", numbers(1))


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(msgpack.packb(parts)).decode()


@pytest.mark.parametrize(
    "token",
    [
        "x", "o5", "AAAA", "é", forged(1, 2, 3), forged((1, "", ""), "nan", 0), forged((1, "", ""), "0", -1),
        forged((1, "", ""), "0", 2**63), forged((1, "", ""), "0", float("inf")), forged((1, "", ""), "1e400", 0),
    ],
)  # fmt: skip
def test_a_token_of_someone_elses_making_is_refused(api: Api, token: str) -> None:
    refusal = refused(lambda: api.tasks.ListTasks(service.ListTasksRequest(page_token=token), timeout=DEADLINE))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": "page_token"})


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("page_size", service.ListTasksRequest(page_size=-1)),
        ("page_size", service.ListTasksRequest(page_size=501)),
        ("filter.states", service.ListTasksRequest(filter=Filter(states=[0]))),  # type: ignore[list-item]
        ("filter.states", service.ListTasksRequest(filter=Filter(states=[1]))),  # type: ignore[list-item]
        ("filter.states", service.ListTasksRequest(filter=Filter(states=[99]))),  # type: ignore[list-item]
    ],
)
def test_an_unfit_list_is_refused(api: Api, field: str, request_: service.ListTasksRequest) -> None:
    refusal = refused(lambda: api.tasks.ListTasks(request_, timeout=DEADLINE))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": field})


def test_an_unknown_grouping_is_refused(api: Api) -> None:
    assert refused(lambda: count(api, 9)).metadata == {"field": "group_by"}


def test_dead_letters_are_sent_back_as_they_were_submitted(api: Api, queue: str) -> None:
    task_id = fail(api, queue, args=numbers(1), ttl=HOUR)
    before = api.get(task_id)
    assert retry(api, task_id) == [Outcome.OUTCOME_QUEUED]
    task = api.get(task_id)
    assert (task.state, task.attempt, task.spec.args) == (Task.STATE_QUEUED, 0, numbers(1))
    assert (task.HasField("error"), task.HasField("end_time")) == (False, False)
    assert task.revision > before.revision
    lease = api.stream(queue, credit=1).lease()
    assert (lease.task.task_id, lease.attempt, lease.HasField("expires_in")) == (task_id, 1, False)
    api.succeed(lease)
    assert ids(api, queues=[queue], states=[Task.STATE_FAILED]) == []


def test_what_can_not_be_sent_back_says_so(api: Api, queue: str) -> None:
    made = one_of_each(api, queue)
    states = ["FAILED", "SUCCEEDED", "LEASED", "SCHEDULED", "QUEUED", "REVOKED"]
    no, yes = Outcome.OUTCOME_NOT_RETRYABLE, Outcome.OUTCOME_QUEUED
    assert retry(api, *(made[state] for state in states)) == [yes, no, no, no, no, yes]
    assert retry(api, uuid7()) == [Outcome.OUTCOME_NOT_FOUND]


def test_a_key_that_another_holds_meanwhile_keeps_a_dead_letter_back(api: Api, queue: str) -> None:
    rule = task_pb2.Uniqueness(key=uuid7())
    task_id = fail(api, queue, uniqueness=rule)
    holder = api.submit_id(queue, uniqueness=rule)
    assert retry(api, task_id) == [Outcome.OUTCOME_NOT_RETRYABLE]
    api.revoke(holder)
    assert retry(api, task_id) == [Outcome.OUTCOME_QUEUED]
    assert refused(lambda: api.submit(queue, uniqueness=rule)).metadata["task_id"] == task_id


def test_retry_has_its_limits(api: Api) -> None:
    assert refused(lambda: retry(api)).metadata == {"field": "selector.task_ids"}
    assert refused(lambda: retry(api, *["x"] * 501)).reason == "BATCH_TOO_LARGE"


def stamps(**values: Any) -> dict[str, Any]:
    made = {}
    for name, value in values.items():
        made[name] = struct_pb2.ListValue()
        made[name].extend(value)
    return made


def test_stamps_find_their_tasks(own: Api) -> None:
    monday = own.submit("q", stamps=stamps(day=["monday"], n=[1, True])).task.task_id
    both = own.submit("q", stamps=stamps(day=["monday", "tuesday"])).task.task_id
    own.submit("q")
    assert ids(own, stamps=stamps(day=["monday"])) == [monday, both]
    assert ids(own, stamps=stamps(day=["tuesday"])) == [both]
    assert ids(own, stamps=stamps(day=["sunday"], n=[1])) == [monday]  # one of them is enough
    assert ids(own, stamps=stamps(day=["sunday"])) == []
    assert ids(own, stamps=stamps(n=["1"])) == []
    found = pages(own, stamps=stamps(n=[True]))[0][0]
    assert found.spec.stamps["day"].values[0].string_value == "monday"


def test_stamps_are_plain_values(own: Api) -> None:
    nested = refused(lambda: own.submit("q", stamps=stamps(day=[["monday"]])))
    assert nested.reason == "INVALID_FIELD"
    assert nested.metadata["field"] == "task.stamps.day"
    assert refused(lambda: own.submit("q", stamps=stamps(n=[2.0**60]))).reason == "NUMBER_NOT_EXACT"
    assert refused(lambda: ids(own, stamps=stamps(day=[None]))).metadata["field"] == "filter.stamps.day"


def test_stamps_are_not_part_of_a_spec(own: Api) -> None:
    task_id = uuid7()
    own.submit("q", task_id=task_id, stamps=stamps(day=["monday"]), parent_task_id="any")
    again = own.submit("q", task_id=task_id, stamps=stamps(day=["tuesday"]))
    assert again.disposition == service.SUBMIT_DISPOSITION_ALREADY_SUBMITTED


def test_children_are_listed_by_their_parent(own: Api) -> None:
    parent = own.submit("q").task.task_id
    first = own.submit("q", name="first", parent_task_id=parent).task.task_id
    second = own.submit("q", name="second", parent_task_id=parent, delay=HOUR).task.task_id
    assert ids(own, parent_task_id=parent) == [first, second]
    assert [task.task_id for page in pages(own, 1, parent_task_id=parent) for task in page] == [first, second]
    assert ids(own, parent_task_id=parent, names=["second"]) == [second]
    assert ids(own, parent_task_id=parent, states=[Task.STATE_BLOCKED]) == []
    assert pages(own, parent_task_id=parent)[0][0].spec.parent_task_id == parent
