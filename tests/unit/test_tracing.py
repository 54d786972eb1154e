"""When traces are on, and that what a caller says itself is left alone."""

import pytest

from caraway import tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"}


@pytest.mark.parametrize(
    ("environ", "on"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "shop"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_only_the_variables_switch_traces_on(environ: dict[str, str], on: bool) -> None:
    assert tracing.is_configured(environ) is on


def test_without_a_current_span_nothing_is_added() -> None:
    headers: dict[str, str] = {}
    tracing.inject(headers)
    assert headers == {}
    assert tracing.metadata() is None
