"""Canvases through a real gateway and a real worker: the same table as without, and what needs a gateway."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from caraway import chain, chord, group
from caraway.exceptions import TaskNotFound, TaskRevokedError, TimeoutError
from caraway.group_result import GroupResult
from e2e.canvas_app import (
    app,
    become,
    bound,
    context,
    count_down,
    grow,
    leave_no_trail,
    linger,
    new,
    note,
    old,
    send,
    spawn,
    tasks,
    told,
    wide,
)
from support.canvas_tasks import BrokenError
from support.compositions import COMPOSITIONS, Composition
from support.gateway import GatewayProcess
from support.processes import eventually

pytestmark = pytest.mark.usefixtures("canvas_worker")


def _lines(path: Path, count: int) -> list[str]:
    """What tasks wrote, once that many lines are there."""

    def read() -> list[str] | None:
        lines = path.read_text().splitlines() if path.exists() else []
        return lines if len(lines) >= count else None

    found = eventually(read, what=f"{count} lines in {path}")
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("row", COMPOSITIONS, ids=[row.name for row in COMPOSITIONS])
def test_a_canvas_gives_what_it_is_to_give(row: Composition) -> None:
    result = row.build(tasks).apply_async()
    if row.error is None:
        assert result.get(timeout=30) == row.value
        assert result.successful()
        return
    with pytest.raises(BrokenError) as raised:
        result.get(timeout=30)
    assert raised.value.args == row.error.args
    assert result.failed()


async def test_the_async_twins_submit_and_wait() -> None:
    result = await (tasks.add.s(1, 1) | group(tasks.add.s(1), tasks.double.s()) | tasks.total.s()).aapply_async()
    assert await result.aget(timeout=30) == 7
    assert await result.parent.aget(timeout=30) == [3, 4]
    assert await result.parent.acompleted_count() == 2
    assert await result.parent.aready() and await result.parent.asuccessful()
    restored = await GroupResult.arestore(result.parent.id, app)
    assert restored == result.parent
    assert await result.root.achildren() == result.parent.results
    assert (await result.aroot_id(), await result.aparent_id()) == (result.root.id, result.parent.id)


def test_callbacks_and_errbacks_are_called(tmp_path: Path) -> None:
    path = str(tmp_path / "notes")
    linked = tasks.add.s(1, 1)
    linked.link(note.s("x", path))
    linked.link(note.si("y", path))
    linked.on_error(note.si("never", path))
    assert linked.apply_async().get(timeout=30) == 2
    assert sorted(_lines(tmp_path / "notes", 2)) == ["note 2 x", "note y"]

    path = str(tmp_path / "errors")
    canvas = tasks.fail.s(7).on_error(old.s(path=path)).on_error(new.s(path)).on_error(bound.s(path))
    result = canvas.on_error(note.si("immutable", path)).apply_async()
    with pytest.raises(BrokenError):
        result.get(timeout=30)
    assert sorted(_lines(tmp_path / "errors", 4)) == [
        f"bound {result.id}", f"new {result.id} BrokenError(7) True", "note immutable", f"old {result.id}"
    ]  # fmt: skip


def test_an_errback_is_told_of_the_failed_task(tmp_path: Path) -> None:
    failing = tasks.fail.s(7).set(headers={"own": "header"}, stamps={"day": "monday"})
    failing.link_error(told.s(str(tmp_path / "t")))
    result = chain(tasks.same.si(1), failing.set(immutable=True)).apply_async()
    [line] = _lines(tmp_path / "t", 1)
    request = json.loads(line)
    headers = request.pop("headers")
    assert headers["own"] == "header"
    assert request == {
        "id": result.id, "task": tasks.fail.name, "args": [7], "kwargs": {}, "retries": 0,
        "root_id": result.root.id, "parent_id": result.root.id, "stamps": {"day": ["monday"]},
    }  # fmt: skip


def test_large_arguments_are_not_told_to_an_errback(tmp_path: Path) -> None:
    large = tasks.fail.s("x" * 70_000).on_error(told.s(str(tmp_path / "t"))).apply_async()
    [line] = _lines(tmp_path / "t", 1)
    request = json.loads(line)
    assert (request["id"], request["task"], request["args"]) == (large.id, tasks.fail.name, [])


def test_errbacks_of_canvases_are_called_once(tmp_path: Path) -> None:
    path = str(tmp_path / "errors")
    failing = chain(tasks.same.s(1), tasks.fail.s(), tasks.same.s(), tasks.same.s()).on_error(new.s(path))
    failing.apply_async().get(timeout=30, propagate=False)
    chord([tasks.fail.s(2), tasks.fail.s(3)], tasks.total.s()).on_error(new.s(path)).apply_async().get(
        timeout=30, propagate=False
    )
    group(tasks.fail.s(4), tasks.same.s(5)).on_error(new.s(path)).apply_async().get(timeout=30, propagate=False)
    lines = _lines(tmp_path / "errors", 3)
    # What comes last has been called: nothing that is to be called before it is still under way.
    tasks.same.delay(0).get(timeout=30)
    assert sorted(line.split()[2] for line in lines) == ["BrokenError(1)", "BrokenError(2)", "BrokenError(4)"]


def test_links_are_options_of_a_call(tmp_path: Path) -> None:
    path = str(tmp_path / "notes")
    result = tasks.add.apply_async((1, 1), link=note.s(path), link_error=[old.s(path=path)])
    assert result.get(timeout=30) == 2
    assert _lines(tmp_path / "notes", 1) == ["note 2"]
    children = result.children
    assert [child.name for child in children] == [note.name]
    assert children[0].parent == result


def test_a_replaced_task_ends_as_what_replaced_it() -> None:
    assert become.delay(tasks.add.s(2, 3)).get(timeout=30) == 5
    canvas = chain(tasks.add.s(1, 1), become.s(tasks.add.s(1) | tasks.add.s(2)), tasks.add.s(4))
    assert canvas.apply_async().get(timeout=30) == 9
    assert (become.s(group(tasks.same.s(1), tasks.same.s(2))) | tasks.total.s()).apply_async().get(timeout=30) == 3
    assert become.delay(group()).get(timeout=30) == []
    header = [become.s(tasks.add.s(1, 1)), tasks.same.s(2)]
    assert chord(header, tasks.total.s()).apply_async().get(timeout=30) == 4
    assert count_down.delay(20).get(timeout=60) == 0
    with pytest.raises(BrokenError):
        become.delay(tasks.same.s(1) | tasks.fail.s()).get(timeout=30)


def test_a_member_adds_to_its_chord() -> None:
    result = chord([grow.s(2), tasks.same.s(5)], tasks.same.s()).apply_async()
    assert sorted(result.get(timeout=30)) == [-1, 0, 2, 5]


def test_a_family_knows_its_root_parents_group_and_stamps() -> None:
    canvas = context.s() | group(context.s(), context.s()) | context.s()
    last = canvas.stamp(day="monday").apply_async()
    header, first = last.parent, last.parent.parent
    told = [first.get(timeout=30), *header.get(timeout=30), last.get(timeout=30)]
    assert [row["id"] for row in told] == [first.id, header[0].id, header[1].id, last.id]
    assert [row["parent"] for row in told] == [None, first.id, first.id, header.id]
    assert [row["group"] for row in told] == [None, header.id, header.id, None]
    assert {row["root"] for row in told} == {first.id} and told[3]["stamps"] == {"day": ["monday"]}
    assert (last.root_id, last.parent_id) == (first.id, header.id)
    assert {child.id for child in first.children} == {member.id for member in header}
    assert last.children == []


def test_a_canvas_sent_as_an_argument_is_sent_by_the_task() -> None:
    form = send.delay(tasks.add.s(1, 1) | group(tasks.add.s(1), tasks.add.s(2))).get(timeout=30)
    result = app.result_from_tuple(form)
    assert result.get(timeout=30) == [3, 4] and result.parent.get(timeout=30) == 2


def test_a_group_is_found_by_its_id() -> None:
    id = wide.delay(30).get(timeout=30)
    found = GroupResult.restore(id, app)
    assert found is not None and found.get(timeout=30) == list(range(30))
    assert found.save() is found
    assert GroupResult.restore("no such group", app) is None
    with pytest.raises(ValueError, match="knows no group"):
        app.GroupResult("mine", [tasks.same.delay(1)]).save()
    nested = group(tasks.same.s(1) | group(tasks.add.s(1), tasks.add.s(2)), tasks.same.s(5)).apply_async()
    again = GroupResult.restore(nested.id, app)
    assert again == nested and again is not None and again.get(timeout=30) == [[2, 3], 5]


def test_a_group_of_a_generator_runs_while_it_is_sent() -> None:
    seen: list[Any] = []
    first = tasks.same.s(0)
    early = first.freeze()

    def members() -> Iterator[Any]:
        yield first
        for n in range(1, 1500):
            if n == 1400:
                seen.append(early.get(timeout=30))  # of the first part, while the third is made
            yield tasks.same.s(n)

    result = chord(members(), tasks.total.s()).apply_async()
    assert seen == [0]
    assert result.get(timeout=60) == sum(range(1500))
    assert result.parent.completed_count() == 1500


def test_a_generator_that_raises_ends_its_workflow() -> None:
    def members() -> Iterator[Any]:
        for n in range(1200):
            yield tasks.same.s(n)
        raise KeyError("gone")

    canvas = group(members())
    result = canvas.freeze()
    with pytest.raises(KeyError, match="gone"):
        canvas.apply_async()
    assert eventually(lambda: result[0].ready() or None, what="the first task ended")


def test_waiting_for_a_group_has_one_timeout_for_all() -> None:
    result = group(tasks.same.s(1), tasks.same.s(2).set(countdown=3600)).apply_async()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        result.get(timeout=0.5)
    assert time.monotonic() - began < 20
    assert (result.ready(), result.waiting(), result.completed_count()) == (False, True, 1)
    result.revoke()
    with pytest.raises(TaskRevokedError):
        result.get(timeout=30)


def test_revoking_a_step_ends_what_comes_after() -> None:
    result = chain(tasks.same.s(1), tasks.same.s().set(countdown=3600), tasks.same.s()).apply_async()
    result.parent.revoke()
    with pytest.raises(TaskRevokedError):
        result.get(timeout=30)
    assert result.parent.parent.get(timeout=30) == 1


def test_a_result_collects_what_came_after_it() -> None:
    last = chain(tasks.add.s(1, 1), tasks.add.s(2), tasks.add.s(3)).apply_async()
    last.get(timeout=30)
    assert [value for _result, value in last.root.collect()] == [2, 4, 7]
    assert last.root.get_leaf() == 7
    assert len(last.root.graph) == 3


def test_results_of_a_group_are_forgotten() -> None:
    result = group(tasks.same.s(1), tasks.same.s(2)).apply_async()
    result.get(timeout=30)
    eventually(lambda: result.ready() or None, what="the group ended")
    result.forget()
    with pytest.raises(TaskNotFound):
        result[0].state  # noqa: B018


def test_children_are_what_a_task_submits_itself() -> None:
    result = spawn.delay(2)
    children = result.get(timeout=30)
    assert [child.id for child in result.children] == children
    for child in result.children:
        child.get(timeout=30)
        assert (child.parent_id, child.root_id) == (result.id, result.id)
    first, second, chained = result.children
    last = chained.children[0]
    last.get(timeout=30)
    assert [value for _, value in result.collect()] == [children, 0, 1, "first", "first"]
    assert set(result.graph.edges()) == {(result, first), (result, second), (result, chained), (chained, last)}


async def test_children_have_async_twins_and_can_be_left_out() -> None:
    result = await spawn.adelay(1)
    children = await result.aget(timeout=30)
    assert [child.id for child in await result.achildren()] == children
    silent = leave_no_trail.delay()
    silent.get(timeout=30)
    assert silent.children == []


def test_what_is_stamped_is_revoked(gateway: GatewayProcess) -> None:
    later = {"countdown": 3600}
    lone = tasks.same.apply_async((1,), stamps={"customer": ["a", 7]}, **later)
    other = tasks.same.apply_async((1,), stamps={"customer": "b"}, **later)
    first = tasks.same.s(1).set(**later)
    whole = chain(first.clone(), tasks.same.s(), tasks.same.s()).stamp(None, customer="a").apply_async()
    end = chain(first.clone(), tasks.same.s().stamp(None, customer="a")).apply_async()
    found = app.control.revoke_by_stamped_headers({"customer": ["a", "c"]}, reason="left")
    assert set(found) >= {lone.id, end.id, whole.root.id}
    for result in (lone, end):
        with pytest.raises(TaskRevokedError, match="left"):
            result.get(timeout=30)
    with pytest.raises(TaskRevokedError):
        whole.get(timeout=30)
    assert (other.ready(), end.parent.ready()) == (False, False)
    assert app.control.revoke_by_stamped_headers({"customer": "a"}) == []
    assert other.revoke_by_stamped_headers({"customer": "b", "absent": 1}) == [other.id]
    end.parent.revoke()


async def test_a_running_task_is_killed_by_its_stamp() -> None:
    result = await linger.aapply_async((60,), stamps={"n": 12})
    await asyncio.to_thread(lambda: eventually(lambda: result.state == "STARTED", what="its start"))
    assert await app.control.arevoke_by_stamped_headers({"n": 12}, terminate=True, signal="SIGKILL") == [result.id]
    with pytest.raises(TaskRevokedError, match="n=12"):
        await result.aget(timeout=30)
    again = tasks.same.apply_async((1,), stamps={"n": 12})
    assert again.get(timeout=30) == 1  # what comes later is another matter


@pytest.mark.parametrize("stamps", [{}, {"a": None}, {"a": [["nested"]]}, {"a": 2**60}])
def test_what_is_no_stamp_revokes_nothing(stamps: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="stamp"):
        app.control.revoke_by_stamped_headers(stamps)
    with pytest.raises(ValueError, match="destination"):
        app.control.revoke_by_stamped_headers({"a": 1}, destination="worker")
