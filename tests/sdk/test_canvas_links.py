"""Callbacks and errbacks of every canvas, run here and now."""

from types import SimpleNamespace
from typing import Any

import pytest

from caraway import Caraway
from caraway.canvas import Signature, chain, chord, group
from support.canvas_tasks import BrokenError, register

Calls = list[tuple[Any, ...]]


@pytest.fixture
def calls() -> Calls:
    """What the callbacks and errbacks of `tasks` were called with."""
    return []


@pytest.fixture
def tasks(calls: Calls) -> SimpleNamespace:
    """The tasks of an app that sends nothing, with some to be linked."""
    app = Caraway("proj", target="127.0.0.1:1", task_always_eager=True)
    made = register(app)

    def note(*args: Any) -> None:
        calls.append(("note", *args))

    def old(task_id: str) -> None:
        calls.append(("old", task_id))

    def new(request: Any, exc: BaseException, traceback: str) -> None:
        calls.append(("new", request.id, request.task, exc, "BrokenError" in traceback))

    def late(request: Any, exc: BaseException, traceback: str, *, where: str) -> None:
        calls.append(("late", request.id, exc, where))

    def bare() -> None:
        calls.append(("bare",))

    def bound(self: Any, task_id: str) -> None:
        calls.append(("bound", task_id))

    for function in (note, old, new, late, bare):
        setattr(made, function.__name__, app.task(name=f"proj.{function.__name__}")(function))
    made.bound = app.task(name="proj.bound", bind=True)(bound)
    return made


def test_a_callback_gets_the_result_first(tasks: SimpleNamespace, calls: Calls) -> None:
    result = tasks.add.apply_async((1, 1), link=tasks.note.s(5))
    tasks.add.apply_async((1, 1), link=[tasks.note.si(6), tasks.add.s(1) | tasks.note.s()])
    assert result.get() == 2
    assert calls == [("note", 2, 5), ("note", 6), ("note", 3)]
    assert [child.name for child in result.children] == ["proj.note"]


def test_linking_keeps_one_of_each_and_returns_it(tasks: SimpleNamespace) -> None:
    made, callback = tasks.add.s(1, 1), tasks.note.s()
    assert made.link(callback) is callback
    made.link(tasks.note.s())
    callback.link(tasks.same.s())
    assert made.options["link"] == [callback]
    assert made.flatten_links() == [made, callback, tasks.same.s()]
    assert made.on_error(tasks.old.s()) is made
    assert made.link_error(tasks.old.s(1)) == tasks.old.s(1)


def _linked(canvas: Signature, callback: Signature) -> Signature:
    canvas.link(callback)
    return canvas


def test_callbacks_of_canvases(tasks: SimpleNamespace, calls: Calls) -> None:
    add, note = tasks.add.s, tasks.note.s
    for canvas, expected in (
        (add(1, 1) | add(2), [("note", 4)]),
        (add(1, 1) | group(add(2), add(3)), [("note", 4), ("note", 5)]),
        (chord([add(1, 1), add(2, 2)], tasks.total.s()), [("note", 6)]),
        # Celery links a group's callback to its first member, without its result.
        (group(add(1, 1), add(2, 2)), [("note",)]),
    ):
        _linked(canvas, note()).apply_async()
        assert calls == expected
        calls.clear()
    (add(1, 1) | add(2)).apply_async(link=note())
    chord([add(1, 1)], tasks.total.s()).apply_async(link=note())
    assert calls == [("note", 4), ("note", 2)]
    with pytest.raises(TypeError, match="use a chord"):
        group(add(1, 1)).apply_async(link=note())
    with pytest.raises(TypeError, match="on_error"):
        group(add(1, 1)).apply_async(link_error=note())


def test_a_callback_of_a_task_that_fails_is_not_called(tasks: SimpleNamespace, calls: Calls) -> None:
    result = _linked(tasks.fail.s(1), tasks.note.s()).apply_async()
    assert result.state == "FAILURE"
    _linked(tasks.ignored.s(1), tasks.note.s()).apply_async()
    assert calls == []


def test_an_errback_is_called_by_its_arity(tasks: SimpleNamespace, calls: Calls) -> None:
    for errback in ("old", "new", "bound"):
        result = tasks.fail.s(7).on_error(getattr(tasks, errback).s()).apply_async()
        with pytest.raises(BrokenError):
            result.get()
        called = calls.pop()
        if errback == "new":
            assert called == ("new", result.id, "proj.fail", result.result, True)
        else:
            assert called == (errback, result.id)
    result = tasks.fail.s(7).on_error(tasks.late.s(where="here")).apply_async()
    assert calls.pop() == ("late", result.id, result.result, "here")
    tasks.fail.s(7).on_error(tasks.bare.si()).apply_async()
    assert calls == [("bare",)]


def test_errbacks_of_canvases_are_called_for_the_task_that_failed_only(tasks: SimpleNamespace, calls: Calls) -> None:
    add, fail, total = tasks.add.s, tasks.fail.s, tasks.total.s

    def failed(canvas: Signature) -> list[Any]:
        calls.clear()
        canvas.on_error(tasks.new.s()).apply_async()
        return [call[3].args for call in calls]

    assert failed(chain(add(1, 1), fail(2), add(3), add(4))) == [(2, 2)]
    assert failed(chain(fail(1), add(1))) == [(1,)]
    assert failed(chain(add(1, 1), add(1))) == []
    assert failed(group(fail(1), add(1, 1), fail(2))) == [(1,), (2,)]
    assert failed(chord([add(1, 1)], fail(1))) == [([2], 1)]
    # The body can't run: its errback is told of the first error of the header, once.
    assert failed(chord([add(1, 1), fail(1), fail(2)], total())) == [(1,)]
    assert failed(chain(add(1, 1), group(fail(1), fail(2)), total())) == [(2, 1)]


def test_an_errback_of_a_step_is_not_called_for_the_step_before(tasks: SimpleNamespace, calls: Calls) -> None:
    chain(tasks.fail.s(1), tasks.add.s(1).on_error(tasks.old.s()), tasks.add.s(2)).apply_async()
    assert calls == []
    body = tasks.total.s().on_error(tasks.old.s())
    chord([tasks.fail.s(1)], body).apply_async()
    assert [call[0] for call in calls] == ["old"]


def test_errbacks_may_be_canvases_and_have_callbacks(tasks: SimpleNamespace, calls: Calls) -> None:
    result = tasks.fail.s(1).on_error(tasks.same.s() | tasks.note.s("then")).apply_async()
    tasks.fail.s(2).on_error(group(tasks.note.si(1), tasks.note.si(2)) | tasks.note.si(3)).apply_async()
    tasks.fail.s(3).on_error(_linked(tasks.same.si(1), tasks.note.s())).apply_async()
    assert calls == [("note", result.id, "then"), ("note", 1), ("note", 2), ("note", 3), ("note", 1)]


def test_links_survive_being_sent_as_an_argument(tasks: SimpleNamespace, calls: Calls) -> None:
    canvas = (tasks.add.s(1, 1) | tasks.fail.s()).on_error(tasks.old.s())
    _linked(canvas.tasks[0], tasks.note.s())

    @canvas.app.task(name="proj.send")
    def send(form: dict[str, Any]) -> str:
        assert type(form) is dict
        return str(Signature.from_dict(form).apply_async().id)

    assert send.delay(canvas).get() == calls[1][1]
    assert [call[0] for call in calls] == ["note", "old"]
