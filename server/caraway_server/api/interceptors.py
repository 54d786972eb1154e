"""Around every call of the contract: parsing, and errors as the contract's errors."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from caraway_server.api.errors import status_for
from caraway_server.api.grpc_types import Context, Handler
from caraway_server.core.errors import CarawayServerError, Refused, StoreError

_log = logging.getLogger(__name__)


class ContractInterceptor(grpc.aio.ServerInterceptor):
    """Parses requests itself, because gRPC answers what can't be parsed without saying why, and translates errors."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Wraps the contract's methods; health and reflection go their own way."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith("/caraway."):
            return handler
        if handler.request_streaming:
            return grpc.stream_stream_rpc_method_handler(
                _stream(handler.stream_stream, handler.request_deserializer), None, handler.response_serializer
            )
        return grpc.unary_unary_rpc_method_handler(
            _unary(handler.unary_unary, handler.request_deserializer), None, handler.response_serializer
        )


def _parse(deserializer: Any, data: bytes) -> Any:
    try:
        return deserializer(data)
    except DecodeError as error:
        raise Refused("MALFORMED_MESSAGE", f"the message can't be parsed: {error}. Strings must be UTF-8") from error


def _unary(behaviour: Any, deserializer: Any) -> Any:
    async def call(data: bytes, context: Context) -> Any:
        try:
            return await behaviour(_parse(deserializer, data), context)
        except CarawayServerError as error:
            await _abort(context, error)
        except Exception:
            await _abort(context, _internal())

    return call


def _stream(behaviour: Any, deserializer: Any) -> Any:
    async def call(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[Any]:
        async def parsed() -> AsyncIterator[Any]:
            async for data in requests:
                yield _parse(deserializer, data)

        try:
            async for response in behaviour(parsed(), context):
                yield response
        except CarawayServerError as error:
            await _abort(context, error)
        except Exception:
            await _abort(context, _internal())

    return call


def _internal() -> CarawayServerError:
    _log.exception("a call failed for a reason of the gateway's own")
    return CarawayServerError("the gateway failed; its log says more")


async def _abort(context: Context, error: CarawayServerError) -> None:
    if isinstance(error, StoreError):
        _log.warning("%s", error.message)
    await context.abort_with_status(rpc_status.to_status(status_for(error)))
