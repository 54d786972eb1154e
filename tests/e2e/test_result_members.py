"""What else Celery's results have: callbacks, errors without waiting, ends in any order, groups forgotten."""

import asyncio
from typing import Any

import pytest

from caraway import chain, chord, current, group
from caraway.exceptions import ChordError, IncompleteStream, TimeoutError
from caraway.group_result import GroupResult
from caraway.ids import uuid7
from caraway.result import AsyncResult, ResultSet
from e2e.canvas_app import app, linger, tasks
from support.canvas_tasks import BrokenError
from support.processes import eventually
from support.worker import WorkerProcess

pytestmark = pytest.mark.usefixtures("canvas_worker")


def test_a_result_is_made_of_an_id_for_the_current_app() -> None:
    sent = tasks.add.delay(1, 1)
    with current.kept():
        app.set_current()
        found: AsyncResult[int] = AsyncResult(sent.id)
    assert found.wait(timeout=30) == 2
    assert (found.task_id, found.status) == (sent.id, "SUCCESS")
    with pytest.raises(ValueError, match="not None"):
        AsyncResult(None)  # type: ignore[arg-type]


async def test_a_result_exists_until_it_is_forgotten() -> None:
    result = tasks.add.delay(1, 1)
    assert result.exists() and await result.aexists()
    assert result.get(timeout=30) == 2
    result.forget()
    assert not result.exists() and not await result.aexists()
    assert not app.AsyncResult(uuid7()).exists()


async def test_a_result_knows_the_worker_that_had_it(canvas_worker: WorkerProcess) -> None:
    result = tasks.add.delay(1, 1)
    result.get(timeout=30)
    names = list(app.control.inspect().ping() or {})
    assert result.worker in names and await result.aworker() == result.worker
    later = tasks.add.apply_async((1, 1), countdown=3600)
    assert later.worker is None and await later.aworker() is None
    later.revoke(wait=True, timeout=1, connection=None)
    assert later.state == "REVOKED"


def test_an_ignored_result_is_not_waited_for() -> None:
    result = linger.apply_async((3600,), countdown=3600)
    result.ignored = True
    assert result.get() is None
    result.revoke()


async def test_what_a_task_failed_by_is_raised_without_waiting() -> None:
    seen: list[Any] = []
    waiting = tasks.add.apply_async((1, 1), countdown=3600)
    assert waiting.maybe_throw(callback=lambda *told: seen.append(told)) is None
    waiting.revoke()
    failed = tasks.fail.delay(7)
    failed.get(timeout=30, propagate=False)
    for throw in (failed.maybe_throw, failed.maybe_reraise, ResultSet([failed]).maybe_throw):
        with pytest.raises(BrokenError):
            throw()
    with pytest.raises(BrokenError):
        await failed.amaybe_throw()
    with pytest.raises(BrokenError):
        await ResultSet([failed]).amaybe_throw()
    assert isinstance(failed.maybe_throw(propagate=False), BrokenError)
    with pytest.raises(KeyError):
        failed.throw(KeyError("x"))
    assert seen == [(waiting.id, None)]


def test_what_is_to_come_after_an_end_comes_after_it() -> None:
    result = tasks.add.apply_async((1, 1), countdown=0.3)
    assert result.then(lambda ended: (ended.ready(), ended.get())).result(30) == (True, 2)
    failed = tasks.fail.delay(1)
    assert failed.then(lambda ended: ended.state).result(30) == "FAILURE"
    members = group(tasks.same.s(n) for n in range(3)).apply_async()
    assert members.then(lambda ended: ended.get()).result(30) == [0, 1, 2]

    async def later(ended: Any) -> Any:
        await asyncio.sleep(0)
        return ended.id

    assert result.then(later).result(30) == result.id


def test_an_error_in_what_comes_after_is_handed_on(caplog: pytest.LogCaptureFixture) -> None:
    errors: list[Exception] = []
    result = tasks.add.delay(1, 1)
    future = result.then(lambda _: 1 / 0, on_error=errors.append)
    assert isinstance(future.exception(30), ZeroDivisionError)
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert not caplog.records
    result.then(lambda _: 1 / 0).exception(30)
    assert f"what was to be done after {result.id} failed" in caplog.text


def test_the_graph_of_what_has_not_ended() -> None:
    last = chain(tasks.same.s(1), tasks.same.s().set(countdown=3600)).apply_async()
    last.root.get(timeout=30)
    assert len(last.root.build_graph(intermediate=True)) == 2
    with pytest.raises(IncompleteStream):
        last.root.build_graph()
    last.revoke()
    assert eventually(lambda: last.ready() or None, what="its end")
    assert last.root.build_graph(formatter=None).edges() == [(last.root, last)]


async def test_the_graph_has_an_async_twin() -> None:
    last = chain(tasks.same.s(1), tasks.same.s()).apply_async()
    await last.aget(timeout=30)
    assert (await last.root.abuild_graph()).edges() == [(last.root, last)]


def test_a_chord_s_error_is_caught_as_celery_s_programs_do() -> None:
    result = chord([tasks.same.s(1), tasks.fail.s("nails")], tasks.total.s()).apply_async()
    with pytest.raises(ChordError, match=r"Dependency .* raised BrokenError\('nails'\)") as raised:
        result.get(timeout=30)
    assert isinstance(raised.value, BrokenError)
    assert str(result.parent[1].id) in str(raised.value)
    assert isinstance(result.result, ChordError)
    with pytest.raises(ChordError):
        result.maybe_throw()
    after = (group(tasks.fail.s(1), tasks.same.s(2)) | tasks.total.s() | tasks.same.s()).apply_async()
    with pytest.raises(ChordError):
        after.get(timeout=30)


async def test_a_chord_s_error_is_known_by_the_id_alone() -> None:
    result = chord([tasks.same.s(1), tasks.fail.s("nails")], tasks.total.s()).apply_async()
    with pytest.raises(ChordError, match=r"Dependency .* raised BrokenError\('nails'\)") as raised:
        app.AsyncResult(result.id).get(timeout=30)
    assert isinstance(raised.value, BrokenError)
    assert isinstance(app.AsyncResult(result.id).result, ChordError)
    with pytest.raises(ChordError):
        await app.AsyncResult(result.id).aget(timeout=30)
    body = (group(tasks.fail.s(1), tasks.same.s(2)) | group(tasks.same.s(), tasks.same.s())).apply_async()
    with pytest.raises(ChordError):
        app.AsyncResult(body.results[0].id).get(timeout=30)
    own = chord([tasks.same.s(1)], tasks.fail.s()).apply_async()
    after = chain(tasks.fail.s(1), tasks.same.s()).apply_async()
    for other in (own, after):
        with pytest.raises(BrokenError) as raised_there:
            app.AsyncResult(other.id).get(timeout=30)
        assert not isinstance(raised_there.value, ChordError)


def test_an_error_outside_of_a_header_is_no_chord_error() -> None:
    before = chain(tasks.fail.s(1), group(tasks.same.s(), tasks.same.s()), tasks.total.s()).apply_async()
    own = chord([tasks.same.s(1)], tasks.fail.s()).apply_async()
    step = chain(tasks.fail.s(1), tasks.same.s()).apply_async()
    for result in (before, own, step):
        with pytest.raises(BrokenError) as raised:
            result.get(timeout=30)
        assert not isinstance(raised.value, ChordError)


def test_results_come_as_they_end() -> None:
    slow = linger.delay(0.8)
    sent = [slow, *(tasks.same.delay(n) for n in range(3)), tasks.fail.delay(1)]
    seen: list[str] = []
    ended = list(ResultSet(sent).iter_native(timeout=30, on_message=lambda body: seen.append(body["task_id"])))
    assert sorted(id for id, _ in ended) == sorted(result.id for result in sent)
    assert ended[-1][0] == slow.id and seen == [id for id, _ in ended]
    bodies = dict(ended)
    assert [bodies[result.id]["result"] for result in sent[1:4]] == [0, 1, 2]
    assert (bodies[sent[4].id]["status"], type(bodies[sent[4].id]["result"])) == ("FAILURE", BrokenError)
    assert all(body["date_done"] for body in bodies.values())


async def test_results_come_as_they_end_to_an_event_loop() -> None:
    many = group(tasks.same.s(n) for n in range(250)).apply_async()
    ended = {id: body["result"] async for id, body in many.aiter_native(timeout=60)}
    assert [ended[member.id] for member in many] == list(range(250))
    nested = group(tasks.same.s(1) | group(tasks.add.s(1), tasks.add.s(2)), tasks.same.s(5)).apply_async()
    found = dict([pair async for pair in nested.aiter_native(timeout=30)])
    assert [member.get() for member in found[nested[0].id]] == [2, 3]


def test_a_wait_for_what_ends_has_an_end() -> None:
    sent = ResultSet([tasks.same.delay(1), tasks.same.apply_async((1,), countdown=3600)])
    ended = sent.iter_native(timeout=0.7)
    assert next(ended)[0] == sent[0].id
    with pytest.raises(TimeoutError, match="1 of the tasks"):
        next(ended)
    list(zip(range(1), ResultSet([sent[0]]).iter_native(), strict=True))  # given up early
    sent.revoke(wait=True)


async def test_a_group_that_is_deleted_is_not_restored() -> None:
    members = group(tasks.same.s(1), tasks.same.s(2)).apply_async()
    assert members.get(timeout=30) == [1, 2]
    assert eventually(lambda: members.ready() or None, what="its end")
    members.delete()
    assert GroupResult.restore(members.id, app) is None
    assert [result.get(timeout=30) for result in members] == [1, 2]
    members.delete()
    await members.adelete()


def test_a_group_is_watched_while_it_is_waited_for() -> None:
    seen: list[str] = []
    beats: list[int] = []
    members = group(tasks.same.s(1), tasks.same.s(2).set(countdown=0.5)).apply_async()
    values = members.get(
        timeout=30, interval=0.05, no_ack=True, on_interval=lambda: beats.append(1),
        on_message=lambda body: seen.append(body["status"]),
    )  # fmt: skip
    assert values == [1, 2] and beats and seen == ["SUCCESS", "SUCCESS"]
