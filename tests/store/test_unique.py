"""Uniqueness: one task a key, and nothing leaves a key locked."""

import pytest

from caraway_server.core.task import State
from caraway_server.store.values import ReportKind
from store.kit import Kit


async def test_a_held_key_refuses(kit: Kit) -> None:
    await kit.submit("a", unique="k")
    answer = await kit.take(kit.new("b", unique="k"))
    assert (answer.word, answer.holder) == ("unique_conflict", "a")
    assert await kit.state("b") is None
    await kit.submit("c", unique="another")


async def test_the_holder_is_returned_where_asked_for(kit: Kit) -> None:
    await kit.submit("a", unique="k")
    answer = await kit.take(kit.new("b", unique="k", on_conflict="e"))
    assert (answer.word, answer.holder, answer.state) == ("deduplicated", "a", State.QUEUED)
    assert await kit.state("b") is None


async def test_a_waiting_holder_is_replaced(kit: Kit) -> None:
    await kit.submit("a", unique="k", delay=20)
    assert (await kit.take(kit.new("b", unique="k", on_conflict="p"))).word == "replaced"
    assert (await kit.record("a")).cancel_reason == "replaced by b"
    assert [await kit.state("a"), await kit.state("b")] == [State.REVOKED, State.QUEUED]
    assert (await kit.take(kit.new("c", unique="k"))).holder == "b"


async def test_a_holder_that_a_worker_has_is_not_replaced(kit: Kit) -> None:
    await kit.delivered(task_id="a", unique="k")
    assert (await kit.take(kit.new("b", unique="k", on_conflict="p"))).word == "unique_conflict"


@pytest.mark.parametrize("kind", [ReportKind.SUCCEEDED, ReportKind.FAILED, ReportKind.REJECTED, ReportKind.IGNORED])
async def test_the_end_frees_the_key(kit: Kit, kind: ReportKind) -> None:
    await kit.ended(kind, task_id="a", unique="k")
    await kit.submit("b", unique="k")


async def test_revocation_and_expiry_free_the_key(kit: Kit) -> None:
    await kit.submit("a", unique="k")
    await kit.store.revoke(["a"], "p")
    await kit.submit("b", unique="k", ttl=5)
    await kit.advance(6)
    await kit.expire()
    await kit.submit("c", unique="k")


async def test_a_retry_keeps_the_key(kit: Kit) -> None:
    lease = await kit.delivered(task_id="a", unique="k")
    await kit.report(ReportKind.RETRY, lease, wait=10)
    assert (await kit.take(kit.new("b", unique="k"))).word == "unique_conflict"


async def test_a_window_outlasts_the_task(kit: Kit) -> None:
    await kit.ended(task_id="a", unique="k", window=60)
    assert (await kit.take(kit.new("b", unique="k"))).holder == "a"
    await kit.advance(61)
    await kit.submit("c", unique="k")


async def test_a_window_ends_while_the_task_waits(kit: Kit) -> None:
    await kit.submit("a", unique="k", window=60)
    await kit.advance(61)
    await kit.submit("b", unique="k", window=60)
    await kit.store.revoke(["a"], "p")
    assert (await kit.take(kit.new("c", unique="k"))).holder == "b"


async def test_within_one_batch_the_first_has_it(kit: Kit) -> None:
    first, second, third = kit.new("a", unique="k"), kit.new("b", unique="k"), kit.new("c", unique="k", on_conflict="e")
    answers = await kit.store.submit([first, second, third])
    assert [answer.word for answer in answers] == ["created", "unique_conflict", "deduplicated"]
    assert answers[2].holder == "a" and answers[2].state == State.QUEUED


async def test_a_full_queue_has_an_answer_for_who_needs_no_room(kit: Kit) -> None:
    await kit.store.operators.set_queue("q", {"max_length": "1"})
    await kit.submit("a", unique="k")
    answer = await kit.take(kit.new("b", unique="k", on_conflict="e"))
    assert (answer.word, answer.holder) == ("deduplicated", "a")
    assert (await kit.take(kit.new("c", unique="k"))).word == "unique_conflict"
    assert (await kit.take(kit.new("d", unique="other", on_conflict="e"))).word == "queue_full"
    # The queue stays full: d took neither room nor its key.
    await kit.submit("e", unique="other", queue="elsewhere")


async def test_who_is_replaced_makes_room_in_a_full_queue(kit: Kit) -> None:
    await kit.store.operators.set_queue("q", {"max_length": "1"})
    await kit.submit("a", unique="k")
    answers = await kit.store.submit([kit.new("b", unique="k", on_conflict="p"), kit.new("c")])
    assert [answer.word for answer in answers] == ["replaced", "queue_full"]
    assert await kit.state("a") == State.REVOKED
    elsewhere = kit.new("d", unique="k", on_conflict="p", queue="elsewhere")
    answers = await kit.store.submit([elsewhere, kit.new("e"), kit.new("f")])
    assert [answer.word for answer in answers] == ["replaced", "created", "queue_full"]


async def test_who_can_t_be_taken_makes_no_room(kit: Kit) -> None:
    for queue in ("q", "full"):
        await kit.store.operators.set_queue(queue, {"max_length": "1"})
    await kit.submit("a", unique="k")
    await kit.submit("b", queue="full")
    answers = await kit.store.submit([kit.new("c", unique="k", on_conflict="p", queue="full"), kit.new("d")])
    assert [answer.word for answer in answers] == ["queue_full", "queue_full"]
    assert await kit.state("a") == State.QUEUED


async def test_the_same_submit_again_is_no_conflict(kit: Kit) -> None:
    new = kit.new("a", unique="k")
    assert [(await kit.take(new)).word, (await kit.take(new)).word] == ["created", "known"]


async def test_a_key_whose_holder_is_gone_is_free(kit: Kit) -> None:
    # What a crash of the store between two writes could leave, if a script were not atomic: the record decides.
    await kit.redis.set("caraway:{0}:unique:k", "gone 0")
    await kit.submit("a", unique="k")


async def test_a_task_sent_back_takes_its_key_again(kit: Kit) -> None:
    await kit.ended(ReportKind.FAILED, task_id="a", unique="k")
    assert await kit.store.requeue(["a"]) == ["queued"]
    assert (await kit.take(kit.new("b", unique="k"))).holder == "a"


async def test_a_task_is_not_sent_back_while_another_has_its_key(kit: Kit) -> None:
    await kit.ended(ReportKind.FAILED, task_id="a", unique="k")
    await kit.submit("b", unique="k")
    assert await kit.store.requeue(["a"]) == ["not_retryable"]
