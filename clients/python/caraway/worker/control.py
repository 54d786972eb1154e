"""Commands of one's own, which operators and programs have workers run: Celery's `celery.worker.control`.

@inspect_command()
def cache_size(state):
    return {"entries": len(cache)}
"""

from collections.abc import Callable
from typing import Any, Final, TypedDict, TypeVar, Unpack

__all__ = ["COMMANDS", "CommandOptions", "control_command", "inspect_command"]

F = TypeVar("F", bound=Callable[..., Any])

COMMANDS: Final[dict[str, Callable[..., Any]]] = {}
"""All that this process knows, by name."""


class CommandOptions(TypedDict, total=False):
    """How a command is known. All but `name` and `alias` are Celery's, for its command line, and have no effect."""

    name: str
    """Default: the function's."""
    alias: str
    """A second name."""
    args: Any
    variadic: str
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
        return function

    return register


def inspect_command(**options: Unpack[CommandOptions]) -> Callable[[F], F]:
    """Make a function a command that only looks; in all else as `control_command`."""
    return control_command(**options)


def _origin(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__
