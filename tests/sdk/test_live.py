"""The SDK against a real gateway: what only the gateway decides. tests/e2e has what needs workers."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from caraway import Caraway, exceptions
from caraway.ids import uuid7
from caraway.json_text import decode_text
from support.gateway import GatewayProcess

VECTORS = json.loads((Path(__file__).parents[1] / "conformance" / "vectors" / "payload.json").read_text("utf-8"))


@pytest.fixture
def live(gateway: GatewayProcess) -> Iterator[Caraway]:
    """An app of the session's gateway, with a queue of the test's own that no worker serves."""
    app = Caraway("live", target=gateway.target, default_queue=f"live-{uuid7()}")
    yield app
    app.close()


def test_every_value_of_the_contract_is_kept_as_it_was(live: Caraway) -> None:
    values = [decode_text(vector["json"]) for vector in VECTORS["values"]]
    result = live.send_task("x", values, {"values": values})
    assert result.args == tuple(values)
    assert result.kwargs == {"values": values}


def test_options_are_kept(live: Caraway) -> None:
    result = live.send_task("x", countdown=3600, priority=9, queue=f"{live.default_queue}/other")
    assert (result.state, result.name, result.retries, result.date_done) == ("PENDING", "x", 0, None)
    assert result.queue == f"{live.default_queue}/other"
    result.revoke(reason="not wanted")
    assert result.state == "REVOKED"
    assert result.date_done is not None
    assert abs(datetime.now(UTC) - result.date_done) < timedelta(minutes=5)
    with pytest.raises(exceptions.TaskRevokedError):
        result.get(timeout=10)


def test_the_same_submit_twice_is_one_task_and_another_is_a_conflict(live: Caraway) -> None:
    task_id = uuid7()
    for _ in range(2):
        live.send_task("x", [1, {"a", "b"}], task_id=task_id)
    with pytest.raises(exceptions.TaskIdConflict) as raised:
        live.send_task("x", [2], task_id=task_id)
    assert raised.value.metadata["task_id"] == task_id
    with pytest.raises(exceptions.SubmitError) as several:
        live.submit_many([live.signature("x", task_id=task_id), live.signature("x")])
    assert isinstance(several.value.errors[task_id], exceptions.TaskIdConflict)
    assert len(several.value.results) == 1


def test_refusals_name_the_field_or_the_size(live: Caraway) -> None:
    with pytest.raises(exceptions.InvalidTask) as raised:
        live.send_task("x", countdown=timedelta(days=365 * 20))
    assert "delay" in raised.value.metadata["field"]
    with pytest.raises(exceptions.InvalidTask) as raised:
        live.send_task("x", queue="no queue's name")
    assert "queue" in raised.value.metadata["field"]
    with pytest.raises(exceptions.PayloadTooLarge):
        live.send_task("x", ["x" * (3 * 2**20 + 1)])
    with pytest.raises(exceptions.PayloadTooLarge):
        live.send_task("x", ["x" * (6 * 2**20)])


def test_a_task_that_has_ended_is_forgotten_and_one_that_has_not_is_kept(live: Caraway) -> None:
    result = live.send_task("x")
    with pytest.raises(ValueError, match="not ended"):
        result.forget()
    result.revoke()
    result.forget()
    for read in (lambda: result.state, result.get, result.forget, result.revoke):
        with pytest.raises(exceptions.TaskNotFound):
            read()


def test_a_wait_ends_with_its_timeout_and_with_the_task(live: Caraway) -> None:
    result = live.send_task("x")
    with pytest.raises(exceptions.TimeoutError):
        result.get(timeout=0.2)
    with pytest.raises(exceptions.TimeoutError):
        result.get(timeout=0)
    expiring = live.send_task("x", expires=0.2)
    with pytest.raises(exceptions.TaskExpiredError):
        expiring.get(timeout=20)
    assert expiring.state == "REVOKED"


async def test_async_twins_and_large_batches(live: Caraway) -> None:
    async with live.batch() as batch:
        results = [await live.asend_task("x", [number, "y" * 20_000]) for number in range(1_000)]
    assert batch.accepted == 1_000
    assert await results[-1].astate() == "PENDING"
    await results[-1].arevoke()
    with pytest.raises(exceptions.TaskRevokedError):
        await results[-1].aget(timeout=10)


def test_a_gateway_that_is_killed_and_comes_back_takes_every_task_once(gateways: Callable[..., GatewayProcess]) -> None:
    gateway = gateways()
    app = Caraway("live", target=gateway.target)
    first = app.send_task("x")
    gateway.kill()
    with app.batch():
        results = [app.send_task("x", [number]) for number in range(700)]
        gateway.start()
    assert {result.state for result in [first, *results]} == {"PENDING"}
    app.close()
