"""The checker of workflows: whatever is damaged on purpose, it complains of."""

import pytest

from caraway_server.core.task import State
from caraway_server.store import keys
from store.flows import FIRST_ARG, Flows, edge
from store.kit import Kit
from store.test_checks import Damage, hdel, hset, zadd, zrem


async def populate(kit: Kit) -> None:
    """A workflow that runs, an open one, one that ended, and one whose relay has something to do."""
    flows = Flows(kit)
    waits = flows.task("waits", edge("runs", passing=FIRST_ARG))
    await flows.submit([flows.task("done"), flows.task("runs"), flows.collect("all", "done", "runs"), waits])
    await flows.end("done")
    await flows.submit([flows.task("lone")], "over")
    await flows.end("lone")
    await flows.open([flows.collect("open", open=True)], "open")
    await flows.submit([flows.task("busy")], "busy")
    await flows.end("busy", relay=False)


def wset(workflow_id: str, field: str, value: object) -> Damage:
    return lambda kit: kit.redis.hset(keys.workflow(workflow_id), field, str(value))


DAMAGES: dict[str, tuple[Damage, str]] = {
    "a node too many": (lambda kit: kit.redis.rpush(keys.nodes("w"), "x"), "says that 4 nodes are made; it lists 5"),
    "a node too few": (lambda kit: kit.redis.rpop(keys.nodes("w")), "is not node"),
    "blocked miscounted": (wset("w", "b", 7), "says that 7 nodes wait"),
    "ended miscounted": (wset("w", "e", 3), "says that 3 nodes ended"),
    "state miscounted": (wset("w", "e7", 5), "by state {7: 5}"),
    "parts miscounted": (wset("w", "U", 1), "says that 1 parts are to be made"),
    "below nothing": (wset("w", "b", -1), "counts below nothing"),
    "ended too early": (wset("w", "s", 2), "workflow w is SUCCEEDED, and not all is done"),
    "not ended": (wset("over", "s", 1), "workflow over is RUNNING, and all is done"),
    "an end not noted": (lambda kit: kit.redis.hdel(keys.workflow("over"), "z"), "its end is not noted so"),
    "an unknown field": (wset("w", "zz", 1), "has fields that are not known"),
    "not listed": (zrem(keys.WORKFLOWS, "w"), "workflows lists"),
    "its producer not watched": (zrem(keys.PRODUCERS, "open"), "producers lists []"),
    "the relay not told": (zrem(keys.RELAY, "busy"), "relay lists []"),
    "the relay told in vain": (zadd(keys.RELAY, "w"), "relay lists ['busy', 'w']"),
    "never purged": (zrem(keys.ENDED_WORKFLOWS, "over"), "workflows:ended lists []"),
    "purged at another time": (zadd(keys.ENDED_WORKFLOWS, "over"), "workflows:ended has over at 1"),
    "an outbox of nobody": (lambda kit: kit.redis.rpush(keys.ROOT + "outbox:x", "x"), "outbox:x belongs to nothing"),
    "members of nobody": (lambda kit: kit.redis.rpush(keys.members("x"), "1a"), "members:x belongs to nothing"),
    "waits for too many": (hset("waits", "B", 2), "says that it waits for 2 nodes; it does for 1"),
    "waits for nothing": (hset("all", "B", 0), "says that it waits for 0 nodes"),
    "an edge lost": (hdel("runs", "L"), "task waits comes after runs, which does not know of it"),
    "edges miscounted": (hset("all", "M", 5), "says that 5 edges lead to it; there are 2"),
    "an end not told": (hdel("done", "D"), "task done is SUCCEEDED, and nobody was told"),
    "another number": (hset("runs", "N", 9), "task runs is not node 9"),
    "blocked alone": (hdel("waits", "F"), "task waits is BLOCKED and lacks workflow"),
    "replaced by nothing": (hset("runs", "s", State.REPLACED), "task runs is REPLACED and lacks"),
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
