"""Queues and workers, as operators see and set them; tasks sent back and purged."""

from caraway_server.core.task import State
from caraway_server.store.requests import MOST_IN_ONE_SCRIPT
from caraway_server.store.values import ReportKind, WorkArrived
from store.kit import Kit


async def test_a_paused_queue_leases_nothing_and_takes_tasks(kit: Kit) -> None:
    await kit.submit("a")
    await kit.submit("b", queue="other")
    await kit.store.operators.set_queue("q", {"paused": "1", "note": "repair"}, stamp=True)
    assert await kit.leased_ids(queues=["q", "other"]) == ["b"]
    await kit.submit("c")
    (facts,) = await kit.store.operators.queues(["q"])
    assert (facts.paused, facts.note, facts.waiting, facts.queued) == (True, "repair", 2, 2)
    assert facts.paused_at > 0


async def test_resuming_wakes_those_who_wait(kit: Kit) -> None:
    await kit.store.operators.set_queue("q", {"paused": "1"})
    await kit.submit("a")
    assert await kit.lease() == []
    kit.notes.clear()
    await kit.store.operators.set_queue("q", {}, clear=["paused", "note", "at"])
    assert kit.notes == [WorkArrived("q")]
    assert await kit.leased_ids() == ["a"]
    assert await kit.redis.exists("caraway:{0}:queue:q", "caraway:{0}:queues", "caraway:{0}:paused") == 0


async def test_a_queue_has_a_limit_of_its_own(kit: Kit) -> None:
    await kit.store.operators.set_queue("q", {"max_length": "2"})
    answers = await kit.store.submit([kit.new(), kit.new(), kit.new(), kit.new(queue="other")])
    assert [answer.word for answer in answers] == ["created", "created", "queue_full", "created"]


async def test_queues_are_listed_by_name(kit: Kit) -> None:
    await kit.submit("a", queue="b", delay=10)
    await kit.store.operators.set_queue("a", {"max_length": "5"})
    assert await kit.store.operators.queue_names() == ["a", "b"]
    first, second = await kit.store.operators.queues(["a", "b"])
    assert (first.max_length, first.waiting) == (5, 0)
    assert (second.waiting, second.queued) == (1, 0)


async def test_a_purge_revokes_what_is_queued_only(kit: Kit) -> None:
    held = await kit.delivered(task_id="held")
    await kit.submit("a", name="x")
    await kit.submit("b", name="y")
    await kit.submit("later", delay=10)
    assert await kit.store.purge("q") == (2, False)
    assert [await kit.state(task) for task in ("held", "a", "b", "later")] == [
        State.LEASED, State.REVOKED, State.REVOKED, State.SCHEDULED,
    ]  # fmt: skip
    assert (await kit.record("a")).cancel_reason == "purged"
    assert (await kit.report(ReportKind.SUCCEEDED, held)).word == "ok"


async def test_a_purge_is_bounded(kit: Kit) -> None:
    most = MOST_IN_ONE_SCRIPT
    await kit.store.submit([kit.new() for _ in range(2 * most + 100)])
    assert [await kit.store.purge("q") for _ in range(3)] == [(most, True), (most, True), (100, False)]


async def test_a_dead_letter_is_sent_back_anew(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a", priority=7, ttl=60)
    lease = (await kit.report(ReportKind.RETRY, lease, blob=b"e")) and await kit.lease_one()
    await kit.report(ReportKind.FAILED, lease, blob=b"error")
    await kit.advance(100)
    assert await kit.store.requeue(["a", "none"]) == ["queued", "not_found"]
    record = await kit.record("a")
    assert (record.state, record.retries, record.error, record.priority) == (State.QUEUED, 0, None, 7)
    assert (await kit.report(ReportKind.SUCCEEDED, lease)).word == "lease_lost"
    again = await kit.lease_one()
    assert int(again.fence) > int(lease.fence)
    assert (await kit.report(ReportKind.SUCCEEDED, again)).word == "ok"
    assert await kit.store.requeue(["a"]) == ["not_retryable"]


async def test_workers_are_known_while_they_are_heard_of(kit: Kit) -> None:
    operators = kit.store.operators
    await operators.note_worker("w", {"state": "active", "info": b"i", "told": b"t", "held": 0}, joined=True)
    lease = await kit.delivered(task_id="a")
    await kit.advance(5)
    await kit.store.renew([("a", lease.fence)], "w")
    (facts,) = await operators.workers(["w", "unknown"])
    assert (facts.state, facts.info, facts.told, facts.held) == ("active", b"i", b"t", 1)
    assert facts.seen - facts.joined >= 5_000_000
    await operators.note_worker("w", {"state": "stopped"})
    assert await operators.worker_ids(0, 10) == ["w"]
    await kit.advance(3599)
    assert (await kit.store.forget_workers(10)).count == 0
    await kit.advance(2)
    assert (await kit.store.forget_workers(10)).count == 1
    assert await operators.worker_ids(0, 10) == []
    await kit.report(ReportKind.SUCCEEDED, lease)


async def test_a_heartbeat_of_a_forgotten_worker_brings_nothing_back(kit: Kit) -> None:
    await kit.store.renew([], "w")
    assert await kit.store.operators.worker_ids(0, 10) == []
