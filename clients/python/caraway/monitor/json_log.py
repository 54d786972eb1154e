"""Log records as JSON, one object a line."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

__all__ = ["FORMATS", "JsonLines"]

FORMATS: Final = ("text", "json")
"""What --log-format takes."""

_OUTSIDE: Final = "???"  # what stands for the task of a record that is about none
_TASK_FIELDS: Final = ("task_id", "task_name")


class JsonLines(JsonFormatter):
    """Writes time, level, logger, message, process, and what else a record carries: task_id, task_name, exc_info.

    Where OpenTelemetry is on and a span is current: trace_id and span_id too.
    """

    def __init__(self) -> None:
        """For a handler."""
        super().__init__("%(message)s", json_serializer=_dumped)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Called by the formatter: fill in the fields of a record."""
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        super().add_fields(log_data, record, message_dict)
        log_data["process"] = record.process
        for name in _TASK_FIELDS:
            if log_data.get(name) == _OUTSIDE:
                del log_data[name]
        trace = sys.modules.get("opentelemetry.trace")
        if trace is not None:
            context = trace.get_current_span().get_span_context()
            if context.is_valid:
                log_data["trace_id"], log_data["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"


def _dumped(fields: dict[Any, Any], **options: Any) -> str:
    """Write an object. Where JSON has no form for a value (NaN, what contains itself), it is told as Python does."""
    try:
        return json.dumps(fields, allow_nan=False, **options)
    except (TypeError, ValueError, RecursionError):
        told = {
            str(key): value if isinstance(value, str | int | None) else repr(value) for key, value in fields.items()
        }
        return json.dumps(told, **options)
