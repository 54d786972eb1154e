"""PollTasks and RenewLeases: work without a stream."""

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from api.wire import DEADLINE, Api, Lease, refused
from caraway.v1 import task_pb2, task_service_pb2, worker_service_pb2
from support.gateway import GatewayProcess
from support.processes import eventually

Task = task_pb2.Task
Request = worker_service_pb2.PollTasksRequest
Report = worker_service_pb2.TaskReport
Revoke = task_service_pb2.RevokeTasksRequest


def wish(queue: str, seconds: float = 0, **fields: Any) -> Request:
    request = Request(**{"worker_id": "w", "queues": [queue], **fields})
    request.max_wait.FromMilliseconds(round(seconds * 1000))
    return request


def poll(api: Api, queue: str, seconds: float = 0, **fields: Any) -> list[Lease]:
    return list(api.workers.PollTasks(wish(queue, seconds, **fields), timeout=DEADLINE).leases)


def renew(api: Api, *tokens: str) -> worker_service_pb2.RenewLeasesResponse:
    return api.workers.RenewLeases(worker_service_pb2.RenewLeasesRequest(lease_tokens=tokens), timeout=DEADLINE)


def test_work_that_is_there_is_leased_as_much_as_asked_for(api: Api, queue: str) -> None:
    ids = [api.submit_id(queue) for _ in range(4)]
    (first,) = poll(api, queue)
    assert (first.task.task_id, first.attempt, first.lease_duration.seconds) == (ids[0], 1, 15)
    assert [lease.task.task_id for lease in poll(api, queue, max_leases=2)] == ids[1:3]
    assert [lease.task.task_id for lease in poll(api, queue, max_leases=500)] == ids[3:]
    assert poll(api, queue) == []
    api.succeed(first)
    assert (api.get(ids[0]).state, api.get(ids[0]).worker_id) == (Task.STATE_SUCCEEDED, "w")


def test_only_the_names_asked_for(api: Api, queue: str) -> None:
    api.submit(queue, name="a")
    wanted = api.submit_id(queue, name="b")
    assert [lease.task.task_id for lease in poll(api, queue, max_leases=5, task_names=["b"])] == [wanted]


def test_it_waits_for_work_and_wakes_at_once(api: Api, queue: str) -> None:
    calls = [api.workers.PollTasks.future(wish(queue, 15), timeout=DEADLINE) for _ in range(2)]
    began = time.monotonic()
    ids = {api.submit_id(queue) for _ in range(2)}
    assert {call.result().leases[0].task.task_id for call in calls} == ids
    assert time.monotonic() - began < 5


def test_it_answers_empty_before_the_calls_own_deadline(api: Api, queue: str) -> None:
    assert not api.workers.PollTasks(wish(queue, 60), timeout=1).leases


def test_a_waiting_poll_is_sent_elsewhere_when_its_gateway_leaves(
    gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api], queue: str
) -> None:
    leaving = gateways()
    api = connect(leaving.target)
    poll(api, queue)
    call: Any = api.workers.PollTasks.future(wish(queue, 15), timeout=DEADLINE)
    api.is_serving()  # a round trip: the poll, sent before, has come
    leaving.signal(signal.SIGTERM)
    began = time.monotonic()
    assert refused(call.result).reason == "SHUTTING_DOWN"
    assert time.monotonic() - began < 8


def test_renewing_keeps_a_delivery_and_tells_what_is_lost(
    gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api], queue: str
) -> None:
    api = connect(gateways("--lease", "1", "--heartbeat", "0.3").target)
    kept, left = api.submit_id(queue), api.submit_id(queue)
    leases = poll(api, queue, max_leases=2)
    tokens = {lease.task.task_id: lease.lease_token for lease in leases}

    def is_taken_back() -> bool:
        assert list(renew(api, tokens[kept]).lost_lease_tokens) == []
        return api.get(left).state == Task.STATE_QUEUED

    eventually(is_taken_back, what="the other lease runs out")
    assert list(renew(api, tokens[left], "nonsense", tokens[kept]).lost_lease_tokens) == [tokens[left], "nonsense"]
    assert api.get(kept).delivery_count == 1


def test_renewing_tells_what_is_to_be_cancelled(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    (lease,) = poll(api, queue)
    api.report(lease, started=Report.Started())
    assert not renew(api, lease.lease_token).cancels
    api.revoke(task_id, mode=Revoke.MODE_TERMINATE, reason="too slow", signal="SIGKILL")
    (item,) = renew(api, lease.lease_token).cancels
    assert (item.lease_token, item.terminate, item.reason, item.signal) == (
        lease.lease_token, True, "too slow", "SIGKILL",
    )  # fmt: skip
    assert api.report(lease, cancelled=Report.Cancelled()).state == Task.STATE_REVOKED
    assert list(renew(api, lease.lease_token).lost_lease_tokens) == [lease.lease_token]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("worker_id", {"worker_id": ""}),
        ("worker_id", {"worker_id": "w" * 256}),
        ("queues", {"queues": []}),
        ("queues", {"queues": ["no spaces"]}),
        ("max_leases", {"max_leases": -1}),
        ("max_leases", {"max_leases": 501}),
        ("max_wait", {"seconds": -1}),
    ],
)
def test_an_unfit_poll_is_refused(api: Api, queue: str, field: str, wrong: dict[str, Any]) -> None:
    refusal = refused(lambda: poll(api, queue, **wrong))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": field})


def test_renewing_has_its_limits(api: Api) -> None:
    assert refused(lambda: renew(api)).metadata == {"field": "lease_tokens"}
    assert refused(lambda: renew(api, *["1.x"] * 501)).reason == "BATCH_TOO_LARGE"
