"""Fencing: a report counts for the delivery that it names and for no other, and may be repeated."""

from typing import Any

import pytest

from caraway_server.core.task import State
from caraway_server.store.codec import token_for, token_parts
from caraway_server.store.values import Lease, Report, ReportKind
from store.kit import Kit

ENDS = {
    ReportKind.SUCCEEDED: State.SUCCEEDED,
    ReportKind.FAILED: State.FAILED,
    ReportKind.RETRY: State.RETRYING,
    ReportKind.RELEASED: State.QUEUED,
    ReportKind.REJECTED: State.REJECTED,
    ReportKind.CANCELLED: State.REVOKED,
    ReportKind.IGNORED: State.IGNORED,
    ReportKind.LOST: State.QUEUED,
}


async def stale(kit: Kit) -> tuple[Lease, Lease]:
    """A delivery that is over, and the current one of the same task."""
    first = await kit.delivered(task_id="a")
    await kit.report(ReportKind.RELEASED, first)
    return first, await kit.lease_one()


@pytest.mark.parametrize("kind", ReportKind)
async def test_a_stale_report_changes_nothing(kit: Kit, kind: ReportKind) -> None:
    first, second = await stale(kit)
    if kind is ReportKind.RELEASED:  # the one report that this delivery did end by
        await kit.report(ReportKind.LOST, second)
        first, second = second, await kit.lease_one()
    before = await kit.redis.dump("caraway:{0}:task:a")
    answer = await kit.report(kind, first, blob=b"late", wait=3)
    assert (answer.word, answer.cancel_requested) == ("lease_lost", False)
    assert await kit.redis.dump("caraway:{0}:task:a") == before
    assert (await kit.report(ReportKind.SUCCEEDED, second)).word == "ok"


@pytest.mark.parametrize("kind", ReportKind)
async def test_a_report_of_an_ended_task_changes_nothing(kit: Kit, kind: ReportKind) -> None:
    ended_by = ReportKind.FAILED if kind is ReportKind.SUCCEEDED else ReportKind.SUCCEEDED
    lease = await kit.ended(ended_by, task_id="a")
    state = await kit.state("a")
    answer = await kit.report(kind, lease)
    assert answer.word == ("ok" if kind is ended_by else "lease_lost")
    assert await kit.state("a") is state


@pytest.mark.parametrize("kind", ENDS)
async def test_a_repeated_report_answers_ok_and_changes_nothing(kit: Kit, kind: ReportKind) -> None:
    lease = await kit.delivered(task_id="a")
    first = await kit.report(kind, lease, blob=b"value", wait=5)
    before = await kit.redis.dump("caraway:{0}:task:a")
    again = await kit.report(kind, lease, blob=b"value", wait=5)
    assert (first.word, first.state) == ("ok", ENDS[kind])
    assert (again.word, again.state) == ("ok", ENDS[kind])
    assert await kit.redis.dump("caraway:{0}:task:a") == before


async def test_a_start_that_came_too_late_may_be_reported_again(kit: Kit) -> None:
    lease = await kit.delivered(ttl=1)
    await kit.advance(2)
    answers = [await kit.report(ReportKind.STARTED, lease) for _ in range(2)]
    assert [(answer.word, answer.state) for answer in answers] == [("ok", State.EXPIRED)] * 2


async def test_a_failure_that_the_policy_turned_into_a_retry_may_be_reported_again(kit: Kit) -> None:
    # The gateway decides anew on a repeat, and by then the attempt that failed is counted: it may decide otherwise.
    lease = await kit.delivered(task_id="a")
    await kit.report(ReportKind.RETRY, lease, wait=5)
    again = await kit.report(ReportKind.FAILED, lease)
    assert (again.word, again.state) == ("ok", State.RETRYING)


@pytest.mark.parametrize("kind", ReportKind)
async def test_a_report_of_an_unknown_task_is_not_found(kit: Kit, kind: ReportKind) -> None:
    answer = (await kit.store.report([Report(kind, "unknown", "1")]))[0]
    assert (answer.word, answer.state) == ("not_found", 0)


async def test_a_report_of_a_deleted_task_is_not_found(kit: Kit) -> None:
    lease = await kit.ended(task_id="a")
    await kit.store.delete(["a"])
    assert (await kit.report(ReportKind.SUCCEEDED, lease)).word == "not_found"


async def test_a_waiting_task_takes_no_report(kit: Kit) -> None:
    await kit.submit("a")
    for fence in ("", "0", "1", "none", "nil"):
        answer = (await kit.store.report([Report(ReportKind.SUCCEEDED, "a", fence)]))[0]
        assert (answer.word, answer.state) == ("lease_lost", State.QUEUED)


async def test_the_fence_grows_with_every_delivery(kit: Kit) -> None:
    fences = [int((await kit.delivered(task_id="a")).fence)]
    for _ in range(5):
        await kit.wait_out_leases()
        fences.append(int((await kit.lease_one()).fence))
        await kit.report(ReportKind.RELEASED, Lease("a", str(fences[-1]), b"", 0, 0, 0, 0))
        fences.append(int((await kit.lease_one()).fence))
        if (await kit.record("a")).lost == 2:
            break
    assert fences == sorted(set(fences))


async def test_the_fence_grows_even_when_the_clock_is_set_back(kit: Kit) -> None:
    first = await kit.delivered(task_id="a")
    await kit.report(ReportKind.RELEASED, first)
    await kit.advance(-3600)
    second = await kit.lease_one()
    assert int(second.fence) == int(first.fence) + 1


async def test_a_fence_is_not_repeated_after_a_failover_that_lost_a_delivery(kit: Kit) -> None:
    await kit.submit("a")
    saved: Any = await kit.redis.hgetall("caraway:{0}:task:a")
    lost = await kit.lease_one()
    await kit.report(ReportKind.RELEASED, lost)
    await kit.redis.delete("caraway:{0}:task:a")
    await kit.redis.hset("caraway:{0}:task:a", mapping=saved)
    assert int((await kit.lease_one()).fence) > int(lost.fence)


@pytest.mark.parametrize("token", ["", "x", ".", "12", ".a", "x.a", "-1.a", "1 .a", "none.a"])
def test_a_malformed_token_names_no_delivery(token: str) -> None:
    assert not token_parts(token)[1].isdecimal()


@pytest.mark.parametrize("task_id", ["a", "a.b", "1.2.3", "with space", "ü"])
def test_a_token_gives_back_what_it_was_made_of(task_id: str) -> None:
    assert token_parts(token_for(task_id, "1234")) == (task_id, "1234")
