"""AdminService: queues, listed, limited, paused and purged."""

from collections.abc import Callable
from typing import Any

import pytest

from api.wire import DEADLINE, Api, refused
from caraway.v1 import admin_service_pb2 as admin
from caraway.v1 import task_pb2
from support.gateway import GatewayProcess

Task = task_pb2.Task


@pytest.fixture
def own(gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]) -> Api:
    """A client of a gateway that no other test uses."""
    return connect(gateways().target)


def get(api: Api, name: str) -> admin.Queue:
    return api.admin.GetQueue(admin.GetQueueRequest(name=name), timeout=DEADLINE).queue


def pause(api: Api, name: str, note: str = "") -> admin.Queue:
    return api.admin.PauseQueue(admin.PauseQueueRequest(name=name, note=note), timeout=DEADLINE).queue


def resume(api: Api, name: str) -> admin.Queue:
    return api.admin.ResumeQueue(admin.ResumeQueueRequest(name=name), timeout=DEADLINE).queue


def update(api: Api, name: str, most: int) -> admin.Queue:
    return api.admin.UpdateQueue(admin.UpdateQueueRequest(name=name, max_length=most), timeout=DEADLINE).queue


def pages(api: Api, size: int) -> list[list[str]]:
    """All pages of queue names."""
    found, token = [], ""
    while True:
        request = admin.ListQueuesRequest(page_size=size, page_token=token)
        answer = api.admin.ListQueues(request, timeout=DEADLINE)
        found.append([queue.name for queue in answer.queues])
        token = answer.next_page_token
        if not token:
            return found


def test_queues_are_listed_by_name_in_pages(own: Api) -> None:
    assert pages(own, 2) == [[]]
    for name in ("c", "a", "d"):
        own.submit(name)
    pause(own, "b")
    assert pages(own, 2) == [["a", "b"], ["c", "d"]]
    assert pages(own, 3) == [["a", "b", "c"], ["d"]]
    assert pages(own, 0) == [["a", "b", "c", "d"]]


def test_a_queue_tells_what_waits(api: Api, queue: str) -> None:
    delay = task_pb2.TaskSpec()
    delay.delay.FromSeconds(600)
    api.submit(queue, delay=delay.delay)
    api.submit(queue)
    api.submit(queue, name="u")
    assert get(api, queue) == admin.Queue(name=queue, waiting=3, queued=2)
    api.stream(queue, credit=1).lease()
    assert get(api, queue) == admin.Queue(name=queue, waiting=2, queued=1)


def test_an_unknown_queue_is_not_found(api: Api, queue: str) -> None:
    refusal = refused(lambda: get(api, queue))
    assert (refusal.reason, refusal.metadata) == ("QUEUE_NOT_FOUND", {"queue": queue})


def test_a_queue_is_forgotten_when_nothing_is_in_it_and_nothing_set(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    pause(api, queue)
    api.revoke(task_id)
    assert get(api, queue).paused
    resume(api, queue)
    assert refused(lambda: get(api, queue)).reason == "QUEUE_NOT_FOUND"


def test_a_paused_queue_takes_tasks_and_gives_none_until_resumed(api: Api, queue: str) -> None:
    paused = pause(api, queue, "the database is slow")
    assert (paused.paused, paused.pause_note, paused.pause_time.seconds > 0) == (True, "the database is slow", True)
    stream = api.stream(queue, credit=5)
    task_id = api.submit_id(queue)
    assert stream.is_quiet()
    assert get(api, queue).queued == 1
    resumed = resume(api, queue)
    assert (resumed.paused, resumed.pause_note, resumed.HasField("pause_time")) == (False, "", False)
    assert stream.lease().task.task_id == task_id


def test_what_workers_hold_goes_on_in_a_paused_queue(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    lease = api.stream(queue, credit=1).lease()
    pause(api, queue)
    api.succeed(lease)
    assert api.get(task_id).state == Task.STATE_SUCCEEDED


def test_a_pause_is_seen_by_other_queues_workers_only_for_its_queue(api: Api, queue: str) -> None:
    pause(api, queue)
    other = queue + "-other"
    api.submit(queue)
    task_id = api.submit_id(other)
    stream = api.raw_stream()
    from_both: Any = {"worker_id": queue, "queues": [queue, other], "all_task_names": True}
    hello = {**from_both, "credit": {"lease_allowance": 5}}
    stream.send(hello=hello)
    stream.expect("welcome")
    assert stream.lease().task.task_id == task_id
    assert stream.is_quiet()


def test_a_queue_of_its_own_limit(api: Api, queue: str) -> None:
    assert update(api, queue, 1).max_length == 1
    api.submit(queue)
    assert refused(lambda: api.submit(queue)).reason == "QUEUE_FULL"
    assert update(api, queue, 2).max_length == 2
    api.submit(queue)
    assert update(api, queue, 0).max_length == 0
    api.submit(queue)
    assert get(api, queue).waiting == 3


def test_a_purge_revokes_what_is_queued_and_nothing_else(api: Api, queue: str) -> None:
    delay = task_pb2.TaskSpec()
    delay.delay.FromSeconds(600)
    scheduled = api.submit_id(queue, delay=delay.delay)
    held = api.submit_id(queue)
    api.stream(queue, credit=1).lease()
    queued = [api.submit_id(queue, name=f"n{number % 3}") for number in range(30)]
    answer = api.admin.PurgeQueue(admin.PurgeQueueRequest(name=queue), timeout=DEADLINE)
    count = answer.purged_count
    while answer.more:
        answer = api.admin.PurgeQueue(admin.PurgeQueueRequest(name=queue), timeout=DEADLINE)
        count += answer.purged_count
    assert count == len(queued)
    assert {(api.get(one).state, api.get(one).cancel_reason) for one in queued} == {(Task.STATE_REVOKED, "purged")}
    assert (api.get(scheduled).state, api.get(held).state) == (Task.STATE_SCHEDULED, Task.STATE_LEASED)
    assert get(api, queue) == admin.Queue(name=queue, waiting=1)


def test_a_purge_of_nothing_is_none(api: Api, queue: str) -> None:
    answer = api.admin.PurgeQueue(admin.PurgeQueueRequest(name=queue), timeout=DEADLINE)
    assert (answer.purged_count, answer.more) == (0, False)


@pytest.mark.parametrize("method", ["GetQueue", "UpdateQueue", "PauseQueue", "ResumeQueue", "PurgeQueue"])
@pytest.mark.parametrize("name", ["", "no spaces"])
def test_a_name_that_is_none_is_refused(api: Api, method: str, name: str) -> None:
    request = getattr(admin, method + "Request")(name=name)
    refusal = refused(lambda: getattr(api.admin, method)(request, timeout=DEADLINE))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": "name"})


def test_settings_out_of_range_are_refused(api: Api, queue: str) -> None:
    assert refused(lambda: update(api, queue, -1)).metadata == {"field": "max_length"}
    assert refused(lambda: pause(api, queue, "x" * 1025)).metadata == {"field": "note"}
    assert refused(lambda: get(api, queue)).reason == "QUEUE_NOT_FOUND"


@pytest.mark.parametrize("size", [-1, 501])
def test_a_page_size_out_of_range_is_refused(api: Api, size: int) -> None:
    refusal = refused(lambda: api.admin.ListQueues(admin.ListQueuesRequest(page_size=size), timeout=DEADLINE))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": "page_size"})


@pytest.mark.parametrize("token", ["x", "o", "o-1", "o" + "9" * 30, "o" + "9" * 5000])
def test_a_token_of_someone_elses_making_is_refused(api: Api, token: str) -> None:
    refusal = refused(lambda: api.admin.ListQueues(admin.ListQueuesRequest(page_token=token), timeout=DEADLINE))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": "page_token"})
