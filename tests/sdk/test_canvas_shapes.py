"""Canvases of every shape, run here and now: their values, and random ones against a plain model."""

import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from caraway import Caraway
from caraway.canvas import Signature, chain, chord, group, maybe_signature
from caraway.json_text import decode_text, encode_text
from support.canvas_tasks import BrokenError, register
from support.compositions import COMPOSITIONS, Composition


@pytest.fixture
def tasks() -> Iterator[SimpleNamespace]:
    """The tasks of an app that sends nothing."""
    yield register(Caraway("proj", target="127.0.0.1:1", task_always_eager=True))


@pytest.mark.parametrize("row", COMPOSITIONS, ids=[row.name for row in COMPOSITIONS])
@pytest.mark.parametrize("how", ["submitted", "applied", "sent as an argument"])
async def test_a_canvas_gives_what_it_is_to_give(row: Composition, how: str, tasks: SimpleNamespace) -> None:
    canvas = row.build(tasks)
    if how == "submitted":
        result = canvas.apply_async()
    elif how == "applied":
        result = canvas.apply()
    else:
        if isinstance(canvas, group | chord):
            canvas.tasks  # noqa: B018 - a generator can't be sent as an argument: it is made a list
        sent = decode_text(encode_text(canvas))
        assert type(sent) is dict
        result = await maybe_signature(sent, canvas.app).aapply_async()
    if row.error is None:
        assert result.get() == row.value
        assert result.successful()
        return
    with pytest.raises(BrokenError) as raised:
        await result.aget()
    assert raised.value.args == row.error.args
    assert result.failed()


@pytest.mark.parametrize("seed", range(40))
def test_a_random_canvas_gives_what_a_plain_model_gives(seed: int, tasks: SimpleNamespace) -> None:
    model = _Model(random.Random(seed), tasks)
    canvas, expected = model.any(3, 5)
    result = canvas.apply_async()
    if isinstance(expected, BrokenError):
        with pytest.raises(BrokenError) as raised:
            result.get()
        assert raised.value.args == expected.args
    else:
        assert result.get() == expected


class _Model:
    """Makes random canvases, each with the value that plain Python gives for it; `given` is what flows into it."""

    def __init__(self, source: random.Random, tasks: SimpleNamespace) -> None:
        self._random = source
        self._tasks = tasks

    def any(self, depth: int, given: Any) -> tuple[Signature, Any]:
        """A canvas that works on `given`, an error or a value, and its outcome. The first takes it as argument."""
        canvas, outcome = self._any(depth, given)
        return canvas.clone((given,)), outcome

    def _any(self, depth: int, given: Any) -> tuple[Signature, Any]:
        kinds = [self._task] if depth == 0 else [self._task, self._chain, self._chain, self._group, self._chord]
        return self._random.choice(kinds)(depth, given)

    def _task(self, _depth: int, given: Any) -> tuple[Signature, Any]:
        number = self._random.randrange(100)
        if number < 4:
            outcome: Any = given if isinstance(given, BrokenError) else BrokenError(given, number)
            return self._tasks.fail.s(number), outcome
        if number < 10:
            failed = isinstance(given, BrokenError)
            return self._tasks.pair.si(number), given if failed else [[number], {}]
        outcome = given if isinstance(given, BrokenError) else [[given, number], {}]
        return self._tasks.pair.s(number), outcome

    def _chain(self, depth: int, given: Any) -> tuple[Signature, Any]:
        steps = []
        for _ in range(self._random.randrange(2, 5)):
            # A group of two at least: one of one would be its member.
            step, given = self._any(depth - 1, given)
            steps.append(step)
        return chain(steps), given

    def _group(self, depth: int, given: Any) -> tuple[Signature, Any]:
        members, outcomes = self._members(depth, given)
        return group(members), _collected(outcomes)

    def _chord(self, depth: int, given: Any) -> tuple[Signature, Any]:
        members, outcomes = self._members(depth, given)
        body, outcome = self._any(depth - 1, _collected(outcomes))
        return chord(members, body), outcome

    def _members(self, depth: int, given: Any) -> tuple[list[Signature], list[Any]]:
        members: list[Signature] = []
        outcomes: list[Any] = []
        for _ in range(self._random.randrange(2, 4)):
            member, outcome = self._any(depth - 1, given)
            members.append(member)
            if isinstance(member, group):
                # Its members are the outer group's.
                outcomes.extend([outcome] if isinstance(outcome, BrokenError) else outcome)
            else:
                outcomes.append(outcome)
        return members, outcomes


def _collected(outcomes: list[Any]) -> Any:
    return next((outcome for outcome in outcomes if isinstance(outcome, BrokenError)), outcomes)


def test_a_chain_of_thousands_is_no_deeper_than_one_of_two(tasks: SimpleNamespace) -> None:
    result = chain(tasks.add.s(0, 0), *[tasks.add.s(1)] * 3000).apply_async()
    assert result.get() == 3000
    assert len(result.lineage()) == 3001
    assert len(result.as_list()) == 3001


def test_an_empty_chain_runs_nothing(tasks: SimpleNamespace) -> None:
    assert chain().apply_async() is None
    assert chain().apply() is None
    assert repr(chain()) == "<chain: empty>"


def test_what_is_no_signature_is_refused_with_its_place(tasks: SimpleNamespace) -> None:
    for build in (group, chain, lambda *tasks: chord(tasks)):
        with pytest.raises(TypeError, match="a canvas is made of signatures, not of 3"):
            build(tasks.add.s(1), 3)
    with pytest.raises(TypeError, match="not of 3"):
        group(n for n in (3,)).apply_async()
    with pytest.raises(ValueError, match="no body"):
        chord([tasks.add.s(1, 1)]).apply_async()


def test_a_generator_s_group_can_be_sent_once(tasks: SimpleNamespace) -> None:
    made = group(tasks.add.s(n, n) for n in range(3))
    assert made.apply_async().get() == [0, 2, 4]
    with pytest.raises(ValueError, match="make the group of a list"):
        made.apply_async()


def test_a_generator_is_taken_one_by_one(tasks: SimpleNamespace) -> None:
    seen: list[int] = []

    @tasks.add.app.task(name="proj.look")
    def look() -> int:
        return len(seen)

    def members() -> Iterator[Signature]:
        for n in range(3):
            seen.append(n)
            yield look.s()

    assert group(members()).apply_async().get() == [1, 2, 3]
