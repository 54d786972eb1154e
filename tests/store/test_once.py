"""At most once: what has started never starts again."""

import pytest

from caraway_server.core.task import State
from caraway_server.store.values import ReportKind
from store.kit import LOST, Kit


@pytest.mark.parametrize("kind", [ReportKind.LOST, ReportKind.RELEASED])
async def test_a_started_one_that_comes_back_has_failed(kit: Kit, kind: ReportKind) -> None:
    lease = await kit.started(task_id="a", once=True)
    assert (await kit.report(kind, lease)).state == State.FAILED
    assert (await kit.record("a")).error == LOST
    assert await kit.lease() == []


async def test_a_started_one_whose_lease_runs_out_has_failed(kit: Kit) -> None:
    await kit.started(task_id="a", once=True)
    await kit.wait_out_leases()
    assert await kit.state("a") is State.FAILED


@pytest.mark.parametrize("kind", [ReportKind.LOST, ReportKind.RELEASED])
async def test_one_that_had_not_started_goes_back(kit: Kit, kind: ReportKind) -> None:
    lease = await kit.delivered(task_id="a", once=True)
    assert (await kit.report(kind, lease)).state == State.QUEUED
    assert await kit.leased_ids() == ["a"]


async def test_it_may_ask_for_its_retry(kit: Kit) -> None:
    lease = await kit.started(task_id="a", once=True)
    assert (await kit.report(ReportKind.RETRY, lease)).state == State.QUEUED


async def test_a_cancelled_one_that_is_lost_is_revoked(kit: Kit) -> None:
    lease = await kit.started(task_id="a", once=True)
    await kit.store.revoke(["a"], "p")
    assert (await kit.report(ReportKind.LOST, lease)).state == State.REVOKED


async def test_the_worker_that_starts_it_may_say_so(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    answers = [await kit.report(ReportKind.STARTED, lease, once=True) for _ in range(2)]
    assert [(answer.word, answer.state) for answer in answers] == [("ok", State.RUNNING)] * 2
    assert await kit.wrong() == []
    await kit.wait_out_leases()
    assert (await kit.state("a"), (await kit.record("a")).error) == (State.FAILED, LOST)


async def test_a_worker_may_say_so_after_the_progress(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.report(ReportKind.PROGRESS, lease)
    await kit.report(ReportKind.STARTED, lease, once=True)
    assert (await kit.report(ReportKind.LOST, lease)).state == State.FAILED


async def test_what_a_worker_said_does_not_bind_the_next_one(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.report(ReportKind.STARTED, lease, once=True)
    await kit.report(ReportKind.RETRY, lease)
    lease = await kit.lease_one()
    await kit.report(ReportKind.STARTED, lease)
    assert (await kit.report(ReportKind.LOST, lease)).state == State.QUEUED


async def test_what_was_submitted_so_binds_every_worker(kit: Kit) -> None:
    lease = await kit.started(task_id="a", once=True)
    await kit.report(ReportKind.RETRY, lease)
    lease = await kit.lease_one()
    await kit.report(ReportKind.STARTED, lease, once=True)
    await kit.report(ReportKind.RETRY, lease)
    lease = await kit.lease_one()
    await kit.report(ReportKind.STARTED, lease)
    assert (await kit.report(ReportKind.LOST, lease)).state == State.FAILED


async def test_a_stale_start_makes_nothing_of_it(kit: Kit) -> None:
    stale = await kit.delivered(task_id="a")
    await kit.report(ReportKind.RELEASED, stale)
    lease = await kit.lease_one()
    assert (await kit.report(ReportKind.STARTED, stale, once=True)).word == "lease_lost"
    await kit.report(ReportKind.STARTED, lease)
    assert (await kit.report(ReportKind.LOST, lease)).state == State.QUEUED


@pytest.mark.parametrize("once", [True, False])
async def test_a_start_that_waits_for_its_answer_hears_of_a_revocation(kit: Kit, once: bool) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.store.revoke(["a"], "p")
    assert (await kit.report(ReportKind.STARTED, lease, once=once)).cancel_requested is once
