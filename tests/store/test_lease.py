"""Leasing: how many, of which names and queues, how large, and what a delivery says."""

from caraway_server.core.task import State
from caraway_server.store.requests import MOST_IN_ONE_SCRIPT
from caraway_server.store.values import ReportKind
from store.kit import MANY, SECOND, Kit


async def test_a_delivery_says_what_to_run_and_who_holds_it(kit: Kit) -> None:
    await kit.submit("a", spec=b"the spec", ttl=60)
    before = await kit.now()
    lease = await kit.lease_one(worker="worker-7")
    record = await kit.record("a")
    assert (lease.task_id, lease.spec, lease.retries, lease.deliveries) == ("a", b"the spec", 0, 1)
    assert lease.created == record.created
    assert 59 * SECOND < lease.expires_in <= 60 * SECOND
    assert before <= int(lease.fence) == record.fence <= await kit.now()
    assert (record.state, record.worker_id, record.attempt, record.revision) == (State.LEASED, "worker-7", 1, 2)


async def test_a_task_without_expiry_says_so(kit: Kit) -> None:
    assert (await kit.delivered()).expires_in == 0


async def test_no_more_than_the_count(kit: Kit) -> None:
    for n in range(5):
        await kit.submit(f"t{n}", name=f"name{n % 2}")
    leases, more = await kit.store.lease("w", ["q"], None, 3, MANY)
    assert ([lease.task_id for lease in leases], more) == (["t0", "t1", "t2"], True)
    leases, more = await kit.store.lease("w", ["q"], None, 3, MANY)
    assert ([lease.task_id for lease in leases], more) == (["t3", "t4"], False)


async def test_no_more_than_one_script_may_handle(kit: Kit) -> None:
    await kit.store.submit([kit.new() for _ in range(MOST_IN_ONE_SCRIPT + 100)])
    assert len(await kit.lease(MOST_IN_ONE_SCRIPT + 100)) == MOST_IN_ONE_SCRIPT


async def test_the_bytes_cut_a_batch_and_leave_the_rest_in_place(kit: Kit) -> None:
    for n, size in enumerate((40, 40, 40, 10)):
        await kit.submit(f"t{n}", spec=b"x" * size)
    assert await kit.leased_ids(max_bytes=100) == ["t0", "t1"]
    assert await kit.leased_ids(max_bytes=100) == ["t2", "t3"]


async def test_the_first_lease_may_go_over_the_bytes(kit: Kit) -> None:
    await kit.submit("large", spec=b"x" * 1000)
    await kit.submit("next")
    assert await kit.leased_ids(max_bytes=10) == ["large"]


async def test_only_the_names_asked_for(kit: Kit) -> None:
    for n in range(6):
        await kit.submit(f"t{n}", name="abc"[n % 3])
    assert await kit.leased_ids(names=["c", "a", "unknown"]) == ["t0", "t2", "t3", "t5"]
    assert await kit.leased_ids(names=[]) == []
    assert await kit.leased_ids(names=None) == ["t1", "t4"]


async def test_only_the_queues_asked_for(kit: Kit) -> None:
    await kit.submit("here", queue="q")
    await kit.submit("there", queue="r")
    assert await kit.leased_ids(queues=["r", "empty"]) == ["there"]
    assert await kit.leased_ids(queues=[]) == []


async def test_an_unknown_name_waits_visible(kit: Kit) -> None:
    await kit.submit("a", name="nobody.runs.it")
    assert await kit.leased_ids(names=["something.else"]) == []
    assert await kit.state("a") is State.QUEUED


async def test_expired_tasks_at_the_head_are_skipped_and_ended(kit: Kit) -> None:
    for n in range(200):
        await kit.submit(f"old{n}", ttl=1)
    await kit.submit("good")
    await kit.advance(2)
    got: list[str] = []
    for _ in range(10):  # what one call examines is bounded
        leases, more = await kit.store.lease("w", ["q"], None, 4, MANY)
        got += [lease.task_id for lease in leases]
        if not more:
            break
    assert got == ["good"]
    assert {await kit.state(f"old{n}") for n in range(200)} == {State.EXPIRED}


async def test_two_workers_never_get_the_same_task(kit: Kit) -> None:
    await kit.store.submit([kit.new(f"t{n}") for n in range(50)])
    first = await kit.leased_ids(30, worker="one")
    second = await kit.leased_ids(30, worker="two")
    assert (len(first), len(second)) == (30, 20)
    assert not set(first) & set(second)


async def test_a_second_delivery_counts_itself_but_no_attempt(kit: Kit) -> None:
    await kit.report(ReportKind.RELEASED, await kit.delivered(task_id="a"))
    lease = await kit.lease_one()
    assert (lease.deliveries, lease.retries) == (2, 0)
    assert (await kit.record("a")).attempt == 1
