"""Tasks that replace themselves, or add to their group, and stamps; run here and now."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from caraway import Caraway, Task
from caraway.canvas import Signature, StampingVisitor, chain, chord, group
from caraway.exceptions import Ignore
from support.canvas_tasks import BrokenError, register


@pytest.fixture
def tasks() -> SimpleNamespace:
    """The tasks of an app that sends nothing."""
    app = Caraway("proj", target="127.0.0.1:1", task_always_eager=True)
    made = register(app)

    @app.task(name="proj.become", bind=True)
    def become(self: Any, *args: Any) -> Any:
        raise self.replace(Signature.from_dict(args[-1]).clone(args[:-1]))

    @app.task(name="proj.swallow", bind=True)
    def count_down(self: Any, n: int) -> Any:
        return n if n == 0 else self.replace(self.s(n - 1))

    @app.task(name="proj.grow", bind=True)
    def grow(self: Any, n: int) -> int:
        for more in range(n):
            result = self.add_to_chord(made.same.s(-more))
            assert result.id
        return n

    made.seen = []

    @app.task(name="proj.stamps", bind=True)
    def stamps(self: Any, *args: Any) -> Any:
        made.seen.append((self.request.stamps, sorted(self.request.stamped_headers)))
        return self.request.stamps

    made.app, made.become, made.count_down, made.grow, made.stamps = app, become, count_down, grow, stamps
    return made


def test_a_replaced_task_ends_as_what_replaced_it(tasks: SimpleNamespace) -> None:
    result = tasks.become.delay(tasks.add.s(2, 3))
    assert (result.get(), result.state) == (5, "SUCCESS")
    failed = tasks.become.delay(tasks.fail.s(4))
    with pytest.raises(BrokenError):
        failed.get()
    canvas = chain(tasks.add.s(1, 1), tasks.become.s(tasks.add.s(1) | tasks.add.s(2)), tasks.add.s(4))
    assert canvas.apply_async().get() == 9
    header = [tasks.become.s(tasks.add.s(1, 1)), tasks.same.s(2)]
    assert chord(header, tasks.total.s()).apply_async().get() == 4
    assert chord([tasks.same.s(1)], tasks.become.s(tasks.total.s())).apply_async().get() == 1


@pytest.mark.parametrize("width", [0, 1, 3])
def test_a_group_that_replaces_gives_its_list(tasks: SimpleNamespace, width: int) -> None:
    members = group([tasks.same.s(n) for n in range(width)])
    assert (tasks.become.s(members) | tasks.same.s()).apply_async().get() == list(range(width))
    ending = tasks.same.s(1) | group(tasks.add.s(1), tasks.add.s(2))
    assert tasks.become.delay(ending).get() == [2, 3]


def test_what_is_linked_hears_of_what_replaced_the_task(tasks: SimpleNamespace) -> None:
    calls: list[Any] = []
    note = tasks.app.task(name="proj.note")(lambda *args: calls.append(args))
    replaced = tasks.become.s(tasks.add.s(1, 1))
    replaced.link(note.s())
    replaced.apply_async()
    assert calls == [(2,)]
    failed = tasks.become.s(tasks.same.s(1) | tasks.fail.s(2)).on_error(note.s()).apply_async()
    assert [type(each) for each in calls[1]] == [type(calls[1][0]), BrokenError, str]
    assert failed.failed()


def test_replacements_may_stand_in_one_another(tasks: SimpleNamespace) -> None:
    assert tasks.count_down.delay(900).get() == 0


def test_replace_in_a_task_that_is_called_directly_gives_the_value(tasks: SimpleNamespace) -> None:
    assert tasks.count_down(3) == 0
    with pytest.raises(TypeError, match="replace\\(\\) takes a signature, not 3"):
        tasks.count_down.replace(3)


def test_on_replace_may_change_what_replaces(tasks: SimpleNamespace) -> None:
    seen: list[Any] = []

    class Watched(Task[Any, Any]):
        def on_replace(self, sig: Signature) -> Any:
            seen.append(sig.task)
            return super().on_replace(sig | tasks.add.s(10))

    @tasks.app.task(name="proj.watched", base=Watched, bind=True)
    def watched(self: Any) -> Any:
        with pytest.raises(Ignore):  # Celery's programs know it as this
            self.replace(tasks.add.s(1, 1))
        return self.replace(tasks.add.s(1, 1))

    assert watched.delay().get() == 12
    assert seen == ["proj.add", "proj.add"]


def test_a_member_adds_to_its_chord(tasks: SimpleNamespace) -> None:
    result = chord([tasks.grow.s(2), tasks.same.s(5)], tasks.same.s()).apply_async()
    assert result.get() == [2, 5, 0, -1]
    assert len(result.parent) == 2
    alone = tasks.grow.delay(1)
    with pytest.raises(ValueError, match="member of a chord"):
        alone.get()


def test_stamps_reach_every_task(tasks: SimpleNamespace) -> None:
    stamps = tasks.stamps.s
    for canvas, count in (
        (stamps(), 1),
        (stamps() | stamps(), 2),
        (group(stamps() | stamps(), stamps()) | stamps(), 4),
        (chord([stamps()], stamps()).on_error(stamps()), 2),
        (tasks.fail.s().on_error(stamps()), 1),
    ):
        canvas.stamp(day="monday", owners=["a", "b"]).apply_async()
        assert tasks.seen == [({"day": ["monday"], "owners": ["a", "b"]}, ["day", "owners"])] * count
        tasks.seen.clear()


def test_stamps_are_replaced_or_appended(tasks: SimpleNamespace) -> None:
    canvas = tasks.stamps.s().stamp(day="monday").stamp(day="tuesday")
    assert canvas.options["stamps"] == {"day": "tuesday"}
    canvas.stamp(append_stamps=True, day=["wednesday"], hour=3)
    assert canvas.options["stamps"] == {"day": ["tuesday", "wednesday"], "hour": [3]}


def test_a_replacing_canvas_inherits_the_stamps(tasks: SimpleNamespace) -> None:
    canvas = tasks.become.s(tasks.same.s(1) | tasks.stamps.s()).stamp(day="monday")
    assert canvas.apply_async().get() == {"day": ["monday"]}


class _Numbering(StampingVisitor):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def _note(self, what: str, sig: Signature) -> None:
        self.seen.append(f"{what} {sig.task.rpartition('.')[2]}")

    def on_signature(self, sig: Signature, **headers: Any) -> Mapping[str, Any]:
        self._note("task", sig)
        return {"number": len(self.seen), "note": "text", "stamped_headers": ["number"]}

    def on_chain_start(self, chain: Signature, **headers: Any) -> Mapping[str, Any]:
        self._note("start", chain)
        return {"in_chain": True}

    def on_chain_end(self, chain: Signature, **headers: Any) -> None:
        self._note("end", chain)

    def on_group_start(self, group: Signature, **headers: Any) -> Mapping[str, Any]:
        self._note("start", group)
        return {"in_group": True}

    def on_group_end(self, group: Signature, **headers: Any) -> None:
        self._note("end", group)

    def on_chord_body(self, sig: Signature, **headers: Any) -> Mapping[str, Any]:
        self._note("body of", sig)
        return {"is_body": True}

    def on_callback(self, callback: Signature, **headers: Any) -> Mapping[str, Any]:
        self._note("callback", callback)
        return {"is_callback": True}

    def on_errback(self, errback: Signature, **headers: Any) -> Mapping[str, Any]:
        self._note("errback", errback)
        return {"is_errback": True}


def test_a_visitor_is_asked_about_every_part(tasks: SimpleNamespace) -> None:
    visitor = _Numbering()
    first = tasks.add.s(1, 1)
    first.link(tasks.same.s())
    canvas = chain(first, group(tasks.add.s(1), tasks.add.s(2)), tasks.total.s().on_error(tasks.pair.s()))
    canvas.stamp(visitor)
    assert visitor.seen == [
        "start chain", "task add", "callback same", "task same", "start group", "task add", "task add", "end group",
        "body of chord", "task total", "errback pair", "task pair", "end chain",
    ]  # fmt: skip
    head, tail = canvas.tasks
    assert head.options["stamps"] == {"number": 2, "in_chain": True}
    assert head.options["headers"] == {"note": "text"}
    assert head.options["link"][0].options["stamps"] == {"number": 4, "in_chain": True, "is_callback": True}
    assert tail.tasks[1].options["stamps"] == {"number": 7, "in_chain": True, "in_group": True}
    assert tail.body.options["stamps"] == {"number": 10, "in_chain": True, "is_body": True}
    assert tail.body.options["link_error"][0].options["stamps"]["is_errback"] is True
