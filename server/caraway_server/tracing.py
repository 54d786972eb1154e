"""A span for each call that belongs to a trace, and for each submit. Loaded only where traces are on."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from opentelemetry import propagate, trace

from caraway.monitor.otel import TRACER

_SERVICES = "/caraway.v1."
_SUBMITS = frozenset({"SubmitTask", "BatchSubmitTasks", "RunTask", "SubmitWorkflow", "AppendWorkflowNodes"})
# What is no fault of the caller's.
_FAULTS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


class CallTracer(grpc.aio.ServerInterceptor):
    """Traces unary calls. Workers' reports, and polls of callers that trace nothing, would only be noise."""

    def __init__(self) -> None:
        self._tracer = trace.get_tracer(TRACER)

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        """Called by gRPC for each call; gives what handles it."""
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None or not details.method.startswith(_SERVICES):
            return handler
        headers = {key: value for key, value in details.invocation_metadata or () if isinstance(value, str)}
        parent = propagate.extract(headers)
        service, _, method = details.method[1:].partition("/")
        if method not in _SUBMITS and not trace.get_current_span(parent).get_span_context().is_valid:
            return handler

        async def call(request: Any, context: Any) -> Any:
            attributes = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
            with self._tracer.start_as_current_span(
                f"{service}/{method}", parent, trace.SpanKind.SERVER, attributes,
                record_exception=False, set_status_on_exception=False,
            ) as span:  # fmt: skip
                try:
                    return await handler.unary_unary(request, context)
                finally:
                    _end(span, context.code())

        return grpc.unary_unary_rpc_method_handler(call, handler.request_deserializer, handler.response_serializer)


def _end(span: trace.Span, code: Any) -> None:
    status = _BY_NUMBER.get(code or 0, code)
    span.set_attribute("rpc.grpc.status_code", status.value[0])
    if status in _FAULTS:
        span.set_status(trace.StatusCode.ERROR, status.name)
