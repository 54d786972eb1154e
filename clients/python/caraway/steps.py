"""Work of several calls of the gateway, written once for callers that block and for those that await.

It is a generator that gives Calls, gets their answers, or has their errors raised in it, and returns its result.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from caraway import batch
from caraway.exceptions import CarawayError
from caraway.gateway import Gateway, HasGateway
from caraway.send_policy import SendPolicy

__all__ = ["Call", "Steps", "ask", "awalk", "carry_out", "read", "wait", "walk"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of the gateway's methods."""

    method: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]


Steps = Generator[Call, Any, T]

_TWINS: Final = {"read": "aread", "wait": "await_", "ask": "aask"}


def read(task_id: str, *, full: bool) -> Call:
    """Read a task."""
    return Call("read", (task_id,), {"full": full})


def wait(task_id: str, timeout: float | None) -> Call:
    """Wait for a task's end, `timeout` seconds at most."""
    return Call("wait", (task_id, timeout), {})


def ask(method: str, request: Any, policy: SendPolicy | None = None) -> Call:
    """Make a unary call of a service; `policy` says how often it is tried again, None: as long as the client does."""
    return Call("ask", (method, request), {} if policy is None else {"policy": policy})


def walk(app: HasGateway, steps: Steps[T]) -> T:
    """Make the calls one after the other; what this context's batch holds is sent before."""
    batch.flush(app)
    return carry_out(app.gateway, steps)


def carry_out(gateway: Gateway, steps: Steps[T]) -> T:
    """Make the calls one after the other."""
    answer: Any = None
    error: CarawayError | None = None
    while True:
        try:
            call = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        answer = error = None
        try:
            answer = getattr(gateway, call.method)(*call.arguments, **call.options)
        except CarawayError as raised:
            error = raised


async def awalk(app: HasGateway, steps: Steps[T]) -> T:
    """Async twin of `walk`."""
    await batch.aflush(app)
    answer: Any = None
    error: CarawayError | None = None
    while True:
        try:
            call = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        answer = error = None
        try:
            answer = await getattr(app.gateway, _TWINS[call.method])(*call.arguments, **call.options)
        except CarawayError as raised:
            error = raised
