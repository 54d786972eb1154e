"""Who may call: a token with every call of every method, but for health, that this gateway knows.

It stands before all services, those of gRPC itself too, as a handler that is asked first. So no method can be
forgotten, and a call costs no coroutine more, as it would by an interceptor. `service` is where an identity meets a
method, and so where scopes will be asked for.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, Final

import grpc
from grpc_health.v1 import health
from grpc_status import rpc_status

from caraway.settings import InvalidSettings, Problem
from caraway_server.api.errors import status_for
from caraway_server.api.grpc_types import Context, Handler
from caraway_server.core.errors import Refused
from caraway_server.core.tokens import BadTokens, Tokens

HEADER: Final = "authorization"
_SCHEME: Final = "bearer "
_OPEN: Final = f"/{health.SERVICE_NAME}/"
_FIRST_WRITE_SECONDS: Final = 1.0

_MISSING: Final = (
    "this gateway asks for a token, and the call carries none: set CARAWAY_TOKEN, or send the header "
    "`authorization: Bearer TOKEN`"
)
_UNKNOWN: Final = (
    "this gateway does not know the call's token: it was mistyped, or taken from the gateway's file of tokens"
)
_REMOVED: Final = "the token of this stream was taken from the gateway's file of tokens"


class Authentication(grpc.GenericRpcHandler):
    """Lets calls with a valid token through to the handlers, and ends streams whose token is valid no longer.

    Args:
        path: the file of tokens.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handlers: tuple[grpc.GenericRpcHandler, ...] = ()
        self._tokens = Tokens({})
        self._streams: dict[asyncio.Task[Any], str] = {}
        self._ended: set[asyncio.Task[Any]] = set()

    def load(self) -> None:
        """Reads the file, and ends the streams of tokens that stand there no longer.

        Raises:
            InvalidSettings: it can't be read, or a line is wrong; what was known before is still.
        """
        try:
            self._tokens = Tokens.parse(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            text = f"it can't be read: {error.strerror or error}"
            raise InvalidSettings([Problem("tokens", text, str(self._path))]) from error
        except (UnicodeDecodeError, BadTokens) as error:
            text = str(error) if isinstance(error, BadTokens) else "it is no text"
            raise InvalidSettings([Problem("tokens", text, str(self._path))]) from error
        for stream, token in self._streams.items():
            if self._tokens.identity_of(token) is None:
                self._ended.add(stream)
                stream.cancel()

    def guard(self, handlers: Iterable[grpc.GenericRpcHandler]) -> "Authentication":
        """Stands before these, which are not to be reached otherwise."""
        self._handlers = tuple(handlers)
        return self

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """gRPC asks for the handler of each call, before it reads the request."""
        method = handler_call_details.method
        if method.startswith(_OPEN):
            return None
        token = _token_of(handler_call_details.invocation_metadata)
        identity = self._tokens.identity_of(token) if token else None
        if identity is None:
            return _refusing(_UNKNOWN if token else _MISSING)
        for candidate in self._handlers:
            handler: Handler | None = candidate.service(handler_call_details)
            if handler is not None:
                return self._watched(handler, token) if handler.response_streaming else handler
        return None

    def _watched(self, handler: Any, token: str) -> Handler:
        """A stream's handler, whose task is known while it runs."""
        behaviour = handler.stream_stream or handler.unary_stream

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            task = asyncio.current_task()
            assert task is not None
            self._streams[task] = token
            try:
                async for response in behaviour(request, context):
                    yield response
            except asyncio.CancelledError:
                if task not in self._ended:
                    raise
                await _refuse(context, _REMOVED)
            finally:
                self._streams.pop(task, None)
                self._ended.discard(task)

        make = (
            grpc.stream_stream_rpc_method_handler if handler.request_streaming else grpc.unary_stream_rpc_method_handler
        )
        return make(call, handler.request_deserializer, handler.response_serializer)


def _token_of(metadata: Any) -> str:
    for key, value in metadata or ():
        if key == HEADER and isinstance(value, str) and value[: len(_SCHEME)].lower() == _SCHEME:
            return value[len(_SCHEME) :].strip()
    return ""


def _refusing(message: str) -> Handler:
    """Streaming both ways, it answers any kind of call."""

    async def call(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[Any]:
        # A client of grpc.aio that writes to a stream after its refusal came never learns why: let it write first.
        with contextlib.suppress(TimeoutError, StopAsyncIteration):
            async with asyncio.timeout(_FIRST_WRITE_SECONDS):
                await anext(aiter(requests))
        await _refuse(context, message)
        yield b""  # makes it a generator; never reached

    return grpc.stream_stream_rpc_method_handler(call)


async def _refuse(context: Context, message: str) -> None:
    await context.abort_with_status(rpc_status.to_status(status_for(Refused("UNAUTHENTICATED", message))))
