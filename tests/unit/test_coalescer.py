"""Coalescing: a lone request waits for nothing, a crowd shares a call, and everybody gets their own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from caraway_server.store.coalesce import Coalescer


class Calls:
    """A call that is held open until it is let go, and remembers what it was given."""

    def __init__(self, *, held: bool = True) -> None:
        self.given: list[list[int]] = []
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()
        self.error: Exception | None = None
        if not held:
            self.let_go.set()

    async def __call__(self, items: list[int]) -> list[str]:
        self.given.append(items)
        self.begun.set()
        await self.let_go.wait()
        if self.error is not None:
            raise self.error
        return [f"answer {item}" for item in items]


async def crowd(coalescer: Coalescer[int, str], groups: list[list[int]]) -> list[asyncio.Future[Sequence[str]]]:
    """Hands all groups in, and comes back once they wait."""
    tasks: list[asyncio.Future[Sequence[str]]] = [asyncio.ensure_future(coalescer.submit(group)) for group in groups]
    await asyncio.sleep(0)
    return tasks


async def test_a_lone_request_is_sent_at_once() -> None:
    calls = Calls(held=False)
    assert await Coalescer(calls, 10).submit([1, 2]) == ["answer 1", "answer 2"]
    assert calls.given == [[1, 2]]


async def test_what_gathers_during_a_call_shares_the_next() -> None:
    calls = Calls()
    coalescer = Coalescer(calls, 100)
    first = await crowd(coalescer, [[0]])
    await calls.begun.wait()
    rest = await crowd(coalescer, [[1], [2, 3], [4]])
    calls.let_go.set()
    assert await asyncio.gather(*first, *rest) == [
        ["answer 0"], ["answer 1"], ["answer 2", "answer 3"], ["answer 4"],
    ]  # fmt: skip
    assert calls.given == [[0], [1, 2, 3, 4]]


async def test_a_call_has_its_bounds_and_no_group_is_split() -> None:
    calls = Calls()
    coalescer = Coalescer(calls, 4)
    first = await crowd(coalescer, [[0]])
    await calls.begun.wait()
    rest = await crowd(coalescer, [[1, 2, 3], [4, 5], [6], [7, 8, 9, 10, 11], [12]])
    calls.let_go.set()
    await asyncio.gather(*first, *rest)
    assert calls.given == [[0], [1, 2, 3], [4, 5, 6], [7, 8, 9, 10, 11], [12]]


async def test_an_error_is_raised_for_all_of_its_call_and_for_no_other() -> None:
    calls = Calls()
    coalescer = Coalescer(calls, 100)
    first = await crowd(coalescer, [[0]])
    await calls.begun.wait()
    rest = await crowd(coalescer, [[1], [2]])
    calls.error = RuntimeError("broken")
    calls.let_go.set()
    outcomes = await asyncio.gather(*first, *rest, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["broken"] * 3
    calls.error = None
    assert await coalescer.submit([3]) == ["answer 3"]


async def test_one_who_gives_up_does_not_disturb_the_others() -> None:
    calls = Calls()
    coalescer = Coalescer(calls, 100)
    gone, stays = await crowd(coalescer, [[0], [1]])
    await calls.begun.wait()
    gone.cancel()
    calls.let_go.set()
    assert await stays == ["answer 1"]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_crowd_costs_few_calls() -> None:
    calls = Calls(held=False)
    coalescer = Coalescer(calls, 500)
    answers = await asyncio.gather(*(coalescer.submit([n]) for n in range(1000)))
    assert answers == [[f"answer {n}"] for n in range(1000)]
    assert len(calls.given) <= 3


async def test_those_who_come_one_by_one_share_a_call_where_several_wait() -> None:
    calls = Calls(held=False)
    coalescer = Coalescer(calls, 500)

    async def late(turns: int) -> Sequence[str]:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await coalescer.submit([turns])

    answers = await asyncio.gather(coalescer.submit([-1]), coalescer.submit([-2]), *(late(n) for n in range(1, 41, 4)))
    assert answers[2:] == [[f"answer {n}"] for n in range(1, 41, 4)]
    assert len(calls.given) == 1


async def test_who_gathers_waits_for_no_more_than_a_call_may_have() -> None:
    calls = Calls()
    coalescer = Coalescer(calls, 2)
    crowded = await crowd(coalescer, [[0], [1], [2]])
    for _ in range(2):
        await asyncio.sleep(0)
    assert calls.given == [[0, 1]]
    calls.let_go.set()
    await asyncio.gather(*crowded)
    assert calls.given == [[0, 1], [2]]
