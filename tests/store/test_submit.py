"""Submitting: what is taken, what is known already, what is refused, and that a refusal leaves nothing."""

import pytest

from caraway_server.core.task import State
from caraway_server.settings import Settings
from caraway_server.store import keys
from caraway_server.store.requests import MOST_IN_ONE_SCRIPT
from caraway_server.store.values import ReportKind
from store.kit import SECOND, Kit

YEAR = 365 * 86400


async def test_a_new_task_waits_for_a_worker(kit: Kit) -> None:
    before = await kit.now()
    answer = await kit.take(kit.new("a", name="add", queue="mail", priority=7, spec=b"the spec"))
    record = await kit.record("a")
    assert (answer.word, answer.state, answer.revision) == ("created", State.QUEUED, 1)
    assert (record.name, record.queue, record.priority, record.spec) == ("add", "mail", 7, b"the spec")
    assert before <= answer.created == record.created <= await kit.now()


async def test_the_same_submit_twice_is_one_task(kit: Kit) -> None:
    new = kit.new("a")
    assert (await kit.take(new)).word == "created"
    again = await kit.take(new)
    assert (again.word, again.state, again.revision) == ("known", State.QUEUED, 1)
    assert await kit.leased_ids() == ["a"]


async def test_a_repeat_tells_how_the_task_stands_now(kit: Kit) -> None:
    new = kit.new("a")
    await kit.take(new)
    lease = await kit.lease_one()
    await kit.report(ReportKind.SUCCEEDED, lease)
    again = await kit.take(new)
    assert (again.word, again.state, again.revision) == ("known", State.SUCCEEDED, 3)


async def test_an_id_with_another_spec_is_a_conflict_and_changes_nothing(kit: Kit) -> None:
    await kit.submit("a", spec=b"one", fingerprint=b"1")
    before = await kit.record("a")
    assert (await kit.take(kit.new("a", spec=b"two", fingerprint=b"2"))).word == "conflict"
    assert await kit.record("a") == before


async def test_twice_in_one_batch_is_one_task(kit: Kit) -> None:
    answers = await kit.store.submit([kit.new("a"), kit.new("b"), kit.new("a"), kit.new("a", fingerprint=b"else")])
    assert [answer.word for answer in answers] == ["created", "created", "known", "conflict"]
    assert (answers[2].state, answers[2].revision) == (State.QUEUED, 1)
    assert await kit.leased_ids() == ["a", "b"]


async def test_a_scheduled_repeat_in_one_batch_is_known_as_scheduled(kit: Kit) -> None:
    answers = await kit.store.submit([kit.new("a", delay=9), kit.new("a", delay=9)])
    assert [(answer.word, answer.state) for answer in answers] == [("created", 2), ("known", State.SCHEDULED)]


async def test_a_deleted_id_is_still_known(kit: Kit) -> None:
    await kit.ended(task_id="a")
    assert await kit.store.delete(["a"]) == ["deleted"]
    assert (await kit.take(kit.new("a"))).word == "deleted"
    assert (await kit.take(kit.new("a", fingerprint=b"else"))).word == "conflict"
    assert await kit.state("a") is State.TOMBSTONE


async def test_an_id_is_free_again_after_the_window(kit: Kit) -> None:
    await kit.ended(task_id="a")
    await kit.store.delete(["a"])
    await kit.advance(kit.store.limits.dedup_window / SECOND - 1)
    await kit.prune()
    assert (await kit.take(kit.new("a"))).word == "deleted"
    await kit.advance(2)
    await kit.prune()
    assert (await kit.take(kit.new("a", fingerprint=b"else"))).word == "created"


async def test_all_or_nothing_takes_nothing_when_one_is_refused(kit: Kit) -> None:
    await kit.submit("taken", fingerprint=b"1")
    batch = [kit.new("a"), kit.new("taken", fingerprint=b"2"), kit.new("b", delay=5)]
    answers = await kit.store.submit(batch, all_or_nothing=True)
    assert [answer.word for answer in answers] == ["rejected", "conflict", "rejected"]
    assert await kit.store.get(["a", "b"]) == [None, None]


async def test_all_or_nothing_holds_for_the_largest_batch(kit: Kit) -> None:
    batch = [kit.new() for _ in range(Settings().max_batch_size)]
    await kit.submit(batch[-1].task_id, fingerprint=b"another")
    assert {answer.word for answer in (await kit.store.submit(batch, all_or_nothing=True))[:-1]} == {"rejected"}


async def test_all_or_nothing_takes_all_and_may_be_repeated(kit: Kit) -> None:
    batch = [kit.new("a"), kit.new("b")]
    assert [answer.word for answer in await kit.store.submit(batch, all_or_nothing=True)] == ["created", "created"]
    assert [answer.word for answer in await kit.store.submit(batch, all_or_nothing=True)] == ["known", "known"]


async def test_a_full_queue_takes_no_more_until_there_is_room(kit: Kit) -> None:
    kit.limit(max_queue_length=3)
    answers = await kit.store.submit([kit.new(f"t{n}", delay=n % 2 * 60) for n in range(5)])
    assert [answer.word for answer in answers] == ["created"] * 3 + ["queue_full"] * 2
    assert (await kit.take(kit.new("elsewhere", queue="other"))).word == "created"
    await kit.lease_one()
    assert (await kit.take(kit.new("t9"))).word == "created"
    assert (await kit.take(kit.new("t10"))).word == "queue_full"


async def test_a_known_task_needs_no_room(kit: Kit) -> None:
    kit.limit(max_queue_length=1)
    new = kit.new("a")
    await kit.take(new)
    assert (await kit.take(new)).word == "known"


async def test_what_is_handed_back_finds_room_in_a_full_queue(kit: Kit) -> None:
    kit.limit(max_queue_length=1)
    lease = await kit.delivered(task_id="a")
    await kit.submit("b")
    assert (await kit.report(ReportKind.RELEASED, lease)).state == State.QUEUED


@pytest.mark.parametrize("field", ["at", "until"])
async def test_an_instant_beyond_the_horizon_is_refused(kit: Kit, field: str) -> None:
    far = await kit.now() + 10 * YEAR * SECOND
    beyond, within = (kit.new("a")._replace(**{field: far + more * SECOND}) for more in (10, -10))
    assert (await kit.take(beyond)).word == "too_far"
    assert (await kit.take(within)).word == "created"


async def test_a_large_batch_is_cut_into_scripts(kit: Kit) -> None:
    answers = await kit.store.submit([kit.new(f"t{n:04}") for n in range(MOST_IN_ONE_SCRIPT * 2 + 1)])
    assert {answer.word for answer in answers} == {"created"}
    assert await kit.redis.hget(keys.DEPTH, "q") == str(MOST_IN_ONE_SCRIPT * 2 + 1).encode()


async def test_an_empty_batch_is_no_call(kit: Kit) -> None:
    assert await kit.store.submit([]) == []
    assert await kit.redis.dbsize() == 0
