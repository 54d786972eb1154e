"""The checker itself: whatever is damaged on purpose, it complains of."""

from collections.abc import Awaitable, Callable

import pytest

from caraway_server.core.task import State
from caraway_server.store import keys
from caraway_server.store.values import ReportKind
from store.invariants import read, violations
from store.kit import Kit

Damage = Callable[[Kit], Awaitable[object]]


def hset(task_id: str, field: str, value: object) -> Damage:
    return lambda kit: kit.redis.hset(keys.task(task_id), field, str(value))


def hdel(task_id: str, field: str) -> Damage:
    return lambda kit: kit.redis.hdel(keys.task(task_id), field)


def zadd(key: str, member: str, score: float = 1) -> Damage:
    return lambda kit: kit.redis.zadd(key, {member: score})


def zrem(key: str, member: str) -> Damage:
    return lambda kit: kit.redis.zrem(key, member)


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


DAMAGES: dict[str, tuple[Damage, str]] = {
    "lane without its task": (zrem(keys.lane("q", "t"), "queued"), "lane:q:t lacks task queued"),
    "task in a wrong place": (zadd(keys.lane("q", "t"), "queued"), "lane:q:t has task queued at 1"),
    "lane with a stranger": (zadd(keys.lane("q", "t"), "running"), "lane:q:t holds task running"),
    "lane of a queue that is none": (zadd(keys.lane("none", "t"), "queued"), "lane:none:t holds task queued"),
    "lane not listed": (lambda kit: kit.redis.srem(keys.lanes("q"), "t"), "lanes:q lists ['other']"),
    "lane listed in vain": (lambda kit: kit.redis.sadd(keys.lanes("q"), "gone"), "lanes:q lists ['gone'"),
    "depth too high": (lambda kit: kit.redis.hincrby(keys.DEPTH, "q", 1), "depth says {'q': 5}"),
    "depth of an empty queue": (lambda kit: kit.redis.hset(keys.DEPTH, "none", "0"), "depth says"),
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
    "place taken twice": (hset("running", "k", 1), "2 tasks have the place 1"),
    "sequence fell back": (lambda kit: kit.redis.set(keys.SEQUENCE, 1), "the last place given is 1"),
    "record with an expiry": (lambda kit: kit.redis.expire(keys.task("queued"), 60), "task:queued has an expiry"),
    "hungry for ever": (lambda kit: kit.redis.sadd(keys.ROOT + "hungry:q", "g"), "hungry:q has no expiry"),
    "stray key": (lambda kit: kit.redis.set(keys.ROOT + "stray", 1), "stray is a key that nobody owns"),
    "foreign key": (lambda kit: kit.redis.set("elsewhere", 1), "elsewhere is not a key of Caraway's"),
    "wrong type": (lambda kit: kit.redis.set(keys.LEASES, 1), "leases is a string, not a zset"),
}


async def test_a_sound_store_has_no_violations(kit: Kit) -> None:
    await populate(kit)
    assert violations(await read(kit.redis)) == []


@pytest.mark.parametrize("what", DAMAGES)
async def test_damage_is_found(bare_kit: Kit, what: str) -> None:
    damage, complaint = DAMAGES[what]
    await populate(bare_kit)
    await damage(bare_kit)
    found = violations(await read(bare_kit.redis))
    assert any(complaint in problem for problem in found), found


async def test_every_index_is_damaged_in_some_way_above() -> None:
    indexes = {"lane", "lanes", "depth", "scheduled", "expiring", "leases", "ended"}
    complained_of = {complaint.split()[0].split(":")[0] for _, complaint in DAMAGES.values()}
    assert indexes <= complained_of
