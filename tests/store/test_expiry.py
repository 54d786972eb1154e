"""Expiry: a task that has not started in time never starts, wherever it is."""

import pytest

from caraway_server.core.task import State
from caraway_server.store import keys
from caraway_server.store.values import ReportKind
from store.kit import SECOND, Kit


@pytest.mark.parametrize("delay", [0, 60])
async def test_a_waiting_task_expires(kit: Kit, delay: float) -> None:
    await kit.submit("a", ttl=5, delay=delay)
    assert (await kit.expire()).count == 0
    await kit.advance(6)
    assert (await kit.expire()).count == 1
    record = await kit.record("a")
    assert (record.state, record.attempt) == (State.EXPIRED, 0)
    assert record.ended >= record.created + 5 * SECOND


async def test_an_instant_is_kept_as_it_is(kit: Kit) -> None:
    until = await kit.now() + 5 * SECOND
    await kit.submit("a", until=until)
    assert (await kit.record("a")).expires == until


async def test_one_that_expired_before_it_came_ends_at_the_next_look(kit: Kit) -> None:
    await kit.submit("a", until=await kit.now() - SECOND)
    assert await kit.leased_ids() == []
    assert await kit.state("a") is State.EXPIRED


async def test_a_task_that_is_due_too_late_expires_at_its_promotion(kit: Kit) -> None:
    await kit.submit("a", ttl=5, delay=6)
    await kit.advance(7)
    assert (await kit.promote()).count == 1
    assert await kit.state("a") is State.EXPIRED


async def test_a_delivered_task_is_left_to_its_worker(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a", ttl=5)
    await kit.advance(6)
    await kit.expire()
    assert await kit.state("a") is State.LEASED
    assert (await kit.report(ReportKind.SUCCEEDED, lease)).state == State.SUCCEEDED


async def test_a_start_after_its_time_is_refused(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a", ttl=5)
    await kit.advance(6)
    assert (await kit.report(ReportKind.STARTED, lease)).state == State.EXPIRED
    assert await kit.state("a") is State.EXPIRED
    assert (await kit.report(ReportKind.SUCCEEDED, lease)).word == "lease_lost"


async def test_a_start_in_time_that_is_told_late_counts(kit: Kit) -> None:
    lease = await kit.delivered(ttl=5)
    await kit.advance(6)
    assert (await kit.report(ReportKind.STARTED, lease, ran=3)).state == State.RUNNING


async def test_a_running_task_does_not_expire(kit: Kit) -> None:
    lease = await kit.started(task_id="a", ttl=5)
    assert await kit.redis.zcard(keys.EXPIRING) == 0
    await kit.advance(60)
    await kit.expire()
    assert (await kit.report(ReportKind.SUCCEEDED, lease)).state == State.SUCCEEDED


async def test_progress_is_a_start(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a", ttl=5)
    await kit.report(ReportKind.PROGRESS, lease, blob=b"half")
    await kit.advance(60)
    await kit.expire()
    assert await kit.state("a") is State.RUNNING


@pytest.mark.parametrize("kind", [ReportKind.RELEASED, ReportKind.LOST, ReportKind.RETRY])
async def test_a_task_that_comes_back_too_late_expires(kit: Kit, kind: ReportKind) -> None:
    lease = await kit.started(task_id="a", ttl=5)
    await kit.advance(6)
    assert (await kit.report(kind, lease, wait=1)).state == State.EXPIRED


@pytest.mark.parametrize("kind", [ReportKind.RELEASED, ReportKind.LOST, ReportKind.RETRY])
async def test_a_task_that_comes_back_in_time_may_still_expire(kit: Kit, kind: ReportKind) -> None:
    lease = await kit.started(task_id="a", ttl=5)
    await kit.report(kind, lease, wait=60)
    await kit.advance(6)
    assert (await kit.expire()).count == 1
    assert await kit.state("a") is State.EXPIRED


async def test_a_lease_that_runs_out_too_late_ends_the_task(kit: Kit) -> None:
    await kit.started(task_id="a", ttl=5)
    await kit.wait_out_leases()
    assert await kit.state("a") is State.EXPIRED


async def test_an_expired_task_is_not_leased_even_before_the_expirer_comes(kit: Kit) -> None:
    await kit.submit("a", ttl=5)
    await kit.advance(6)
    assert await kit.leased_ids() == []
    assert await kit.state("a") is State.EXPIRED


async def test_the_expirer_is_told_when_to_come_again(kit: Kit) -> None:
    await kit.submit(ttl=10)
    next_in = (await kit.expire()).next_in
    assert next_in is not None
    assert 9 < next_in <= 10
