"""Canvases and what they are to give: the same table is run here and now, and through a gateway."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from caraway.canvas import chain, chord, group
from support.canvas_tasks import BrokenError

Build = Callable[[SimpleNamespace], Any]


@dataclass(frozen=True)
class Composition:
    """A canvas of the tasks that it is given, and its value, or the error that it ends by."""

    name: str
    build: Build
    value: Any = None
    error: BaseException | None = None


def _row(name: str, value: Any, build: Build) -> Composition:
    if isinstance(value, BaseException):
        return Composition(name, build, error=value)
    return Composition(name, build, value)


COMPOSITIONS = (
    _row("a task", 4, lambda t: t.add.s(2, 2)),
    _row("a chain", 16, lambda t: t.add.s(2, 2) | t.add.s(4) | t.add.s(8)),
    _row("a chain of one", 4, lambda t: chain(t.add.s(2, 2))),
    _row("a chain of a list", 7, lambda t: chain([t.add.s(1, 2), t.add.s(4)])),
    _row("a chain of a generator", 6, lambda t: chain(t.add.s(n) if n else t.add.s(0, 0) for n in range(4))),
    _row("a chain in a chain", 10, lambda t: chain(t.add.s(1, 2), chain(t.add.s(3), t.same.s()), t.add.s(4))),
    _row("the same signature twice in a chain", 5, lambda t: chain(t.add.s(1, 2), *[t.add.s(1)] * 2)),
    _row("the same signature twice in a group", [3, 3], lambda t: group([t.add.s(1, 2)] * 2)),
    _row("an immutable task in a chain", [[2, 2], {}], lambda t: t.add.s(1, 1) | t.pair.si(2, 2)),
    _row("partial arguments go first", [[3, 1, 2], {"k": 4}], lambda t: t.add.s(1, 2) | t.pair.s(1, 2, k=4)),
    _row("a group", [2, 4], lambda t: group(t.add.s(1, 1), t.add.s(2, 2))),
    _row("a group of one", [2], lambda t: group(t.add.s(1, 1))),
    _row("a group of a generator", [0, 2, 4], lambda t: group(t.add.s(n, n) for n in range(3))),
    _row("an empty group", [], lambda t: group()),
    _row("a group of an empty generator", [], lambda t: group(t.add.s(n) for n in ())),
    _row(
        "groups in a group are part of it",
        [2, 4, 6, 8],
        lambda t: group(t.add.s(1, 1), group(t.add.s(2, 2), group([t.add.s(3, 3)])), t.add.s(4, 4)),
    ),
    _row("a chain in a group", [4, 2], lambda t: group(t.add.s(1, 1) | t.add.s(2), t.same.s(2))),
    _row("empty ones in a group", [2], lambda t: group(chain(), group(), t.add.s(1, 1))),
    _row("a chain that ends in a group", [3, 4], lambda t: t.add.s(1, 1) | group(t.add.s(1), t.add.s(2))),
    _row(
        "a chain that ends in a group, in a group",
        [[3, 4], 6],
        lambda t: group(t.add.s(1, 1) | group(t.add.s(1), t.add.s(2)), t.add.s(3, 3)),
    ),
    _row(
        "a chain that is one group, in a chord",
        [[1, 2]],
        lambda t: chord([chain(group(t.same.s(1), t.same.s(2)))], t.same.s()),
    ),
    _row("a group of one in a chain is its member", 3, lambda t: chain(t.add.s(1, 1), group(t.add.s(1)), t.same.s())),
    _row("a group of one and a task", [2], lambda t: group(t.add.s(1, 1)) | t.same.s()),
    _row("an empty group in a chain", 3, lambda t: chain(t.add.s(1, 1), group(), t.add.s(1))),
    _row("a chord", 6, lambda t: chord([t.add.s(1, 1), t.add.s(2, 2)], t.total.s())),
    _row("a chord of a generator", 12, lambda t: chord((t.add.s(n, n) for n in range(4)), t.total.s())),
    _row("a chord of one", [2], lambda t: chord([t.add.s(1, 1)], t.same.s())),
    _row("a chord of none", [[[], 7], {}], lambda t: chord([], t.pair.s(7))),
    _row("a chord of none after a task", [[[], 7], {}], lambda t: t.same.s(1) | chord([], t.pair.s(7))),
    _row("a chord with an immutable body", [[1], {}], lambda t: chord([t.add.s(1, 1)], t.pair.si(1))),
    _row(
        "a group becomes a chord with what follows",
        9,
        lambda t: group(t.add.s(1, 1), t.add.s(2, 2)) | t.total.s() | t.add.s(3),
    ),
    _row(
        "a group after a group",
        [[2, 4], 6],
        lambda t: group(t.add.s(1, 1), t.add.s(2, 2)) | group(t.same.s(), t.total.s()),
    ),
    _row(
        "three groups in a chain",
        [[[2, 4], [2, 4]], 2],
        lambda t: chain(
            group(t.add.s(1, 1), t.add.s(2, 2)), group(t.same.s(), t.same.s()), group(t.same.s(), t.same.si(2))
        ),
    ),
    _row(
        "a chord with a group as body",
        [[2, 4], 6],
        lambda t: chord([t.add.s(1, 1), t.add.s(2, 2)], group(t.same.s(), t.total.s())),
    ),
    _row("a chord with a chain as body", 7, lambda t: chord([t.add.s(1, 1), t.add.s(2, 2)], t.total.s() | t.add.s(1))),
    _row(
        "a chord in a chord",
        8,
        lambda t: chord([chord([t.add.s(1, 1), t.add.s(2, 2)], t.total.s()), t.add.s(1, 1)], t.total.s()),
    ),
    _row(
        "a chord whose body is a chord",
        6,
        lambda t: chord([t.same.s(1), t.same.s(2)], chord([t.total.s(), t.total.s()], t.total.s())),
    ),
    _row(
        "chords in chains in groups in chords",
        20,
        lambda t: chord(
            group(
                t.same.s(1) | chord([t.add.s(1), t.add.s(2)], t.total.s()) | t.add.s(1),
                group(t.same.s(4), chain(t.same.s(5), group(t.same.s(), t.same.s()), t.total.s()) | t.add.s(-10)),
                t.same.s(10),
            ),
            t.total.s(),
        ),
    ),
    _row("a chain into a chord", 7, lambda t: t.add.s(1, 1) | chord([t.add.s(1), t.add.s(2)], t.total.s())),
    _row("map", [2, 4], lambda t: t.double.map([1, 2])),
    _row("starmap", [3, 7], lambda t: t.add.starmap([(1, 2), (3, 4)])),
    _row("map in a chain", 3, lambda t: t.same.map([1, 2]) | t.total.s()),
    _row("chunks", [[1, 3], [5]], lambda t: t.add.chunks([(0, 1), (1, 2), (2, 3)], 2)),
    _row(
        "chunks in a chain",
        2,
        lambda t: chain(t.add.chunks([(0, 1), (1, 2), (2, 3)], 2), t.same.map([1, 1]), t.total.s()),
    ),
    _row("a coroutine function in a chain", 6, lambda t: t.add.s(1, 2) | t.double.s()),
    _row("a task that is retried", 5, lambda t: t.third_time.s(2) | t.add.s(3)),
    _row("a chord with a task that is retried", 5, lambda t: chord([t.third_time.s(2), t.same.s(3)], t.total.s())),
    _row(
        "an ignored task completes a chord",
        [[[None, 1]], {}],
        lambda t: chord([t.ignored.s(), t.same.s(1)], t.pair.s()),
    ),
    _row("a failing task", BrokenError(1), lambda t: t.fail.s(1)),
    _row("a failing chain", BrokenError(2), lambda t: chain(t.same.s(2), t.fail.s(), t.add.s(1), t.add.s(1))),
    _row("a failing group", BrokenError(2), lambda t: group(t.same.s(1), t.fail.s(2))),
    _row("a failing header", BrokenError(1), lambda t: chord([t.fail.s(1), t.same.s(1)], t.total.s()) | t.add.s(1)),
    _row("a failing body", BrokenError([1]), lambda t: chord([t.same.s(1)], t.fail.s())),
    _row("a failure before a group", BrokenError(3), lambda t: t.fail.s(3) | group(t.same.s(), t.same.s())),
    _row(
        "values of many types",
        [1.5, "é", None, {"a": [True]}, b"\x00"],
        lambda t: t.same.s([1.5, "é", None, {"a": [True]}, b"\x00"]) | t.same.s(),
    ),
)
