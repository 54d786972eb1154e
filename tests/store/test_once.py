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
