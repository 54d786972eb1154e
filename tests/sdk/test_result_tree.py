"""Results of canvases: how they hang together, and sets of them. The tasks have run here and now."""

import io
from types import SimpleNamespace
from typing import Any

import pytest

from caraway import Caraway
from caraway.canvas import chain, chord, group
from caraway.exceptions import IncompleteStream
from caraway.group_result import GroupResult
from caraway.result_base import ResultBase
from caraway.result_set import ResultSet
from support.canvas_tasks import BrokenError, register


@pytest.fixture
def tasks() -> SimpleNamespace:
    """The tasks of an app that sends nothing."""
    return register(Caraway("proj", target="127.0.0.1:1", task_always_eager=True))


def _ids(result: Any) -> list[str]:
    return [each.id for each in result]


def test_a_result_knows_what_came_before_and_after(tasks: SimpleNamespace) -> None:
    last = chain(tasks.add.s(1, 1), tasks.add.s(2), tasks.add.s(3)).apply_async()
    middle, first = last.parent, last.parent.parent
    assert (first.get(), middle.get(), first.parent, last.root) == (2, 4, None, first)
    assert (_ids(first.children), _ids(middle.children), last.children) == ([middle.id], [last.id], [])
    assert [value for _result, value in first.collect()] == [2, 4, 7]
    assert first.get_leaf() == 7
    assert last.as_list() == [last.id, middle.id, first.id]
    assert isinstance(last, ResultBase)


async def test_the_async_twins_give_the_same(tasks: SimpleNamespace) -> None:
    first = chain(tasks.add.s(1, 1), tasks.add.s(2)).apply_async().root
    assert [value async for _result, value in first.acollect()] == [2, 4]
    assert await first.aget_leaf() == 4
    assert (await first.agraph()).edges() == first.graph.edges()
    members = group(tasks.add.s(1, 1), tasks.add.s(2, 2)).apply_async()
    assert await members.aget() == await members.ajoin() == [2, 4]
    assert [value async for value in members.aiterate()] == [2, 4]
    assert (await members.aready(), await members.asuccessful(), await members.afailed()) == (True, True, False)
    assert (await members.acompleted_count(), await members.awaiting()) == (2, False)


def test_the_graph_of_a_result(tasks: SimpleNamespace) -> None:
    first = chain(tasks.add.s(1, 1), group(tasks.add.s(2), tasks.add.s(3))).apply_async().parent
    graph = first.graph
    assert len(graph) == 3 and first in graph
    assert graph.edges() == [(first, child) for child in first.children]
    assert repr(graph).splitlines()[0] == f"{first.id}(2)"
    text = io.StringIO()
    graph.to_dot(text)
    assert f'"{first.id}" -> "{first.children[0].id}";' in text.getvalue()


def test_results_as_tuples_are_read_again(tasks: SimpleNamespace) -> None:
    last = chain(tasks.add.s(1, 1), group(tasks.add.s(2), tasks.add.s(3)), tasks.total.s()).freeze()
    header = last.parent
    first = header.parent
    as_first = ((first.id, None), None)
    members = [((member.id, as_first), None) for member in header]
    assert last.as_tuple() == ((last.id, ((header.id, as_first), members)), None)
    app = tasks.add.app
    again = app.result_from_tuple(last.as_tuple())
    assert again == last and type(again) is type(last)
    assert again.parent == header and isinstance(again.parent, GroupResult)
    assert again.parent.parent == first
    assert app.result_from_tuple(header.as_tuple()) == header
    assert app.result_from_tuple([[last.id, None], None]) == last
    assert app.result_from_tuple(last.id) == last
    assert app.result_from_tuple(last) is last


def test_what_has_not_ended_has_no_known_children() -> None:
    class Waiting(ResultBase):
        id, parent, children = "waiting", None, ()

        def ready(self) -> bool:
            return False

    with pytest.raises(IncompleteStream):
        list(Waiting().iterdeps())
    assert [result.id for _parent, result in Waiting().iterdeps(intermediate=True)] == ["waiting"]


def test_a_group_of_results(tasks: SimpleNamespace) -> None:
    result = group(tasks.add.s(1, 1), tasks.add.s(2, 2), tasks.add.s(3, 3)).apply_async()
    assert (result.ready(), result.waiting(), result.successful(), result.failed()) == (True, False, True, False)
    assert (result.completed_count(), len(result), _ids(result)) == (3, 3, _ids(result.results))
    assert result.get() == result.join() == result.join_native() == list(result.iterate()) == [2, 4, 6]
    got: list[Any] = []
    assert result.get(callback=lambda id, value: got.append((id, value))) == []
    assert got == list(zip(_ids(result), [2, 4, 6], strict=True))
    assert result[1].get() == 4 and result.children == result.results
    assert repr(result) == f"<GroupResult: {result.id} [{', '.join(_ids(result))}]>"
    assert result == result.id and str(result) == result.id
    result.revoke()
    result.forget()


def test_a_group_with_failures(tasks: SimpleNamespace) -> None:
    result = group(tasks.same.s(1), tasks.fail.s(2), tasks.fail.s(3)).apply_async()
    assert (result.successful(), result.failed(), result.completed_count()) == (False, True, 1)
    with pytest.raises(BrokenError) as raised:
        result.get()
    assert raised.value.args == (2,)
    values = result.get(propagate=False)
    assert values[0] == 1 and [type(value) for value in values[1:]] == [BrokenError, BrokenError]
    with pytest.raises(BrokenError):
        result.maybe_throw()


def test_a_set_of_results(tasks: SimpleNamespace) -> None:
    one, two, three = (tasks.same.delay(n) for n in range(3))
    app = tasks.add.app
    results = app.ResultSet([one])
    results.add(two)
    results.add(one)
    results.update([two, three])
    assert results == ResultSet([one, two, three]) and results.get() == [0, 1, 2]
    results.remove(two)
    results.discard(two.id)
    assert results.results == [one, three]
    with pytest.raises(KeyError):
        results.remove(two)
    results.discard(one.id)
    results.clear()
    assert (len(results), results.get(), results.ready()) == (0, [], True)


def test_nested_groups_of_results(tasks: SimpleNamespace) -> None:
    ending = tasks.same.s(1) | group(tasks.add.s(1), tasks.add.s(2))
    result = group(ending, tasks.same.s(5)).apply_async()
    assert result.get() == [[2, 3], 5]
    assert isinstance(result[0], GroupResult) and result[0].parent.get() == 1
    assert chord([ending], tasks.same.s()).apply_async().parent.get() == [[2, 3]]
