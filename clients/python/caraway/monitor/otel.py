"""Starts OpenTelemetry in a gateway or a worker's child, as the OTEL_ variables say. Loaded where they are on."""

import importlib
import logging
import os
from importlib.metadata import entry_points
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from caraway import tracing

__all__ = ["TRACER", "is_on", "set_up"]

TRACER: Final = "caraway"
"""Name of the tracer."""

_log = logging.getLogger(__name__)
_PROTOCOLS: Final = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}


def is_on() -> bool:
    """Tell whether a provider is set, by `set_up` or by the program itself."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def set_up(service: str) -> bool:
    """Export spans as the variables ask, under this service's name unless they name one; what is set stays set.

    False: traces are not on.
    """
    if is_on():
        return True
    if not tracing.is_configured():
        return False
    try:
        importlib.import_module("opentelemetry.propagate")  # it reads OTEL_PROPAGATORS
        exporters = [_exporter(name.strip()) for name in os.environ.get("OTEL_TRACES_EXPORTER", "otlp").split(",")]
    except (LookupError, ValueError) as error:
        _log.error("no traces: %s", error.args[0])
        return False
    named = OTELResourceDetector().detect().attributes.get(SERVICE_NAME)
    provider = TracerProvider(resource=Resource.create({} if named else {SERVICE_NAME: service}))
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return True


def _exporter(name: str) -> Any:
    if name in ("", "otlp"):
        protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
        if protocol and protocol not in _PROTOCOLS:
            raise LookupError(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}; there are {' and '.join(_PROTOCOLS)}")
        name = _PROTOCOLS[protocol or "grpc"]
    found = entry_points(group="opentelemetry_traces_exporter", name=name)
    if not found:
        raise LookupError(f"OTEL_TRACES_EXPORTER names {name}, for which nothing is installed")
    return next(iter(found)).load()()
