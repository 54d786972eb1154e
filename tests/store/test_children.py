"""What a task submits is listed under it: bounded, in order, and gone with it."""

from caraway_server.core.task import Record, State
from caraway_server.store import keys
from store.flows import Flows
from store.kit import LIMITS, SECOND, Kit

ALL = frozenset(State) - {State.TOMBSTONE}
MOST = 1000


def any_task(_record: Record) -> bool:
    return True


async def children(kit: Kit, parent: str, size: int = 400) -> list[str]:
    found, token = [], ""
    while True:
        records, token = await kit.store.listing.page(ALL, (), any_task, size, token, parent)
        found += [record.task_id for record in records]
        if not token:
            return found


async def test_children_are_listed_in_the_order_of_their_acceptance(kit: Kit) -> None:
    await kit.started(task_id="parent")
    for name in ("c", "a", "b"):
        await kit.submit(name, parent="parent")
        await kit.advance(0.001)
    await kit.submit("stranger")
    assert await children(kit, "parent") == ["c", "a", "b"]
    assert await children(kit, "parent", size=1) == ["c", "a", "b"]
    assert await children(kit, "stranger") == []


async def test_nodes_of_workflows_are_children_too(kit: Kit, flows: Flows) -> None:
    await kit.started(task_id="parent")
    await flows.submit([flows.task("first", parent="parent"), flows.task("second", "first")])
    assert await children(kit, "parent") == ["first"]


async def test_a_parent_that_is_not_known_has_no_list(kit: Kit) -> None:
    await kit.submit("child", parent="elsewhere")
    assert not await kit.redis.exists(keys.children("elsewhere"))


async def test_a_list_has_a_limit(kit: Kit) -> None:
    await kit.started(task_id="parent")
    for start in range(0, MOST + 100, 100):
        await kit.store.submit([kit.new(f"{start + n:05}", parent="parent") for n in range(100)])
    assert await kit.redis.zcard(keys.children("parent")) == MOST
    assert await children(kit, "parent") == [f"{n:05}" for n in range(MOST)]


async def test_a_list_goes_with_its_owner(kit: Kit) -> None:
    await kit.ended(task_id="parent")
    await kit.submit("child", parent="parent")
    assert await children(kit, "parent") == ["child"]
    await kit.advance(LIMITS.result_ttl / SECOND + 1)
    await kit.store.prune(10)
    assert not await kit.redis.exists(keys.children("parent"))
    await kit.submit("late", parent="parent")  # its tombstone has no list
    assert not await kit.redis.exists(keys.children("parent"))


async def test_a_list_goes_with_a_deleted_owner(kit: Kit) -> None:
    await kit.ended(task_id="parent")
    await kit.submit("child", parent="parent")
    await kit.store.delete(["parent"])
    assert not await kit.redis.exists(keys.children("parent"))
