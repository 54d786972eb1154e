"""One call over HTTP, made to the same handlers that gRPC calls: with the same checks, tokens and errors."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial
from typing import Any, Final, NoReturn, cast

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2

from caraway_server.api.grpc_types import Context, Handler

_STATUS: Final = "grpc-status-details-bin"


class CallFailed(Exception):
    """The call was refused, or failed.

    Attributes:
        status: what gRPC's callers are told.
    """

    def __init__(self, status: status_pb2.Status) -> None:
        super().__init__(status.message)
        self.status = status


class _HttpContext:
    """What handlers use of gRPC's context."""

    def __init__(self, timeout: float | None) -> None:
        self._until = None if timeout is None else asyncio.get_running_loop().time() + timeout
        self._code = 0

    def time_remaining(self) -> float | None:
        """Until the caller's deadline, in seconds."""
        return None if self._until is None else max(0.0, self._until - asyncio.get_running_loop().time())

    def code(self) -> int:
        """The number of the status that the call ended with."""
        return self._code

    async def abort_with_status(self, status: Any) -> NoReturn:
        """Ends the call with an error."""
        self._code = status.code.value[0]
        details = [value for key, value in status.trailing_metadata or () if key == _STATUS]
        if details:
            raise CallFailed(status_pb2.Status.FromString(details[0]))
        raise CallFailed(status_pb2.Status(code=self._code, message=status.details))


class _Details:
    """What a handler is found by."""

    def __init__(self, method: str, metadata: Sequence[tuple[str, str]]) -> None:
        self.method = method
        self.invocation_metadata = metadata


class Caller:
    """Makes calls to handlers.

    Args:
        handlers: as gRPC has them, behind whoever guards them.
        interceptors: gRPC's own, which count and trace calls, the outermost first.
    """

    def __init__(
        self, handlers: Iterable[grpc.GenericRpcHandler], interceptors: Sequence[grpc.aio.ServerInterceptor] = ()
    ) -> None:
        self._handlers = tuple(handlers)
        self._find: Any = self._look_up
        for interceptor in reversed(interceptors):
            self._find = partial(interceptor.intercept_service, self._find)

    async def handler(self, method: str, metadata: Sequence[tuple[str, str]]) -> Handler:
        """Finds who answers a call, before its request is read.

        Raises:
            CallFailed: nobody does, or a guard refuses it.
        """
        details = cast(grpc.HandlerCallDetails, _Details(method, metadata))
        handler: Any = await self._find(details)
        if handler is None:
            code = grpc.StatusCode.UNIMPLEMENTED.value[0]
            raise CallFailed(status_pb2.Status(code=code, message=f"no method {method}"))
        if handler.stream_stream is not None:  # a guard's: it does not tell one kind of call from the other
            async for _ in handler.stream_stream(_nothing(), cast(Context, _HttpContext(None))):
                break
        return cast(Handler, handler)

    async def _look_up(self, details: grpc.HandlerCallDetails) -> Handler | None:
        """What interceptors end in."""
        found: Iterable[Handler | None] = (candidate.service(details) for candidate in self._handlers)
        return next((handler for handler in found if handler is not None), None)


async def unary(handler: Handler, request: Message, timeout: float | None) -> Message:
    """Makes a call, and returns its answer; `timeout` is the caller's, in seconds.

    Raises:
        CallFailed: it was refused, or failed.
    """
    behaviour: Any = handler
    answer: Message = await behaviour.unary_unary(request.SerializeToString(), cast(Context, _HttpContext(timeout)))
    return answer


def stream(handler: Handler, request: Message, timeout: float | None) -> AsyncIterator[Message]:
    """Makes a call, and gives its answers as they come; they raise as `unary`."""
    behaviour: Any = handler
    answers: AsyncIterator[Message] = behaviour.unary_stream(
        request.SerializeToString(), cast(Context, _HttpContext(timeout))
    )
    return answers


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""  # makes it a generator
