"""Submits while the gateway dies and comes back: each call is one task, or an error."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from caraway import Caraway, exceptions
from caraway.v1 import task_service_pb2
from support.gateway import GatewayProcess

SECONDS = 60
PATIENT = {"max_retries": 200, "interval_start": 0.02, "interval_step": 0.02, "interval_max": 0.1}


@pytest.fixture
def own(gateways: Callable[..., GatewayProcess]) -> GatewayProcess:
    """A gateway of the test's own."""
    return gateways()


@pytest.fixture
def app(own: GatewayProcess) -> Iterator[Caraway]:
    """A client of it."""
    made = Caraway("e2e.sending", target=own.target)
    yield made
    made.close()


def count(app: Caraway) -> int:
    """All tasks that the gateway has."""
    counts = app.gateway.ask("CountTasks", task_service_pb2.CountTasksRequest()).counts
    return sum(counts.values())


def test_a_gateway_that_comes_back_within_the_policy_has_the_task_once(own: GatewayProcess, app: Caraway) -> None:
    own.kill()
    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(app.send_task, "x", retry_policy=PATIENT)
        own.start()
        result = sending.result(SECONDS)
    assert result.state == "PENDING"
    assert count(app) == 1


def test_every_call_that_returned_is_one_task_however_often_the_gateway_was_killed(
    own: GatewayProcess, app: Caraway
) -> None:
    killed = threading.Event()
    sent: list[str] = []
    more = threading.Condition()

    def send(sender: int) -> None:
        while not killed.is_set():
            result = app.send_task("x", [sender], retry_policy=PATIENT)
            with more:
                sent.append(result.id)
                more.notify_all()

    with ThreadPoolExecutor(4) as threads:
        senders = [threads.submit(send, sender) for sender in range(4)]
        for _ in range(3):
            with more:
                goal = len(sent) + 20
                assert more.wait_for(lambda goal=goal: len(sent) >= goal, SECONDS)  # type: ignore[misc]
            own.kill()
            own.start()
        killed.set()
        for sender in senders:
            sender.result(SECONDS)
    assert len(set(sent)) == len(sent)
    # Neither lost nor doubled: a call whose answer was lost by the kill and that was made again is the same task.
    assert count(app) == len(sent)


async def test_a_gateway_that_stays_away_is_an_operational_error(own: GatewayProcess, app: Caraway) -> None:
    own.kill()
    for options in ({"retry": False}, {"retry_policy": {"max_retries": 2, "interval_max": 0.01}}):
        with pytest.raises(exceptions.OperationalError, match=own.target):
            app.send_task("x", **options)  # type: ignore[arg-type]
        with pytest.raises(exceptions.OperationalError):
            await app.asend_task("x", **options)  # type: ignore[arg-type]
    with pytest.raises(exceptions.SubmitError) as raised, app.batch(retry=False):
        app.send_task("x")
    assert isinstance(next(iter(raised.value.errors.values())), exceptions.OperationalError)
    own.start()
    assert count(app) == 0
