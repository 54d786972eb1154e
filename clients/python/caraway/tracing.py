"""Trace context of OpenTelemetry: carried along where a program has one. Nothing of it is loaded here."""

import importlib.util
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

__all__ = ["inject", "is_configured", "is_installed", "is_loaded", "metadata"]

_API: Final = "opentelemetry.trace"
_PARENT: Final = "traceparent"
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def is_configured(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether OTEL_ variables ask for traces: an exporter or an endpoint is named, nothing switches them off."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "")
    if exporter:
        return exporter.lower() != "none"
    return any(environ.get(name) for name in _ENDPOINTS)


def is_installed() -> bool:
    """Tell whether what exports traces can be loaded."""
    try:
        return importlib.util.find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:  # not even the package around it is there
        return False


def is_loaded() -> bool:
    """Tell whether this program uses OpenTelemetry at all."""
    return _API in sys.modules


def inject(headers: MutableMapping[str, str]) -> None:
    """Add the current trace context, where there is one and the headers have none."""
    trace: Any = sys.modules.get(_API)
    if trace is None or not trace.get_current_span().get_span_context().is_valid or _PARENT in headers:
        return
    importlib.import_module("opentelemetry.propagate").inject(headers)


def metadata() -> tuple[tuple[str, str], ...] | None:
    """Give the current trace context as a call's metadata; None: there is none."""
    if _API not in sys.modules:
        return None
    headers: dict[str, str] = {}
    inject(headers)
    return tuple(headers.items()) or None
