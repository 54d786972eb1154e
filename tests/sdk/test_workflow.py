"""Compiled canvases in the contract's words, and the calls that submit them: what goes on the wire."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from caraway import Caraway
from caraway.canvas import Signature, chain, chord, group
from caraway.exceptions import OperationalError, Replaced
from caraway.payload import decode_arguments
from caraway.request import GROUP_HEADER, PARENT_HEADER, ROOT_HEADER, Context, pop, push
from caraway.stamps import stamps_of
from caraway.v1 import workflow_pb2
from caraway.workflow import submitting, to_nodes
from support.canvas_tasks import register

Edge = workflow_pb2.WorkflowNode.Edge


@pytest.fixture
def tasks() -> SimpleNamespace:
    return register(Caraway("proj", target="127.0.0.1:1", default_queue="usual"))


def _nodes(canvas: Signature) -> list[workflow_pb2.WorkflowNode]:
    canvas.freeze()
    app: Any = canvas.app
    return list(to_nodes(canvas.compile(), app.options_of, app.turned))


def _edges(node: workflow_pb2.WorkflowNode) -> list[tuple[str, str, str]]:
    return [(edge.node_id, Edge.On.Name(edge.on), Edge.Pass.Name(edge.pass_as)) for edge in node.after]


def _calls(nodes: Iterator[workflow_pb2.WorkflowNode]) -> list[Any]:
    """The requests of a submit, each answered."""
    return [call.arguments for call in submitting(nodes)]


def test_a_chain_is_a_line_of_nodes(tasks: SimpleNamespace) -> None:
    canvas = tasks.add.s(1, 1).set(queue="mail", countdown=3) | tasks.pair.s(2, k=3) | tasks.same.si(4)
    one, two, three = _nodes(canvas)
    assert [node.node_id for node in (one, two, three)] == [step.id for step in canvas.tasks]
    assert {node.task.task_id == node.node_id for node in (one, two, three)} == {True}
    assert (one.task.queue, one.task.delay.seconds, two.task.queue) == ("mail", 3, "usual")
    assert decode_arguments(two.task) == ((2,), {"k": 3})
    assert _edges(one) == []
    assert _edges(two) == [(one.node_id, "ON_SUCCESS", "PASS_FIRST_ARG")]
    assert _edges(three) == [(two.node_id, "ON_SUCCESS", "PASS_UNSPECIFIED")]
    assert dict(one.task.headers) == {ROOT_HEADER: one.node_id}
    assert dict(three.task.headers) == {ROOT_HEADER: one.node_id, PARENT_HEADER: two.node_id}


def test_a_chord_is_a_collect_between_header_and_body(tasks: SimpleNamespace) -> None:
    canvas = chord([tasks.same.s(1), tasks.same.s(2) | tasks.same.s()], tasks.total.s()).stamp(day="monday")
    one, two, three, collect, body = _nodes(canvas)
    assert collect.WhichOneof("kind") == "collect" and not collect.collect.open
    assert (collect.node_id, collect.collect.task_id) == (canvas.header.id, canvas.header.id)
    assert _edges(collect) == [(one.node_id, "ON_SUCCESS", "PASS_UNSPECIFIED"), (
        three.node_id, "ON_SUCCESS", "PASS_UNSPECIFIED")]  # fmt: skip
    assert _edges(body) == [(collect.node_id, "ON_SUCCESS", "PASS_FIRST_ARG")]
    groups = [node.task.headers.get(GROUP_HEADER) for node in (one, two, three, body)]
    assert groups == [collect.node_id, None, collect.node_id, None]
    assert [stamps_of(node.task) for node in (one, two, three, body)] == [{"day": ["monday"]}] * 4


def test_hidden_arguments_are_shown_nowhere(tasks: SimpleNamespace) -> None:
    app = tasks.add.app
    login = app.task(name="proj.login", hidden=("password",))(lambda user, password: None)
    told = app.task(name="proj.told", hidden=("password",))(lambda request, exc, traceback, password: None)
    canvas = chain(tasks.same.s("user"), login.s("secret"), login.si("user", "secret")).on_error(told.s("secret"))
    shown = [repr(canvas), repr(group(login.s("user", "secret"))), repr(chord([tasks.add.s()], login.s("secret")))]
    shown += [repr(login.map(["secret"])), repr(login.starmap([("user", "secret")]))]
    nodes = _nodes(canvas)
    shown += [node.task.args_repr + node.task.kwargs_repr for node in nodes]
    assert not [text for text in shown if "secret" in text]
    by_name = {(node.task.name, len(node.after)): node.task.args_repr for node in nodes}
    assert by_name["proj.login", 1] == "('user', ***)"
    assert by_name["proj.told", 1] == "('<handed on>', '<handed on>', '<handed on>', ***)"


def test_callbacks_and_errbacks_are_edges(tasks: SimpleNamespace) -> None:
    canvas = chord([tasks.same.s(1)], tasks.total.s())
    canvas.link(tasks.same.s())
    canvas.on_error(tasks.pair.s())
    canvas.tasks[0].on_error(tasks.pair.si())
    head, head_error, _collect, body, callback, errback = _nodes(canvas)
    assert _edges(head_error) == [(head.node_id, "ON_OWN_FAILURE", "PASS_UNSPECIFIED")]
    assert _edges(callback) == [(body.node_id, "ON_SUCCESS", "PASS_FIRST_ARG")]
    assert _edges(errback) == [(body.node_id, "ON_FAILURE", "PASS_FIRST_ARG")]


def test_a_small_workflow_is_one_call(tasks: SimpleNamespace) -> None:
    ((method, request),) = _calls(iter(_nodes(group(tasks.same.s(n) for n in range(3)))))
    assert (method, request.open, len(request.workflow.nodes), request.workflow.name) == (
        "SubmitWorkflow", False, 4, "proj.same"
    )  # fmt: skip
    assert request.workflow.workflow_id
    assert _calls(iter(())) == []


def test_a_large_workflow_goes_in_parts(tasks: SimpleNamespace) -> None:
    first, *parts, seal = _calls(iter(_nodes(group(tasks.same.s(n) for n in range(1200)))))
    assert (first[0], first[1].open, len(first[1].workflow.nodes)) == ("SubmitWorkflow", True, 500)
    assert [(method, request.part, len(request.nodes)) for method, request in parts] == [
        ("AppendWorkflowNodes", 1, 500), ("AppendWorkflowNodes", 2, 201)
    ]  # fmt: skip
    assert seal[0] == "SealWorkflow" and not seal[1].HasField("error")
    assert {request.workflow_id for _method, request in (*parts, seal)} == {first[1].workflow.workflow_id}


def test_parts_stay_below_a_message(tasks: SimpleNamespace) -> None:
    requests = [request for _method, request in _calls(iter(_nodes(group([tasks.same.s("x" * 1_500_000)] * 5))))]
    sizes = [request.ByteSize() for request in requests]
    assert max(sizes) < 4 * 2**20 and len([size for size in sizes if size > 1_000_000]) == 3


def test_a_collect_of_very_many_comes_in_parts_of_its_edges(tasks: SimpleNamespace) -> None:
    canvas = chord([tasks.same.s(0)] * 5_000, tasks.total.s())
    *_, one, two, three, body = _nodes(canvas)
    assert {part.node_id for part in (one, two, three)} == {canvas.header.id}
    assert [(len(part.after), part.collect.open) for part in (one, two, three)] == [
        (2_000, True), (2_000, True), (1_000, True)
    ]  # fmt: skip
    # A message names a node once.
    *_, second, third = [request for method, request in _calls(iter([one, two, three, body])) if method[0] == "A"]
    assert ([node.node_id for node in second.nodes], [node.node_id for node in third.nodes]) == (
        [two.node_id], [three.node_id, body.node_id]
    )  # fmt: skip


def test_a_generator_that_raises_gives_the_workflow_up(tasks: SimpleNamespace) -> None:
    def members() -> Iterator[Signature]:
        yield from (tasks.same.s(n) for n in range(600))
        raise KeyError("gone")

    canvas = group(members())
    canvas.freeze()
    calls: list[Any] = []
    with pytest.raises(KeyError, match="gone"):
        for call in submitting(tasks.same.app.nodes_of(canvas)):
            calls.append(call.arguments)  # noqa: PERF401 - what came before it raises is looked at
    methods = [method for method, _request in calls]
    assert methods == ["SubmitWorkflow", "SealWorkflow"]
    assert calls[-1][1].error.type == "builtins.KeyError"


def test_an_outage_while_parts_are_sent_is_told_as_such(tasks: SimpleNamespace) -> None:
    steps = submitting(iter(_nodes(group([tasks.same.s(n) for n in range(600)]))))
    next(steps)
    steps.send(None)
    away = OperationalError("away")
    assert steps.throw(away).arguments[0] == "SealWorkflow"
    with pytest.raises(OperationalError) as raised:
        steps.throw(OperationalError("still away"))
    assert raised.value is away


def test_a_running_task_replaces_itself_by_nodes_and_adds_some(tasks: SimpleNamespace) -> None:
    running = Context(id="running", task="proj.add", root_id="root", headers={GROUP_HEADER: "the-group"})
    running.entered = True
    token = push(running)
    try:
        with pytest.raises(Replaced) as raised:
            tasks.add.replace(group(tasks.same.s(1), tasks.same.s(2)))
        result = tasks.add.add_to_chord(tasks.same.s(3))
        tasks.add.add_to_chord(tasks.same.s(4).on_error(tasks.pair.s()))
    finally:
        pop(token)
    *_, collect, last = raised.value.nodes
    assert (last.task.name, last.node_id, raised.value.output_node_id) == (
        "caraway.accumulate", last.node_id, last.node_id
    )  # fmt: skip
    assert _edges(last) == [(collect.node_id, "ON_SUCCESS", "PASS_FIRST_ARG")]
    assert last.task.headers[ROOT_HEADER] == "root"
    one, two, _errback, joined = running.added_nodes or []
    assert one.node_id == result.id and one.task.queue == last.task.queue == "usual"
    assert (joined.node_id, joined.WhichOneof("kind")) == ("the-group", "collect")
    assert _edges(joined) == [(node.node_id, "ON_SUCCESS", "PASS_UNSPECIFIED") for node in (one, two)]
