"""Retries: an attempt that failed is counted, and the task waits in the store for the next one."""

from caraway_server.core.task import State
from caraway_server.store.values import ReportKind
from store.kit import SECOND, Kit


async def test_a_retry_waits_and_counts_an_attempt(kit: Kit) -> None:
    lease = await kit.started(task_id="a")
    before = await kit.now()
    answer = await kit.report(ReportKind.RETRY, lease, blob=b"why", wait=10, ran=2)
    record = await kit.record("a")
    assert (answer.word, answer.state) == ("ok", State.RETRYING)
    assert (record.state, record.attempt, record.retries, record.error) == (State.RETRYING, 1, 1, b"why")
    assert before + 10 * SECOND <= record.due <= await kit.now() + 10 * SECOND


async def test_the_next_attempt_comes_when_it_is_due(kit: Kit) -> None:
    await kit.report(ReportKind.RETRY, await kit.started(task_id="a"), wait=10)
    await kit.advance(9)
    await kit.promote()
    assert await kit.leased_ids() == []
    await kit.advance(2)
    await kit.promote()
    lease = await kit.lease_one()
    assert (lease.task_id, lease.retries, lease.deliveries) == ("a", 1, 2)
    assert (await kit.record("a")).attempt == 2


async def test_attempts_are_counted_to_the_end(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    for attempt in (1, 2, 3):
        assert (await kit.record("a")).attempt == attempt
        await kit.report(ReportKind.RETRY, lease)
        assert (await kit.record("a")).attempt == attempt
        lease = await kit.lease_one()
    await kit.report(ReportKind.SUCCEEDED, lease, blob=b"done")
    record = await kit.record("a")
    assert (record.attempt, record.deliveries, record.lost, record.result) == (4, 4, 0, b"done")


async def test_a_retry_that_is_revoked_counts_no_attempt_more(kit: Kit) -> None:
    await kit.report(ReportKind.RETRY, await kit.started(task_id="a"), wait=10)
    await kit.store.revoke(["a"], "p")
    record = await kit.record("a")
    assert (record.state, record.attempt) == (State.REVOKED, 1)


async def test_a_retry_whose_cancellation_is_asked_for_is_revoked(kit: Kit) -> None:
    lease = await kit.started(task_id="a")
    await kit.store.revoke(["a"], "p")
    assert (await kit.report(ReportKind.RETRY, lease, wait=10)).state == State.REVOKED
    record = await kit.record("a")
    assert (record.state, record.attempt) == (State.REVOKED, 1)


async def test_a_retry_forgets_the_custom_state(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.report(ReportKind.PROGRESS, lease, custom="HALF", blob=b"50")
    assert (await kit.record("a")).custom_state == "HALF"
    await kit.report(ReportKind.RETRY, lease)
    assert (await kit.record("a")).custom_state == ""


async def test_the_error_of_the_last_attempt_is_shown_until_the_end(kit: Kit) -> None:
    await kit.report(ReportKind.RETRY, await kit.delivered(task_id="a"), blob=b"first")
    await kit.report(ReportKind.RETRY, await kit.lease_one(), blob=b"second")
    assert (await kit.record("a")).error == b"second"
    await kit.report(ReportKind.FAILED, await kit.lease_one(), blob=b"last")
    record = await kit.record("a")
    assert (record.state, record.error, record.attempt) == (State.FAILED, b"last", 3)


async def test_a_start_is_remembered_by_its_run_time(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.advance(10)
    now = await kit.now()
    await kit.report(ReportKind.SUCCEEDED, lease, ran=4)
    assert abs((await kit.record("a")).started - (now - 4 * SECOND)) < SECOND
