"""WatchTasks: a snapshot, then changes; broken off and gone on with; and what was missed."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
import redis

from api.wire import Api, Refusal, refused
from caraway.ids import uuid7
from caraway.v1 import task_pb2, worker_service_pb2
from caraway.v1 import task_service_pb2 as service
from support.gateway import GatewayProcess

Task = task_pb2.Task
Response = service.WatchTasksResponse
Report = worker_service_pb2.TaskReport


@pytest.fixture
def watch() -> Iterator[Callable[..., Any]]:
    """Begins watches; they end with the test."""
    calls: list[Any] = []

    def begin(api: Api, *task_ids: str, **fields: Any) -> Any:
        selector = task_pb2.TaskSelector(task_ids=task_ids)
        request = service.WatchTasksRequest(selector=selector, **fields)
        calls.append(api.tasks.WatchTasks(request, timeout=40))
        return calls[-1]

    yield begin
    for call in calls:
        call.cancel()


def snapshot(call: Any) -> tuple[list[Task], Response]:
    """The tasks of a snapshot, and the bookmark that completes it."""
    tasks: list[Task] = []
    for response in call:
        if response.HasField("bookmark"):
            assert response.bookmark.snapshot_complete
            return tasks, response
        tasks.append(response.task)
    raise AssertionError("the watch ended within its snapshot")


def states(call: Any, last: int) -> list[int]:
    """The states told, up to this one; bookmarks are left out."""
    found = []
    for response in call:
        if response.HasField("task"):
            found.append(response.task.state)
            if response.task.state == last:
                return found
    raise AssertionError(f"the watch ended after {found}")


def test_a_snapshot_and_then_changes_until_all_are_terminal(api: Api, queue: str, watch: Callable[..., Any]) -> None:
    first, second, missing = api.submit_id(queue), api.submit_id(queue), uuid7()
    call = watch(api, first, missing, second, first, until_terminal=True)
    tasks, mark = snapshot(call)
    assert [(task.task_id, task.state) for task in tasks] == [(one, Task.STATE_QUEUED) for one in (first, second)]
    assert (list(mark.bookmark.missing_task_ids), mark.bookmark.gap) == ([missing], False)
    stream = api.stream(queue, credit=2)
    lease, other = stream.leases(2)
    api.report(lease, started=Report.Started())
    api.succeed(lease, "1")
    api.succeed(other, "2")
    rest = list(call)
    ended = {response.task.task_id for response in rest if response.task.state == Task.STATE_SUCCEEDED}
    assert ended == {first, second}
    assert not any(response.task.HasField("result") for response in rest)
    assert rest[-1].HasField("bookmark")
    assert rest[-1].resume_token
    assert call.code() is grpc.StatusCode.OK


def test_full_view_shows_the_result(api: Api, queue: str, watch: Callable[..., Any]) -> None:
    task_id = api.submit_id(queue)
    call = watch(api, task_id, view=task_pb2.TASK_VIEW_FULL, until_terminal=True)
    snapshot(call)
    api.succeed(api.stream(queue, credit=1).lease(), "[5]")
    assert "[5]" in [response.task.result.json for response in call]


def test_what_is_over_ends_at_once(api: Api, queue: str, watch: Callable[..., Any]) -> None:
    task_id = api.submit_id(queue)
    api.revoke(task_id)
    call = watch(api, task_id, uuid7(), until_terminal=True)
    assert [task.state for task in snapshot(call)[0]] == [Task.STATE_REVOKED]
    assert [response.WhichOneof("event") for response in call] == ["bookmark"]


def test_a_resumed_watch_tells_only_what_changed(api: Api, queue: str, watch: Callable[..., Any]) -> None:
    quiet, busy = api.submit_id(queue, name="quiet"), api.submit_id(queue, name="busy")
    call = watch(api, quiet, busy)
    token = snapshot(call)[1].resume_token
    call.cancel()
    api.revoke(busy)
    tasks, mark = snapshot(watch(api, quiet, busy, resume_token=token))
    assert ([task.task_id for task in tasks], mark.bookmark.gap) == ([busy], False)
    assert snapshot(watch(api, quiet, busy, resume_token=mark.resume_token))[0] == []


def test_a_resumed_watch_says_that_states_came_and_went(api: Api, queue: str, watch: Callable[..., Any]) -> None:
    task_id = api.submit_id(queue)
    token = snapshot(watch(api, task_id))[1].resume_token
    lease = api.stream(queue, credit=1).lease()
    api.report(lease, started=Report.Started())
    api.succeed(lease)
    tasks, mark = snapshot(watch(api, task_id, resume_token=token))
    assert ([task.state for task in tasks], mark.bookmark.gap) == ([Task.STATE_SUCCEEDED], True)


def test_watch_here_change_there(
    gateway: GatewayProcess, gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api], queue: str,
    watch: Callable[..., Any],
) -> None:  # fmt: skip
    here, there = connect(gateway.target), connect(gateways("--redis", gateway.redis_url).target)
    task_id = there.submit_id(queue)
    calls = [watch(api, task_id) for api in (here, there)]
    for call in calls:
        snapshot(call)
    there.revoke(task_id)
    for call in calls:
        assert states(call, Task.STATE_REVOKED)[-1] == Task.STATE_REVOKED


def test_missed_notes_are_made_up_for_and_called_a_gap(
    gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api], queue: str, watch: Callable[..., Any]
) -> None:
    process = gateways()
    api = connect(process.target)
    task_id = api.submit_id(queue)
    call = watch(api, task_id)
    snapshot(call)
    with redis.Redis.from_url(process.redis_url) as store:
        # Deaf, and then a change of which no note is heard: one that the store itself is made to carry out.
        store.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        store.hincrby(f"caraway:{{0}}:task:{task_id}", "r", 5)
    told = next(response for response in call if response.HasField("task"))
    mark = next(response for response in call if response.HasField("bookmark"))
    assert (told.task.task_id, mark.bookmark.gap, mark.bookmark.snapshot_complete) == (task_id, True, False)


def test_a_watch_is_sent_elsewhere_when_its_gateway_leaves(
    gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api], queue: str, watch: Callable[..., Any]
) -> None:
    process = gateways()
    api = connect(process.target)
    call = watch(api, api.submit_id(queue))
    snapshot(call)
    process.signal(signal.SIGTERM)
    assert refused(lambda: list(call)).reason == "SHUTTING_DOWN"


@pytest.mark.parametrize("token", ["x", "AAAA", "é", "kct_8AAAAAAAAA==", "kgEC", "wA=="])
def test_a_token_of_another_watch_is_refused(api: Api, watch: Callable[..., Any], token: str) -> None:
    refusal: Refusal = refused(lambda: list(watch(api, "x", resume_token=token)))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": "resume_token"})


def test_a_selector_has_its_limits(api: Api, watch: Callable[..., Any]) -> None:
    assert refused(lambda: list(watch(api))).metadata == {"field": "selector.task_ids"}
    assert refused(lambda: list(watch(api, *["x"] * 501))).reason == "BATCH_TOO_LARGE"
