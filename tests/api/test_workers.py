"""ControlService: workers, as their streams and heartbeats show them."""

from collections.abc import Callable
from typing import Any

import pytest

from api.wire import DEADLINE, Api, refused
from caraway.ids import uuid7
from caraway.v1 import control_service_pb2 as control
from caraway.v1 import worker_service_pb2
from support.gateway import GatewayProcess
from support.processes import eventually

Worker = control.Worker
INFO = worker_service_pb2.WorkerInfo(name="w@h", hostname="h", pid=7, sdk="s 1", language="l", pool="p", concurrency=3)


@pytest.fixture
def quick(gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api]) -> Api:
    """A client of a gateway whose leases are short, and that no other test uses."""
    return connect(gateways("--lease", "1", "--heartbeat", "0.3").target)


def get(api: Api, worker_id: str) -> Worker:
    return api.control.GetWorker(control.GetWorkerRequest(worker_id=worker_id), timeout=DEADLINE).worker


def ids(api: Api, size: int = 0, states: Any = ()) -> list[str]:
    """All workers, read in pages."""
    found, token = [], ""
    while True:
        request = control.ListWorkersRequest(states=states, page_size=size, page_token=token)
        answer = api.control.ListWorkers(request, timeout=DEADLINE)
        assert len(answer.workers) <= (size or 50)
        found += [worker.worker_id for worker in answer.workers]
        token = answer.next_page_token
        if not token:
            return found


def test_a_worker_is_what_it_told_of_itself(api: Api, queue: str) -> None:
    worker_id = uuid7()
    stream = api.stream(queue, worker_id=worker_id, task_names=["b", "a"], info=INFO)
    worker = get(api, worker_id)
    assert (worker.state, worker.info, list(worker.queues)) == (Worker.STATE_ACTIVE, INFO, [queue])
    assert (list(worker.task_names), worker.lease_count) == (["a", "b"], 0)
    assert worker.heartbeat_time.ToMicroseconds() >= worker.connect_time.ToMicroseconds() > 0
    stream.credit(1)
    api.submit(queue, name="a")
    stream.beat(1, stream.lease().lease_token)
    again = get(api, worker_id)
    assert (again.lease_count, again.connect_time) == (1, worker.connect_time)
    assert again.heartbeat_time.ToMicroseconds() > worker.heartbeat_time.ToMicroseconds()


def test_one_that_takes_any_task_names_none(api: Api, queue: str) -> None:
    worker_id = uuid7()
    api.stream(queue, worker_id=worker_id)
    assert list(get(api, worker_id).task_names) == []


def test_an_unknown_worker_is_not_found(api: Api) -> None:
    refusal = refused(lambda: get(api, "nobody"))
    assert (refusal.reason, refusal.metadata) == ("WORKER_NOT_FOUND", {"worker_id": "nobody"})


@pytest.mark.parametrize("ends", ["finish", "abandon"])
def test_a_worker_drains_and_stops(api: Api, queue: str, ends: str) -> None:
    worker_id = uuid7()
    stream = api.stream(queue, worker_id=worker_id)
    stream.send(drain=worker_service_pb2.DrainRequest())
    stream.expect("drain_ack")
    assert get(api, worker_id).state == Worker.STATE_DRAINING
    getattr(stream, ends)()
    eventually(lambda: get(api, worker_id).state == Worker.STATE_STOPPED, what="it has left")


def test_a_worker_that_vanishes_is_lost_and_may_come_back(quick: Api) -> None:
    stream = quick.stream("q", worker_id="w", info=INFO)
    stream.abandon()
    eventually(lambda: get(quick, "w").state == Worker.STATE_LOST, what="its lease time is over")
    assert ids(quick, states=[Worker.STATE_ACTIVE]) == []
    assert ids(quick, states=[Worker.STATE_LOST]) == ["w"]
    quick.stream("q", worker_id="w")
    assert get(quick, "w").state == Worker.STATE_ACTIVE


def test_workers_are_listed_in_pages_those_heard_of_last_first(quick: Api) -> None:
    assert ids(quick) == []
    streams = {name: quick.stream("q", worker_id=name) for name in ("a", "b", "c")}
    assert ids(quick, size=2) == ["c", "b", "a"]
    streams["a"].beat(1)
    assert ids(quick, size=1) == ["a", "c", "b"]


def test_a_page_of_some_states_is_full_while_there_are_more(quick: Api) -> None:
    for number in range(4):
        quick.stream("q", worker_id=f"lost-{number}").abandon()
    eventually(lambda: len(ids(quick, states=[Worker.STATE_LOST])) == 4, what="their lease time is over")
    streams = [quick.stream("q", worker_id=f"active-{number}") for number in range(4)]
    request = control.ListWorkersRequest(states=[Worker.STATE_LOST], page_size=3)
    answer = quick.control.ListWorkers(request, timeout=DEADLINE)
    assert len(answer.workers) == 3
    request.page_token = answer.next_page_token
    rest = quick.control.ListWorkers(request, timeout=DEADLINE)
    found = [worker.worker_id for worker in [*answer.workers, *rest.workers]]
    assert sorted(found) == [f"lost-{number}" for number in range(4)]
    assert len(streams) == 4


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("page_size", control.ListWorkersRequest(page_size=-1)),
        ("page_size", control.ListWorkersRequest(page_size=501)),
        ("page_token", control.ListWorkersRequest(page_token="x")),
        ("page_token", control.ListWorkersRequest(page_token="o" + "9" * 30)),
    ],
)
def test_an_unfit_list_is_refused(api: Api, field: str, request_: control.ListWorkersRequest) -> None:
    refusal = refused(lambda: api.control.ListWorkers(request_, timeout=DEADLINE))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": field})


def test_a_worker_without_an_id_is_refused(api: Api) -> None:
    assert refused(lambda: get(api, "")).metadata == {"field": "worker_id"}
