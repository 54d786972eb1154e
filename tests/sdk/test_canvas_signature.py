"""Signatures by themselves: what they hold, how they change, are shown, joined and frozen."""

import copy
import json
import pickle
from types import SimpleNamespace

import pytest

from caraway import AsyncResult, Caraway
from caraway.canvas import Signature, chain, chord, chunks, group, maybe_signature, signature, xmap
from caraway.exceptions import ImproperlyConfigured, NotRegistered
from caraway.group_result import GroupResult
from support.canvas_tasks import register


@pytest.fixture
def app() -> Caraway:
    return Caraway("proj", target="127.0.0.1:1")


@pytest.fixture
def tasks(app: Caraway) -> SimpleNamespace:
    return register(app)


def test_a_signature_is_made_by_name_of_a_task_and_of_its_dict_form(app: Caraway, tasks: SimpleNamespace) -> None:
    made = signature("proj.add", (2, 2), {"z": 1}, app=app, queue="mail", immutable=True)
    assert (made.task, made.name, made.args, made.kwargs) == ("proj.add", "proj.add", (2, 2), {"z": 1})
    assert (made.options, made.immutable, made.subtask_type, made.type) == ({"queue": "mail"}, True, None, tasks.add)
    assert Signature(tasks.add, (2, 2)) == tasks.add.s(2, 2) == signature(tasks.add, (2, 2))
    assert signature(dict(made)) == made
    assert maybe_signature(json.loads(json.dumps(made)), app).app is app
    assert signature("other.task").app is app  # the one made last
    with pytest.raises(NotRegistered):
        signature("other.task", app=app).type  # noqa: B018


def test_a_canvas_is_sent_by_the_app_of_its_tasks(app: Caraway, tasks: SimpleNamespace) -> None:
    Caraway("other")
    add = tasks.add.s
    for made in (
        group(add(1), add(2)),
        group(add(n) for n in range(2)),
        chord([add(1)], add(2)),
        chord((add(n) for n in range(2)), signature("other.add")),
        chain(add(1), group(add(n) for n in range(2))),
        tasks.add.chunks([(1, 2)], 1),
    ):
        assert made.app is app
        assert made.clone().app is app


def test_what_is_no_signature_is_left_or_refused(tasks: SimpleNamespace) -> None:
    assert maybe_signature(None) is None
    assert maybe_signature(7) == 7
    made = tasks.add.s(1)
    assert maybe_signature(made) is made
    copied = maybe_signature(made, clone=True)
    assert copied == made and copied is not made
    with pytest.raises(ValueError, match="its task's name as 'task'"):
        signature({"args": []})
    with pytest.raises(ValueError, match="'ring'; there are chain, chord, chunks, group"):
        signature({"task": "proj.add", "subtask_type": "ring"})


def test_a_signature_without_an_app_says_so(nobody: None) -> None:
    with pytest.raises(ImproperlyConfigured, match="Caraway"):
        signature("proj.add").delay()


def test_clone_set_and_replace(tasks: SimpleNamespace) -> None:
    made = tasks.add.s(1, y=2).set(queue="mail")
    assert made.clone((0,), {"z": 3}, priority=9) == signature(
        "proj.add", (0, 1), {"y": 2, "z": 3}, queue="mail", priority=9
    )
    assert made == signature("proj.add", (1,), {"y": 2}, queue="mail")
    assert tasks.add.si(1).clone((0,), {"z": 3}, priority=9) == signature(
        "proj.add", (1,), {}, immutable=True, priority=9
    )
    assert made.replace((5,), {}, {}) == tasks.add.s(5)
    assert made.set(immutable=True).immutable


def test_copies_and_pickles_hold_the_same(tasks: SimpleNamespace) -> None:
    made = chord([tasks.add.s([1]) | tasks.same.s(), tasks.same.s(2)], tasks.total.s()).set(queue="mail")
    for copied in (copy.deepcopy(made), pickle.loads(pickle.dumps(made)), made.clone()):
        assert copied == made and type(copied) is chord and type(copied.tasks[0]) is chain
        copied.tasks[1].set(priority=9)
        assert made.tasks[1].options == {}


def test_a_signature_is_called_like_its_task(tasks: SimpleNamespace) -> None:
    assert tasks.add.s(1)(4) == 5
    assert tasks.add.si(1, 2)(4) == 3


def test_shown_as_calls(tasks: SimpleNamespace) -> None:
    add, total = tasks.add.s, tasks.total.s
    shown = [
        (add(2, y=2), "proj.add(2, y=2)"),
        (add(2, 2) | add(4) | total(), "proj.add(2, 2) | add(4) | total()"),
        (group(add(1, 1), add(2)), "group((proj.add(1, 1), add(2)))"),
        (group([add(1, 1)]), "group([proj.add(1, 1)])"),
        (group(), "group(<empty>)"),
        (group(add(n) for n in range(2)), "group(<generator>)"),
        (chord([add(1, 1), add(2)], total()), "%proj.total([add(1, 1), add(2)])"),
        (chord([add(1, 1)], total() | add(3)), "%(proj.total([add(1, 1)]) | add(3))"),
        (chord([add(1, 1)]), "<chord without body: group([proj.add(1, 1)])>"),
        (add(1, 1) | group(add(1), add(2)) | total(), "proj.add(1, 1) | %total([add(1), add(2)])"),
        (tasks.add.map([1, 2]), "[proj.add(x) for x in [1, 2]]"),
        (tasks.add.starmap([(1, 2)]), "[proj.add(*x) for x in [(1, 2)]]"),
        (Signature("other.add", (1,)) | add(2), "other.add(1) | proj.add(2)"),
    ]
    for made, text in shown:
        assert repr(made) == text


def test_joining_makes_what_celery_makes(tasks: SimpleNamespace) -> None:
    one, two = tasks.add.s(1), tasks.add.s(2)
    assert type(one | two) is chain
    assert [type(step) for step in (one | group(one, two)).tasks] == [Signature, group]
    assert type(group(one, two) | one) is chord
    assert type(group([one]) | one) is chord
    assert [type(step) for step in (one | group(one, two) | two).tasks] == [Signature, chord]
    assert (one | chain(two, one)).tasks == [one, two, one]
    assert (one | dict(two)).tasks == [one, two]
    joined = one
    joined |= two
    assert joined == chain(one, two)
    with pytest.raises(TypeError):
        one | 3
    assert type(tasks.add.chunks([(1, 2)], 1)) is chunks and type(tasks.add.map([1])) is xmap


def test_a_long_chain_is_joined_in_time_that_grows_with_its_length(tasks: SimpleNamespace) -> None:
    joined: Signature = tasks.add.s(0)
    for n in range(2000):
        joined = joined | tasks.add.s(n)
    assert len(joined.tasks) == 2001
    # Steps are shared, not copied, until it is sent.
    assert joined.tasks[0] is (joined | tasks.add.s(1)).tasks[0]


def test_freezing_chooses_the_ids_before_anything_is_sent(tasks: SimpleNamespace) -> None:
    made = tasks.add.s(1, 1)
    assert made.id is None
    result = made.freeze()
    assert isinstance(result, AsyncResult) and made.id == result.id == made.freeze().id
    assert made.freeze("mine") == "mine"

    steps = chain(tasks.add.s(1, 1), group(tasks.add.s(1), tasks.add.s(2)), tasks.total.s(), tasks.add.s(1))
    last = steps.freeze()
    assert [type(each) for each in last.lineage()] == [AsyncResult, AsyncResult, GroupResult, AsyncResult]
    assert last.id == steps.id == steps.tasks[-1].id
    body, header, first = last.lineage()[1:]
    assert steps.tasks[1].header.id == header.id
    assert [member.id for member in header] == [task.id for task in steps.tasks[1].tasks]
    assert first.id == steps.tasks[0].id and {member.parent for member in header} == {first}
    assert [node.id for node in steps.compile()] == [
        first.id, *[member.id for member in header], header.id, body.id, last.id
    ]  # fmt: skip


def test_skew_sets_countdowns(tasks: SimpleNamespace) -> None:
    made = group(tasks.add.s(n) for n in range(4)).skew(start=1, stop=3, step=1)
    assert [task.options["countdown"] for task in made.tasks] == [1, 2, 3, 3]
    assert [task.options["countdown"] for task in group(tasks.add.s(1), tasks.add.s(2)).skew(step=0.5).tasks] == [
        1,
        1.5,
    ]
