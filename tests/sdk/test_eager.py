"""Tasks run here and now: `apply()` and `task_always_eager`."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from caraway import Caraway, Task
from caraway.async_result import AsyncResult
from caraway.canvas import chain, group
from caraway.eager_result import EagerResult
from caraway.exceptions import EncodeError, MaxRetriesExceededError, NotRegistered, Reject, TaskRejectedError
from caraway.group_result import GroupResult


def _app(**options: Any) -> Caraway:
    return Caraway("proj", target="127.0.0.1:1", **options)


def test_apply_runs_a_task_here_and_keeps_how_it_ended() -> None:
    app = _app()

    @app.task(name="proj.divide", bind=True)
    def divide(self: Any, x: int, y: int) -> float:
        assert self.request.is_eager and not self.request.called_directly
        assert (self.request.id, self.request.args, self.request.retries) == ("mine", (x,), 0)
        return x / y

    result = divide.apply((1,), {"y": 2}, task_id="mine")
    assert type(result) is EagerResult and repr(result) == "<EagerResult: mine>"
    assert (result.id, result.name, result.result, result.state, result.get()) == (
        "mine", "proj.divide", 0.5, "SUCCESS", 0.5
    )  # fmt: skip
    assert (result.ready(), result.successful(), result.failed(), result.traceback) == (True, True, False, None)
    failed = divide.apply((1,), {"y": 0}, task_id="mine")
    assert (failed.state, failed.failed(), type(failed.result)) == ("FAILURE", True, ZeroDivisionError)
    assert failed.get(propagate=False) is failed.result
    assert "ZeroDivisionError: division by zero" in (failed.traceback or "")
    with pytest.raises(ZeroDivisionError):
        failed.get()
    with pytest.raises(ZeroDivisionError):
        divide.apply((1,), {"y": 0}, throw=True, task_id="mine")


def test_apply_hands_on_objects_as_they_are_and_an_eager_app_sends_them() -> None:
    lazy, eager = _app(), _app(task_always_eager=True)
    thing = object()
    for app in (lazy, eager):
        app.task(name="proj.same")(lambda x: x)
        app.task(name="proj.thing")(lambda: thing)
    assert lazy.tasks["proj.same"].apply((thing,)).get() is thing
    listed = [(1, 2), datetime(2026, 1, 2, tzinfo=UTC)]
    sent = eager.tasks["proj.same"].delay(listed).get()
    assert sent == listed and sent is not listed
    with pytest.raises(EncodeError):
        eager.tasks["proj.same"].delay(thing)
    with pytest.raises(EncodeError):
        eager.tasks["proj.thing"].delay().get()
    with pytest.raises(TypeError, match="did you mean 'countdown'"):
        eager.tasks["proj.same"].apply_async((1,), countdwon=3)
    with pytest.raises(NotRegistered):
        eager.send_task("proj.other")


async def test_an_eager_app_submits_nothing() -> None:
    # Its gateway's port is closed: a call would fail.
    app = _app(task_always_eager=True)

    @app.task(name="proj.add")
    def add(x: int, y: int) -> int:
        return x + y

    @app.task(name="proj.later")
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x

    assert add.delay(1, 2).get() == 3
    assert await (await add.adelay(1, 2)).aget() == 3
    assert await (await later.adelay(4)).aget() == 4
    assert app.send_task("proj.add", (1, 2)).get() == 3
    assert await (await app.asend_task("proj.add", (1, 2))).aget() == 3
    assert [result.get() for result in app.submit_many([add.s(1, n) for n in range(2)])] == [1, 2]
    assert (await (await (add.s(1, 1) | later.s()).aapply_async()).aget()) == 2
    with app.batch():
        assert add.delay(1, 1).get() == 2
    assert ~(add.s(1, 1) | add.s(2)) == 4


def test_retries_are_made_at_once() -> None:
    app = _app()
    seen: list[int] = []

    @app.task(name="proj.retrying", bind=True, max_retries=3, default_retry_delay=3600)
    def retrying(self: Any, until: int) -> int:
        seen.append(self.request.retries)
        if self.request.retries < until:
            raise self.retry()
        return until

    @app.task(name="proj.auto", autoretry_for=(OSError,), max_retries=1)
    def auto() -> None:
        seen.append(0)
        raise OSError("away")

    assert retrying.apply((2,)).get() == 2
    assert seen == [0, 1, 2]
    assert isinstance(retrying.apply((9,)).result, MaxRetriesExceededError)
    seen.clear()
    with pytest.raises(OSError, match="away"):
        auto.apply().get()
    assert len(seen) == 2


def test_eager_propagates_raises_at_the_submit() -> None:
    app = _app(task_always_eager=True, task_eager_propagates=True)

    @app.task(name="proj.fail")
    def fail() -> None:
        raise KeyError("x")

    for submit in (fail.delay, fail.apply, chain(fail.s(), fail.si()).apply_async, group(fail.s()).apply_async):
        with pytest.raises(KeyError, match="x"):
            submit()


def test_rejected_and_ignored_tasks_end_as_such() -> None:
    app = _app(task_always_eager=True)

    @app.task(name="proj.rejected")
    def rejected() -> None:
        raise Reject("not mine")

    result = rejected.delay()
    assert result.state == "REJECTED"
    with pytest.raises(TaskRejectedError, match="not mine"):
        result.get()


def test_a_task_that_ignores_its_result_keeps_none() -> None:
    app = _app(task_always_eager=True)
    assert app.task(name="proj.one", ignore_result=True)(lambda: 1).delay().get() is None


def test_results_in_a_task_may_be_waited_for_as_they_have_ended() -> None:
    app = _app(task_always_eager=True)
    one = app.task(name="proj.one")(lambda: 1)
    two = app.task(name="proj.two")(lambda: one.delay().get() + group(one.s(), one.s()).apply_async().get()[0])
    assert two.delay().get() == 2


def test_a_family_knows_its_root_and_parents() -> None:
    app = _app(task_always_eager=True)
    seen: list[tuple[Any, ...]] = []

    @app.task(name="proj.look", bind=True)
    def look(self: Any, *args: Any) -> None:
        seen.append((self.request.id, self.request.parent_id, self.request.root_id, self.request.group))

    last = (look.s() | group(look.s(), look.s()) | look.s()).apply_async()
    header = last.parent
    first = header.parent
    assert [row[0] for row in seen] == [first.id, header[0].id, header[1].id, last.id]
    assert [row[1] for row in seen] == [None, first.id, first.id, header.id]
    assert {row[2] for row in seen} == {first.id}
    assert [row[3] for row in seen] == [None, header.id, header.id, None]
    assert isinstance(header, GroupResult) and last.root == first


def test_a_retry_may_change_the_arguments() -> None:
    app = _app()

    @app.task(name="proj.shrink", bind=True, max_retries=None)
    def shrink(self: Any, n: int, steps: int = 0) -> tuple[int, int]:
        if n > 0:
            raise self.retry((n - 1,), {"steps": steps + 1})
        return self.request.args, steps

    assert shrink.apply((3,)).get() == ((0,), 3)


def test_hooks_are_called_around_an_eager_task() -> None:
    app = _app()
    seen: list[Any] = []

    class Noting(Task[Any, Any]):
        def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
            seen.append(("before_start", task_id, args))

        def on_retry(self, exc: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            seen.append(("on_retry", str(exc)))

        async def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
            seen.append(("on_success", retval))

        def on_failure(self, exc: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            seen.append(("on_failure", str(exc), "ValueError" in einfo.traceback))

        def after_return(self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            seen.append(("after_return", status))

    @app.task(name="proj.noted", base=Noting, bind=True)
    def noted(self: Any, how: str) -> str:
        if how == "retry" and self.request.retries == 0:
            raise self.retry(exc=KeyError("again"), countdown=3600)
        if how == "fail":
            raise ValueError(how)
        return how

    noted.apply(("retry",), task_id="id")
    started = ("before_start", "id", ("retry",))
    assert seen == [started, ("on_retry", "'again'"), started, ("on_success", "retry"), ("after_return", "SUCCESS")]
    seen.clear()
    noted.apply(("fail",), task_id="id")
    assert seen[1:] == [("on_failure", "fail", True), ("after_return", "FAILURE")]


async def test_an_eager_result_has_what_others_have() -> None:
    app = _app(task_always_eager=True)

    @app.task(name="proj.divide")
    def divide(x: float, y: float) -> float:
        return x / y

    last = (divide.s(1, 2) | divide.s(0)).apply_async()
    first = last.parent
    missing = {name for name in dir(AsyncResult) if not name.startswith("_") and not hasattr(last, name)}
    assert missing == {"keep", "is_kept"}  # by which many results are read at once
    for name in ("state", "result", "traceback", "worker", "root_id", "parent_id", "children"):
        assert await getattr(last, f"a{name}")() == getattr(last, name)
    assert (last.root_id, last.parent_id, first.root_id, first.parent_id) == (first.id, first.id, first.id, None)
    (told,) = list(last.updates())
    assert (told.task_id, told.state, told.traceback) == (last.id, "FAILURE", last.traceback)
    assert [update async for update in last.updates()] == [told]


def test_eager_results_are_given_as_they_end_as_well() -> None:
    app = _app(task_always_eager=True)

    @app.task(name="proj.double")
    def double(x: int) -> int:
        return 2 * x

    results = group(double.s(1), double.s(2)).apply_async()
    ended = dict(results.iter_native())
    assert {id: (message["status"], message["result"]) for id, message in ended.items()} == {
        results[0].id: ("SUCCESS", 2),
        results[1].id: ("SUCCESS", 4),
    }
