"""Lost deliveries: counted apart from errors, and the task quarantined when there are too many."""

import pytest

from caraway_server.core.task import State
from caraway_server.store.values import ReportKind
from store.kit import LIMITS, QUARANTINED, Kit

MOST = LIMITS.max_lost


async def test_a_dead_process_gives_the_task_back_and_is_counted(kit: Kit) -> None:
    lease = await kit.started(task_id="a")
    answer = await kit.report(ReportKind.LOST, lease, blob=QUARANTINED)
    record = await kit.record("a")
    assert (answer.word, answer.state) == ("ok", State.QUEUED)
    assert (record.lost, record.retries, record.error) == (1, 0, None)


async def test_a_lost_delivery_begins_no_new_attempt(kit: Kit) -> None:
    await kit.report(ReportKind.LOST, await kit.started(task_id="a"))
    lease = await kit.lease_one()
    assert (lease.retries, lease.deliveries, (await kit.record("a")).attempt) == (0, 2, 1)


@pytest.mark.parametrize("how", ["reported", "reaped"])
async def test_a_task_lost_too_often_is_quarantined(kit: Kit, how: str) -> None:
    await kit.submit("a")
    for lost in range(1, MOST + 1):
        lease = await kit.lease_one()
        if how == "reported":
            await kit.report(ReportKind.LOST, lease, blob=QUARANTINED)
        else:
            await kit.wait_out_leases()
        assert (await kit.record("a")).lost == lost
    record = await kit.record("a")
    assert (record.state, record.error, record.deliveries, record.attempt) == (State.FAILED, QUARANTINED, MOST, 1)
    assert await kit.leased_ids() == []


async def test_reported_and_reaped_losses_add_up(kit: Kit) -> None:
    await kit.submit("a")
    for lost in range(MOST):
        lease = await kit.lease_one()
        if lost % 2:
            await kit.report(ReportKind.LOST, lease, blob=QUARANTINED)
        else:
            await kit.wait_out_leases()
    assert await kit.state("a") is State.FAILED


async def test_handing_back_counts_nothing(kit: Kit) -> None:
    await kit.submit("a")
    for _ in range(MOST * 3):
        await kit.report(ReportKind.RELEASED, await kit.lease_one())
    record = await kit.record("a")
    assert (record.state, record.lost, record.retries, record.attempt) == (State.QUEUED, 0, 0, 0)


async def test_errors_are_not_losses(kit: Kit) -> None:
    await kit.submit("a")
    for _ in range(MOST * 3):
        await kit.report(ReportKind.RETRY, await kit.lease_one())
    record = await kit.record("a")
    assert (record.state, record.lost, record.retries) == (State.QUEUED, 0, MOST * 3)


async def test_a_lost_task_whose_cancellation_is_asked_for_is_revoked_even_at_the_limit(kit: Kit) -> None:
    kit.limit(max_lost=1)
    lease = await kit.started(task_id="a")
    await kit.store.revoke(["a"], "c")
    assert (await kit.report(ReportKind.LOST, lease, blob=QUARANTINED)).state == State.REVOKED
    record = await kit.record("a")
    assert (record.lost, record.error) == (1, None)


async def test_a_lost_task_forgets_its_custom_state(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.report(ReportKind.PROGRESS, lease, custom="HALF")
    await kit.report(ReportKind.LOST, lease)
    assert (await kit.record("a")).custom_state == ""
