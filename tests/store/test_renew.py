"""Renewal: lists what is held, tells what is not, and moves with the worker's stream."""

from caraway_server.store import keys
from caraway_server.store.store import RENEW_IN_ONE_SCRIPT
from caraway_server.store.values import ReportKind
from store.kit import LIMITS, SECOND, Kit


async def test_it_extends_the_lease_and_leaves_the_record_alone(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    before = await kit.redis.dump(keys.task("a"))
    await kit.advance(5)
    now = await kit.now()
    assert (await kit.store.renew([("a", lease.fence)])).lost == []
    score = await kit.redis.zscore(keys.LEASES, "a")
    assert score is not None
    assert abs(score - now - LIMITS.lease) < SECOND
    assert await kit.redis.dump(keys.task("a")) == before


async def test_every_kind_of_lost_lease_is_told(kit: Kit) -> None:
    held = await kit.delivered(task_id="held")
    ended = await kit.ended(task_id="ended")
    released = await kit.delivered(task_id="released")
    await kit.report(ReportKind.RELEASED, released)
    current = await kit.lease_one()
    renewed = await kit.store.renew(
        [("held", held.fence), ("ended", ended.fence), ("released", released.fence), ("released", current.fence),
         ("unknown", "1"), ("held", "none")],
    )  # fmt: skip
    assert renewed.lost == [
        ("ended", ended.fence), ("released", released.fence), ("unknown", "1"), ("held", "none"),
    ]  # fmt: skip


async def test_what_is_not_listed_is_not_renewed(kit: Kit) -> None:
    await kit.submit("listed")
    await kit.submit("forgotten")
    listed, _ = await kit.lease()
    taken = await kit.reap()
    for _ in range(5):
        await kit.advance(4)
        await kit.store.renew([("listed", listed.fence)])
        taken += await kit.reap()
    assert [task_id for task_id, _ in taken] == ["forgotten"]


async def test_a_taken_back_lease_is_not_revived(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a")
    await kit.wait_out_leases()
    assert (await kit.store.renew([("a", lease.fence)])).lost == [("a", lease.fence)]
    assert await kit.redis.zscore(keys.LEASES, "a") is None


async def test_more_than_one_script_holds(kit: Kit) -> None:
    count = RENEW_IN_ONE_SCRIPT + 500
    await kit.store.submit([kit.new(f"t{n:04}") for n in range(count)])
    leases = await kit.lease_all(count)
    held = [(lease.task_id, lease.fence) for lease in leases]
    held[1] = ("t0001", "7")
    held[RENEW_IN_ONE_SCRIPT + 5] = (held[RENEW_IN_ONE_SCRIPT + 5][0], "8")
    await kit.store.revoke([held[0][0], held[-1][0]], "c")
    renewed = await kit.store.renew(held)
    assert [fence for _, fence in renewed.lost] == ["7", "8"]
    assert [cancel.task_id for cancel in renewed.cancels] == [held[0][0], held[-1][0]]


async def test_an_empty_renewal_is_no_call(kit: Kit) -> None:
    renewed = await kit.store.renew([])
    assert (renewed.lost, renewed.cancels) == ([], [])
