"""Binds a service of the contract to its implementation: parsing, and errors as the contract's errors.

Bound by hand rather than by generated code and an interceptor: gRPC answers a request that it can't parse without
saying why, and an interceptor costs every call.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc_status import rpc_status

from caraway_server.api.errors import status_for
from caraway_server.api.grpc_types import Context, Handler
from caraway_server.core.errors import CarawayServerError, Refused, StoreError

_log = logging.getLogger(__name__)

Confirm = Callable[[], Awaitable[None]]

# A lease that a failover takes away runs out, and its task runs again: nothing that was promised is lost.
_ABOUT_LEASES = frozenset({"PollTasks", "RenewLeases"})


def bind(
    service: ServiceDescriptor, implementations: Sequence[object], *, confirm: Confirm | None = None
) -> grpc.GenericRpcHandler:
    """A handler of all methods of a service.

    Args:
        service: as the contract declares it.
        implementations: one of them has a coroutine function (for a stream: an async generator function) of each
            method's name.
        confirm: called before the answer of every call that changes what the store keeps.
    """
    handlers = {
        method.name: _handler(
            method,
            next(getattr(part, method.name) for part in implementations if hasattr(part, method.name)),
            confirm if _changes(method) else None,
        )
        for method in service.methods
    }
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _changes(method: MethodDescriptor) -> bool:
    level = method.GetOptions().idempotency_level
    return level != MethodOptions.NO_SIDE_EFFECTS and method.name not in _ABOUT_LEASES


def _handler(method: MethodDescriptor, behaviour: Any, confirm: Confirm | None) -> Handler:
    request_class = GetMessageClass(method.input_type)
    serialize = GetMessageClass(method.output_type).SerializeToString
    if method.client_streaming:
        return grpc.stream_stream_rpc_method_handler(_stream(behaviour, request_class), None, serialize)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_server_stream(behaviour, request_class), None, serialize)
    return grpc.unary_unary_rpc_method_handler(_unary(behaviour, request_class, confirm), None, serialize)


def _parse(request_class: type[Message], data: bytes) -> Any:
    try:
        return request_class.FromString(data)
    except DecodeError as error:
        raise Refused("MALFORMED_MESSAGE", f"the message can't be parsed: {error}. Strings must be UTF-8") from error


def _unary(behaviour: Any, request_class: type[Message], confirm: Confirm | None) -> Any:
    async def call(data: bytes, context: Context) -> Any:
        try:
            answer = await behaviour(_parse(request_class, data), context)
            if confirm is not None:
                await confirm()
            return answer
        except CarawayServerError as error:
            await _abort(context, error)
        except Exception:
            await _abort(context, _internal())

    return call


def _server_stream(behaviour: Any, request_class: type[Message]) -> Any:
    return _responding(lambda data, context: behaviour(_parse(request_class, data), context))


def _stream(behaviour: Any, request_class: type[Message]) -> Any:
    async def parsed(requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        async for data in requests:
            yield _parse(request_class, data)

    return _responding(lambda requests, context: behaviour(parsed(requests), context))


def _responding(responses: Callable[[Any, Context], AsyncIterator[Any]]) -> Any:
    async def call(incoming: Any, context: Context) -> AsyncIterator[Any]:
        try:
            async for response in responses(incoming, context):
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
