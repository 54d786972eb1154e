"""What the nodes before a task in its workflow handed on, put into its arguments."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from caraway.exceptions import DecodeError
from caraway.payload import DEFAULTS, ReadingRules, decode
from caraway.v1 import task_pb2, worker_service_pb2, workflow_pb2
from caraway.wire_error import to_exception

__all__ = ["Failure", "Input", "merged", "read_inputs"]

_Edge = workflow_pb2.WorkflowNode.Edge


@dataclass(frozen=True, slots=True)
class Failure:
    """Stands in a value's place: the node that was to give it failed."""

    task_id: str
    error: task_pb2.TaskError
    task: task_pb2.Task | None = None
    """The task as it stood; None of a member of a group."""

    def exception(self) -> BaseException:
        """Make the exception that waiting for the node would raise."""
        return to_exception(self.error)


@dataclass(frozen=True, slots=True)
class Input:
    """What came along one edge.

    `pass_as` is a WorkflowNode.Edge.Pass, `task_id` who handed it on. `value` is what that returned (of a collect: a
    list, in the order of its edges), or a Failure; None where there is none.
    """

    pass_as: int
    kwarg: str
    task_id: str
    value: Any


def read_inputs(parts: Iterable[worker_service_pb2.InputPart], rules: ReadingRules = DEFAULTS) -> list[Input]:
    """Read the inputs of a lease, in the order of the task's edges. Raises as `caraway.payload.decode`."""
    inputs: list[Input] = []
    lists: list[list[Any]] = []  # those that are begun, the innermost last
    start: worker_service_pb2.InputPart.Input | None = None
    for part in parts:
        kind = part.WhichOneof("part")
        if kind == "input":
            start = part.input
            continue
        if kind == "list_begin":
            lists.append([])
            continue
        if kind == "list_end":
            if not lists:
                raise DecodeError("an input ends a list that it did not begin")
            value: Any = lists.pop()
        elif kind == "failure":
            failed = part.failure
            value = Failure(failed.task_id, failed.error, failed.task if failed.HasField("task") else None)
        else:
            value = decode(part.payload, rules)
        if lists:
            lists[-1].append(value)
        elif start is None:
            raise DecodeError("an input has no beginning")
        else:
            inputs.append(Input(start.pass_as, start.kwarg, start.task_id, value))
            start = None
    if start is not None or lists:
        raise DecodeError("an input has no end")
    return inputs


def merged(
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    parts: Iterable[worker_service_pb2.InputPart],
    rules: ReadingRules = DEFAULTS,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Put inputs into a task's own arguments.

    PASS_LIST inputs go into one list, the first argument; PASS_FIRST_ARG inputs come next, in their order, before the
    task's own arguments; PASS_KWARG inputs stand over its own. Raises as `caraway.payload.decode`.
    """
    inputs = read_inputs(parts, rules)
    listed = [given.value for given in inputs if given.pass_as == _Edge.PASS_LIST]
    first = [given.value for given in inputs if given.pass_as == _Edge.PASS_FIRST_ARG]
    named = {given.kwarg: given.value for given in inputs if given.pass_as == _Edge.PASS_KWARG}
    has_list = any(given.pass_as == _Edge.PASS_LIST for given in inputs)
    return (*([listed] if has_list else []), *first, *args), {**kwargs, **named}
