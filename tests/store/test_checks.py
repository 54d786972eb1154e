"""The checker: whatever is damaged on purpose, it complains of; and what the records can tell, it puts right."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from caraway_server.core.task import State
from caraway_server.store import keys
from caraway_server.store.checks.waiting import MOST_AT_ONCE
from caraway_server.store.values import ReportKind
from store.kit import LIMITS, Kit

Damage = Callable[[Kit], Awaitable[object]]


def hset(task_id: str, field: str, value: object) -> Damage:
    return lambda kit: kit.redis.hset(keys.task(task_id), field, str(value))


def hdel(task_id: str, field: str) -> Damage:
    return lambda kit: kit.redis.hdel(keys.task(task_id), field)


def zadd(key: str, member: str, score: float = 1) -> Damage:
    return lambda kit: kit.redis.zadd(key, {member: score})


def zrem(key: str, member: str) -> Damage:
    return lambda kit: kit.redis.zrem(key, member)


async def twice(kit: Kit) -> None:
    """Two tasks at one place of a lane."""
    await kit.submit("queued-3")
    place = (await kit.record("queued")).sequence
    await kit.redis.hset(keys.task("queued-3"), "k", str(place))
    score = await kit.redis.zscore(keys.lane("q", "t"), "queued")
    assert score is not None
    await kit.redis.zadd(keys.lane("q", "t"), {"queued-3": score})


async def populate(kit: Kit) -> None:
    """A task in each state, named after it."""
    await kit.submit("scheduled", delay=60)
    await kit.submit("retrying")
    await kit.report(ReportKind.RETRY, await kit.lease_one(), wait=60)
    for state, kind in (("succeeded", ReportKind.SUCCEEDED), ("failed", ReportKind.FAILED)):
        await kit.submit(state)
        await kit.report(kind, await kit.lease_one())
    await kit.submit("revoked")
    await kit.store.revoke(["revoked"], "p")
    await kit.submit("deleted")
    await kit.report(ReportKind.SUCCEEDED, await kit.lease_one())
    await kit.store.delete(["deleted"])
    await kit.started(task_id="running", ttl=60)
    await kit.delivered(task_id="leased", ttl=60)
    await kit.submit("queued", ttl=60)
    await kit.submit("queued-too", name="other")
    await kit.submit("unique", queue="r", unique="u")
    await kit.submit("windowed", queue="r", unique="for-a-time", window=600)
    await kit.store.operators.set_queue("held", {"paused": "1"})
    await kit.store.operators.note_worker("w1", {"state": "active"}, joined=True)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "lane without its task": (zrem(keys.lane("q", "t"), "queued"), "lane:q:t lacks task queued"),
    "task in a wrong place": (zadd(keys.lane("q", "t"), "queued"), "lane:q:t has task queued at 1"),
    "lane with a stranger": (zadd(keys.lane("q", "t"), "running"), "lane:q:t holds task running"),
    "lane of a queue that is none": (zadd(keys.lane("none", "t"), "queued"), "lane:none:t holds task queued"),
    "lane not listed": (
        lambda kit: kit.redis.srem(keys.lanes("q"), "t"),
        "lanes:q lacks t, in which task queued",
    ),
    "lane listed in vain": (
        lambda kit: kit.redis.sadd(keys.lanes("q"), "gone"),
        "lanes:q lists gone, of which",
    ),
    "depth too high": (lambda kit: kit.redis.hincrby(keys.DEPTH, "q", 1), "depth says that 5 wait in q; there wait 4"),
    "depth of an empty queue": (
        lambda kit: kit.redis.hset(keys.DEPTH, "none", "0"),
        "depth says that 0 wait in none; there wait 0",
    ),
    "due task missing": (zrem(keys.SCHEDULED, "scheduled"), "scheduled lacks task scheduled"),
    "retry missing": (zrem(keys.SCHEDULED, "retrying"), "scheduled lacks task retrying"),
    "due at another time": (zadd(keys.SCHEDULED, "retrying"), "scheduled has task retrying at 1"),
    "due though queued": (zadd(keys.SCHEDULED, "queued"), "scheduled holds task queued"),
    "expiry missing": (zrem(keys.EXPIRING, "queued"), "expiring lacks task queued"),
    "expiry of a running task": (zadd(keys.EXPIRING, "running"), "expiring holds task running"),
    "expiry at another time": (zadd(keys.EXPIRING, "leased"), "expiring has task leased at 1"),
    "lease missing": (zrem(keys.LEASES, "running"), "leases lacks task running"),
    "lease of an ended task": (zadd(keys.LEASES, "succeeded"), "leases holds task succeeded"),
    "purge missing": (zrem(keys.ended(8), "failed"), "ended:8 lacks task failed"),
    "purge of a tombstone missing": (zrem(keys.ended(99), "deleted"), "ended:99 lacks task deleted"),
    "purge at another time": (zadd(keys.ended(9), "revoked"), "ended:9 has task revoked at 1"),
    "index of an unknown task": (zadd(keys.LEASES, "unknown"), "leases holds task unknown"),
    "record gone": (lambda kit: kit.redis.delete(keys.task("running")), "leases holds task running"),
    "state unknown": (hset("queued", "s", 77), "task queued has no state that is known"),
    "state missing": (hdel("queued", "s"), "task queued has no state that is known"),
    "state changed": (hset("queued", "s", State.RUNNING), "task queued is RUNNING and lacks"),
    "worker missing": (hdel("running", "w"), "task running is RUNNING and lacks worker_id"),
    "fence missing": (hdel("leased", "e"), "task leased is LEASED and lacks fence"),
    "spec missing": (hdel("queued", "t"), "task queued is QUEUED and lacks spec"),
    "end missing": (hdel("failed", "z"), "task failed is FAILED and lacks ended"),
    "result before the end": (hset("running", "R", "r"), "task running is RUNNING and has result"),
    "due time left behind": (hset("queued", "d", 5), "task queued is QUEUED and has a due time"),
    "tombstone with a spec": (hset("deleted", "t", "t"), "task deleted is a tombstone and still has spec"),
    "unknown field": (hset("queued", "zz", 1), "task queued has fields that are not known"),
    "more losses than deliveries": (hset("running", "o", 7), "task running has more retries and losses"),
    "all deliveries ended": (hset("leased", "o", 1), "task leased is LEASED, and all its deliveries have ended"),
    "fence without delivery": (hset("queued", "e", 7), "task queued has a fence without a delivery"),
    "purged before it ended": (hset("succeeded", "z", 2**53), "task succeeded is purged before it ended"),
    "priority beyond 9": (hset("queued", "p", 10), "task queued has priority 10"),
    "place taken twice": (twice, "2 tasks have the place of "),
    "worker not listed": (zrem(keys.WORKERS, "w1"), "workers lacks w1"),
    "worker listed in vain": (zadd(keys.WORKERS, "gone"), "workers lists gone"),
    "queue not listed": (lambda kit: kit.redis.srem(keys.QUEUES, "held"), "queues lacks held"),
    "queue listed in vain": (lambda kit: kit.redis.sadd(keys.QUEUES, "gone"), "queues lists gone"),
    "pause not listed": (lambda kit: kit.redis.srem(keys.PAUSED, "held"), "paused lacks held"),
    "pause listed in vain": (lambda kit: kit.redis.sadd(keys.PAUSED, "gone"), "paused lists gone"),
    "uniqueness key gone": (
        lambda kit: kit.redis.delete(keys.unique("u")),
        "task unique is to hold the uniqueness",
    ),
    "uniqueness key of another": (
        lambda kit: kit.redis.set(keys.unique("u"), "queued 0"),
        "task unique is to hold the uniqueness",
    ),
    "uniqueness key of an ended task": (
        lambda kit: kit.redis.set(keys.unique("v"), "failed 0"),
        "unique:v is held by task failed, which does not",
    ),
    "children of a task that is gone": (
        zadd(keys.children("gone"), "queued"),
        "children:gone is left of a task that is gone",
    ),
    "windowed uniqueness key gone": (
        lambda kit: kit.redis.delete(keys.unique("for-a-time")),
        "task windowed is to hold the uniqueness",
    ),
    "sequence fell back": (lambda kit: kit.redis.set(keys.SEQUENCE, 1), "the last place given is 1"),
    "record with an expiry": (lambda kit: kit.redis.expire(keys.task("queued"), 60), "task:queued has an expiry"),
    "hungry for ever": (lambda kit: kit.redis.sadd(keys.ROOT + "hungry:q", "g"), "hungry:q has no expiry"),
    "stray key": (lambda kit: kit.redis.set(keys.ROOT + "stray", 1), "stray is a key that nobody owns"),
    "foreign key": (lambda kit: kit.redis.set("elsewhere", 1), "1 keys are not Caraway's"),
    "wrong type": (lambda kit: kit.redis.set(keys.LEASES, 1), "leases is a string, not a zset"),
}


async def test_a_sound_store_has_no_violations(kit: Kit) -> None:
    await populate(kit)
    assert await kit.wrong() == []


@pytest.mark.parametrize("what", DAMAGES)
async def test_damage_is_found(bare_kit: Kit, what: str) -> None:
    damage, complaint = DAMAGES[what]
    await populate(bare_kit)
    await damage(bare_kit)
    found = await bare_kit.wrong()
    assert any(complaint in problem for problem in found), found


async def test_every_index_is_damaged_in_some_way_above() -> None:
    indexes = {
        "lane",
        "lanes",
        "depth",
        "scheduled",
        "expiring",
        "leases",
        "ended",
        "queues",
        "paused",
        "workers",
        "unique",
    }
    complained_of = {complaint.split()[0].split(":")[0] for _, complaint in DAMAGES.values()}
    assert indexes <= complained_of


# Damages that no record shows how to undo: of the records themselves, and keys that are not ours to remove.
NOT_TO_MEND = {
    "state unknown", "state missing", "state changed", "worker missing", "fence missing", "spec missing", "end missing",
    "result before the end", "due time left behind", "tombstone with a spec", "unknown field",
    "more losses than deliveries", "all deliveries ended", "fence without delivery", "purged before it ended",
    "priority beyond 9", "place taken twice", "stray key", "foreign key", "wrong type",
}  # fmt: skip


async def snapshot(kit: Kit) -> dict[str, Any]:
    """The indexes as they stand, without the ends of leases and the times of workers."""
    indexes: dict[str, Any] = {}
    async for raw in kit.redis.scan_iter():
        key = raw.decode()
        name = key.removeprefix(keys.ROOT)
        kind: Any = await kit.redis.type(key)
        if kind == b"zset":
            scores: Any = dict(await kit.redis.zrange(key, 0, -1, withscores=True))
            indexes[name] = set(scores) if name in ("leases", "workers") else scores
        elif kind == b"set" and not name.startswith("hungry:"):
            indexes[name] = await kit.redis.smembers(key)
        elif name == "depth":
            indexes[name] = await kit.redis.hgetall(key)
    return indexes


@pytest.mark.parametrize("what", sorted(DAMAGES.keys() - NOT_TO_MEND - {"record gone"}))
async def test_damage_is_put_right(kit: Kit, what: str) -> None:
    await populate(kit)
    before = await snapshot(kit)
    await DAMAGES[what][0](kit)
    checker = kit.store.checker
    assert await checker.repair(await checker.check(), LIMITS.lease) == []
    assert await snapshot(kit) == before


async def test_records_that_are_gone_leave_nothing_behind(kit: Kit) -> None:
    await populate(kit)
    gone = ["running", "leased", "queued", "scheduled", "retrying", "failed", "deleted", "unique"]
    for task_id in gone:
        await kit.redis.delete(keys.task(task_id))
    checker = kit.store.checker
    assert await checker.repair(await checker.check(), LIMITS.lease) == []
    held = {member.decode() for index in (await snapshot(kit)).values() for member in index}
    assert held.isdisjoint(gone)
    assert await kit.redis.exists(keys.unique("u")) == 0


@pytest.mark.parametrize("what", sorted(NOT_TO_MEND - {"foreign key"}))
async def test_what_only_a_human_can_judge_is_left_alone_with_advice(bare_kit: Kit, what: str) -> None:
    await populate(bare_kit)
    await DAMAGES[what][0](bare_kit)
    checker = bare_kit.store.checker
    left = await checker.repair(await checker.check(), LIMITS.lease)
    complaints = [finding for finding in left if DAMAGES[what][1] in finding.text]
    assert complaints
    assert all(complaint.repair is None and complaint.advice for complaint in complaints)


async def test_a_store_in_motion_is_not_accused(kit: Kit) -> None:
    moving = True

    async def move() -> None:
        number = 0
        while moving:
            number += 1
            await kit.submit(f"m{number}", delay=number % 3 * 60, ttl=60, unique=f"u{number}" if number % 2 else "")
            for lease in await kit.lease(1):
                await kit.report(ReportKind.SUCCEEDED, lease)
            await kit.store.revoke([f"m{number - 3}"], "p")

    mover = asyncio.create_task(move())
    found = [text for _ in range(30) for text in await kit.wrong()]
    moving = False
    await mover
    assert found == []


async def test_a_large_schedule_is_counted_in_pages(kit: Kit) -> None:
    await kit.store.submit([kit.new(delay=60) for _ in range(MOST_AT_ONCE + 1)])
    assert await kit.wrong() == []
    await kit.redis.hincrby(keys.DEPTH, "q", 2)
    assert await kit.wrong() == [f"depth says that {MOST_AT_ONCE + 3} wait in q; there wait {MOST_AT_ONCE + 1}"]
    checker = kit.store.checker
    assert await checker.repair(await checker.check(), LIMITS.lease) == []


async def test_a_uniqueness_key_that_was_held_for_a_time_may_go_while_its_task_waits(kit: Kit) -> None:
    await kit.submit("a", unique="u", window=60)
    await kit.advance(61)
    await kit.redis.delete(keys.unique("u"))  # as Redis does by itself, whose clock no test turns
    assert await kit.wrong() == []
    await kit.submit("b", unique="u")
    assert await kit.wrong() == []
