"""Commands of one's own, which operators and programs have workers run: Celery's `celery.worker.control`.

@inspect_command()
def cache_size(state):
    return {"entries": len(cache)}
"""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypedDict, TypeVar, Unpack

__all__ = ["BY_PLACE", "COMMANDS", "CommandOptions", "call", "control_command", "inspect_command"]

F = TypeVar("F", bound=Callable[..., Any])

COMMANDS: Final[dict[str, Callable[..., Any]]] = {}
"""All that this process knows, by name."""

BY_PLACE: Final = "*"
"""The argument that holds those which a command line gives by their place: a list of texts."""

_OPTIONS: Final[dict[str, "CommandOptions"]] = {}


class CommandOptions(TypedDict, total=False):
    """How a command is known; what says nothing here is taken for Celery's programs, and has no effect."""

    name: str
    """Default: the function's."""
    alias: str
    """A second name."""
    args: Iterable[tuple[str, Callable[[str], Any]]]
    """Names of arguments that a command line gives by their place, and what makes them of text."""
    variadic: str
    """The name of the argument that is given the rest of them, as a list of texts."""
    signature: str
    help: str
    visible: bool
    default_timeout: float


def control_command(**options: Unpack[CommandOptions]) -> Callable[[F], F]:
    """Make a function a command that workers run when they are asked to: `app.control.broadcast(name, {...})`.

    It is called with the worker (`caraway.worker.WorkerInstance`), and with the caller's arguments by keyword, in a
    process of the worker that runs no tasks; an `async def` is awaited. What it returns is the answer, as JSON. What it
    raises is told to the caller. Raises ValueError for a name that another function has.
    """

    def register(function: F) -> F:
        for name in (options.get("name") or function.__name__, options.get("alias")):
            if name is None:
                continue
            known = COMMANDS.get(name)
            if known is not None and _origin(known) != _origin(function):
                raise ValueError(f"two functions claim the command {name!r}; give one another name=")
            COMMANDS[name] = function
            _OPTIONS[name] = options
        return function

    return register


def inspect_command(**options: Unpack[CommandOptions]) -> Callable[[F], F]:
    """Make a function a command that only looks; in all else as `control_command`."""
    return control_command(**options)


def call(name: str, worker: Any, **arguments: Any) -> Any:
    """Call a command, with names for the arguments that were given by their place. Raises ValueError for too many."""
    function = COMMANDS[name]
    values = arguments.pop(BY_PLACE, [])
    named = _named(function, _OPTIONS[name], values) if values else {}
    if twice := named.keys() & arguments.keys():
        raise ValueError(f"given twice: {', '.join(sorted(twice))}")
    return function(worker, **named, **arguments)


def _named(function: Callable[..., Any], options: CommandOptions, values: list[str]) -> Mapping[str, Any]:
    declared, rest = list(options.get("args", ())), options.get("variadic")
    if not declared and rest is None:
        declared = [(name, _read) for name in list(inspect.signature(function).parameters)[1:]]
    if len(values) > len(declared) and rest is None:
        raise ValueError(f"{len(values)} arguments are given by their place, and it takes {len(declared)} so")
    named = {name: kind(value) for (name, kind), value in zip(declared, values, strict=False)}
    return named if rest is None else {**named, rest: values[len(declared) :]}


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _origin(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__
