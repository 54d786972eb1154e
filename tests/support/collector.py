"""A real OTLP receiver: what OpenTelemetry exports over gRPC."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from support.processes import eventually


class Span:
    """A span that came in."""

    def __init__(self, service: str, span: Any) -> None:
        self.service = service
        self.name: str = span.name
        self.trace_id: str = span.trace_id.hex()
        self.span_id: str = span.span_id.hex()
        self.parent_id: str = span.parent_span_id.hex()
        self.is_error: bool = span.status.code == 2
        self.attributes = {
            one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in span.attributes
        }
        self.events: list[str] = [event.name for event in span.events]


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps all spans."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[Span] = []
        self._server = grpc.server(ThreadPoolExecutor(4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def Export(self, request: Any, context: Any) -> Any:
        """Called by exporters."""
        for resource in request.resource_spans:
            named = [one.value.string_value for one in resource.resource.attributes if one.key == "service.name"]
            with self._lock:
                for scope in resource.scope_spans:
                    self._spans += [Span(named[0], span) for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self, trace_id: str) -> list[Span]:
        """What came of a trace."""
        with self._lock:
            return [span for span in self._spans if span.trace_id == trace_id]

    def named(self, trace_id: str, name: str, count: int = 1) -> list[Span]:
        """So many spans of this name, once they are there."""
        found = eventually(
            lambda: (there := [one for one in self.spans(trace_id) if one.name == name])[count - 1 :] and there,
            timeout=20,
            what=f"{count} spans {name!r}, of {[one.name for one in self.spans(trace_id)]}",
        )
        assert isinstance(found, list)
        assert len(found) == count
        return found

    def stop(self) -> None:
        """Ends it."""
        self._server.stop(None).wait(5)
