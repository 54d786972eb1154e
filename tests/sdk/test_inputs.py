"""What nodes hand on, as values and among a task's arguments."""

import pytest

from caraway.exceptions import DecodeError
from caraway.inputs import Failure, Input, merged, read_inputs
from caraway.payload import encode
from caraway.v1 import task_pb2, worker_service_pb2, workflow_pb2

Part = worker_service_pb2.InputPart
Edge = workflow_pb2.WorkflowNode.Edge
BEGIN, END = Part(list_begin={}), Part(list_end={})


def start(pass_as: "Edge.Pass.ValueType" = Edge.PASS_FIRST_ARG, kwarg: str = "", task_id: str = "t") -> Part:
    return Part(input=Part.Input(pass_as=pass_as, kwarg=kwarg, task_id=task_id))


def value(given: object) -> Part:
    return Part(payload=encode(given))


def test_values_lists_and_lists_in_lists() -> None:
    parts = [start(), value(1), start(task_id="u"), BEGIN, value(2), BEGIN, END, BEGIN, value(3), END, END]
    first_arg = Edge.PASS_FIRST_ARG
    assert read_inputs(parts) == [Input(first_arg, "", "t", 1), Input(first_arg, "", "u", [2, [], [3]])]


def test_lists_may_be_in_one_another_as_deep_as_they_like() -> None:
    depth = 5000
    [given] = read_inputs([start(), *[BEGIN] * depth, *[END] * depth])
    for _ in range(depth - 1):
        [given] = given.value if isinstance(given, Input) else given
    assert given == []


def test_a_failure_stands_in_its_values_place() -> None:
    error = task_pb2.TaskError(type="builtins.ValueError", message="no milk")
    [given] = read_inputs([start(), BEGIN, value(1), Part(failure=Part.Failure(task_id="x", error=error)), END])
    assert given.value == [1, Failure("x", error)]
    assert repr(given.value[1].exception()) == "ValueError('no milk')"


def test_where_there_is_no_value_is_none() -> None:
    assert read_inputs([start(), Part(payload=task_pb2.Payload())])[0].value is None


def test_the_places_among_the_arguments() -> None:
    parts = [
        start(), value("first"), start(Edge.PASS_LIST), value("x"), start(), value("second"), start(Edge.PASS_LIST),
        value("y"), start(Edge.PASS_KWARG, "k"), value("handed"),
    ]  # fmt: skip
    own = (("own",), {"k": "own", "l": 1})
    assert merged(*own, parts) == ((["x", "y"], "first", "second", "own"), {"k": "handed", "l": 1})
    assert own == (("own",), {"k": "own", "l": 1})
    assert merged(("own",), {}, []) == (("own",), {})


@pytest.mark.parametrize("parts", [[value(1)], [start()], [start(), BEGIN], [END], [start(), END]])
def test_what_is_no_sequence_of_inputs_is_refused(parts: list[Part]) -> None:
    with pytest.raises(DecodeError):
        read_inputs(parts)
