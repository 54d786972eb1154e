"""Counts calls: an interceptor that is there only where metrics are asked for, so that it costs nobody else."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

from caraway.monitor.labels import OTHER
from caraway_server.metrics.gateway import GatewayMetrics

_SERVICES = "/caraway.v1."


class RpcCounter(grpc.aio.ServerInterceptor):
    """Counts the calls of the contract's services.

    Args:
        metrics: where they are counted.
        methods: all that there are, as paths; what is refused before anybody looks for it may be called anything.
    """

    def __init__(self, metrics: GatewayMetrics, methods: frozenset[str]) -> None:
        self._metrics = metrics
        self._methods = methods

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        """Called by gRPC for each call; gives what handles it."""
        handler = await continuation(details)
        if handler is None or not details.method.startswith(_SERVICES):
            return handler
        name = details.method.rpartition("/")[2] if details.method in self._methods else OTHER
        parse, serialize = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(self._unary(name, handler.unary_unary), parse, serialize)
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(self._stream(name, handler.unary_stream), parse, serialize)
        return grpc.stream_stream_rpc_method_handler(self._stream(name, handler.stream_stream), parse, serialize)

    def _unary(self, name: str, behaviour: Any) -> Any:
        async def call(request: Any, context: Any) -> Any:
            began = time.perf_counter()
            with self._open(name, context):
                answer = await behaviour(request, context)
                self._metrics.rpc_seconds.labels(name).observe(time.perf_counter() - began)
                return answer

        return call

    def _stream(self, name: str, behaviour: Any) -> Any:
        async def call(requests: Any, context: Any) -> AsyncIterator[Any]:
            with self._open(name, context):
                async for response in behaviour(requests, context):
                    yield response

        return call

    def _open(self, name: str, context: Any) -> "_OpenCall":
        return _OpenCall(self._metrics, name, context)


class _OpenCall:
    """One call, while it is under way."""

    def __init__(self, metrics: GatewayMetrics, name: str, context: Any) -> None:
        self._metrics = metrics
        self._name = name
        self._context = context

    def __enter__(self) -> None:
        self._metrics.open_rpcs.labels(self._name).inc()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._metrics.open_rpcs.labels(self._name).dec()
        self._metrics.rpcs.labels(self._name, self._code(error)).inc()

    def _code(self, error: BaseException | None) -> str:
        if error is None:
            return "OK"
        code = self._context.code()
        if isinstance(code, int) and code:
            code = next((one for one in grpc.StatusCode if one.value[0] == code), grpc.StatusCode.UNKNOWN)
        return code.name if isinstance(code, grpc.StatusCode) and code is not grpc.StatusCode.OK else "CANCELLED"
