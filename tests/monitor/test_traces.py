"""Traces, from the caller through the gateway to every attempt, as a real OTLP receiver sees them."""

import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider

from caraway import Caraway, chain
from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc
from support.collector import Collector
from support.gateway import GatewayProcess
from support.processes import Running
from support.watching import Watched
from support.worker import WorkerProcess

tracer = TracerProvider().get_tracer("caller")  # the caller's own spans go nowhere: only their ids count here


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def traced(collector: Collector, short_folder: Callable[[], Path]) -> Iterator[tuple[GatewayProcess, WorkerProcess]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        gateway = GatewayProcess(short_folder(), "--http", "127.0.0.1:0").start()
        flags = ("-c", "1", "--metrics-bind", "127.0.0.1:0", "--log-format", "json")
        worker = WorkerProcess(gateway.target, "monitor.sample", *flags).ready()
    yield gateway, worker
    worker.stop()
    gateway.stop()


@pytest.fixture
def app(traced: tuple[GatewayProcess, WorkerProcess]) -> Iterator[Caraway]:
    made = Caraway("client", target=traced[0].target, default_queue="watched")
    yield made
    made.close()


def hexed(span: object) -> tuple[str, str]:
    context = span.get_span_context()  # type: ignore[attr-defined]
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def test_caller_gateway_and_attempt_are_one_trace(app: Caraway, collector: Collector) -> None:
    with tracer.start_as_current_span("caller") as caller:
        result = app.send_task("monitor.sample.add", (1, 2))
    assert result.get(timeout=30) == 3
    trace_id, caller_id = hexed(caller)
    (served,) = collector.named(trace_id, "caraway.v1.TaskService/SubmitTask")
    (attempt,) = collector.named(trace_id, "run monitor.sample.add")
    assert (served.parent_id, served.service) == (caller_id, "caraway-gateway")
    assert (attempt.parent_id, attempt.service) == (caller_id, "caraway-worker")
    assert served.attributes["rpc.grpc.status_code"] == 0
    assert attempt.attributes["messaging.message.id"] == result.id
    assert attempt.attributes["messaging.destination.name"] == "watched"
    assert attempt.attributes["caraway.task.outcome"] == "succeeded"
    assert not attempt.is_error


def test_each_attempt_of_a_retried_task_is_a_span(app: Caraway, collector: Collector) -> None:
    with tracer.start_as_current_span("caller") as caller:
        result = app.send_task("monitor.sample.second_time")
    assert result.get(timeout=30) == 2
    attempts = collector.named(hexed(caller)[0], "run monitor.sample.second_time", 2)
    outcomes = {one.attributes["caraway.task.attempt"]: one.attributes["caraway.task.outcome"] for one in attempts}
    assert outcomes == {1: "retry", 2: "succeeded"}
    first = next(one for one in attempts if one.attributes["caraway.task.attempt"] == 1)
    assert first.is_error
    assert first.events == ["exception"]
    assert first.attributes["error.type"] == "builtins.ConnectionError"


def test_what_a_task_submits_belongs_to_its_attempt(app: Caraway, collector: Collector) -> None:
    with tracer.start_as_current_span("caller") as caller:
        result = app.send_task("monitor.sample.pass_on", (3,))
    result.get(timeout=30)
    trace_id = hexed(caller)[0]
    (outer,) = collector.named(trace_id, "run monitor.sample.pass_on")
    (inner,) = collector.named(trace_id, "run monitor.sample.add")
    assert inner.parent_id == outer.span_id


def test_tasks_of_a_batch_belong_to_the_callers_trace(app: Caraway, collector: Collector) -> None:
    with tracer.start_as_current_span("caller") as caller, app.batch():
        results = [app.send_task("monitor.sample.add", (n, n)) for n in range(3)]
    assert [one.get(timeout=30) for one in results] == [0, 2, 4]
    trace_id, caller_id = hexed(caller)
    (served,) = collector.named(trace_id, "caraway.v1.TaskService/BatchSubmitTasks")
    assert served.parent_id == caller_id
    assert {one.parent_id for one in collector.named(trace_id, "run monitor.sample.add", 3)} == {caller_id}


def test_all_tasks_of_a_workflow_belong_to_the_callers_trace(app: Caraway, collector: Collector) -> None:
    add = [app.signature("monitor.sample.add", args) for args in ((1, 2), (1,), (2,))]
    with tracer.start_as_current_span("caller") as caller:
        result = chain(*add).apply_async()
    assert result.get(timeout=30) == 6
    trace_id, caller_id = hexed(caller)
    (served,) = collector.named(trace_id, "caraway.v1.WorkflowService/SubmitWorkflow")
    assert served.parent_id == caller_id
    assert {one.parent_id for one in collector.named(trace_id, "run monitor.sample.add", 3)} == {caller_id}


def test_a_caller_that_only_sends_the_header_is_traced(
    traced: tuple[GatewayProcess, WorkerProcess], collector: Collector
) -> None:
    """As a client of another language does whose gRPC library is instrumented: nothing stands in the task itself."""
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    spec = task_pb2.TaskSpec(name="monitor.sample.add", queue="watched", args={"values": [{"number_value": 1}] * 2})
    with grpc.insecure_channel(traced[0].target) as channel:
        task_service_pb2_grpc.TaskServiceStub(channel).RunTask(
            task_service_pb2.RunTaskRequest(task=spec),
            timeout=30,
            metadata=(("traceparent", f"00-{trace_id}-00f067aa0ba902b7-01"),),
        )
    (served,) = collector.named(trace_id, "caraway.v1.TaskService/RunTask")
    (attempt,) = collector.named(trace_id, "run monitor.sample.add")
    assert attempt.parent_id == served.span_id


def test_a_call_over_http_is_traced_as_one_over_grpc(
    traced: tuple[GatewayProcess, WorkerProcess], collector: Collector
) -> None:
    assert traced[0].running is not None
    address = traced[0].running.wait_for_line("JSON over HTTP").split()[-1]
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    asked = urllib.request.Request(
        f"http://{address}/caraway.v1.TaskService/RunTask",
        data=b'{"task": {"name": "monitor.sample.add", "queue": "watched", "args": [1, 1]}}',
        headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.status == 200
    (served,) = collector.named(trace_id, "caraway.v1.TaskService/RunTask")
    (attempt,) = collector.named(trace_id, "run monitor.sample.add")
    assert (served.parent_id, attempt.parent_id) == ("b7ad6b7169203331", served.span_id)


def test_log_lines_of_a_task_carry_its_span(
    app: Caraway, collector: Collector, traced: tuple[GatewayProcess, WorkerProcess]
) -> None:
    with tracer.start_as_current_span("caller") as caller:
        result = app.send_task("monitor.sample.add", (1, 1))
    result.get(timeout=30)
    trace_id = hexed(caller)[0]
    (attempt,) = collector.named(trace_id, "run monitor.sample.add")
    lines = [one for one in Watched(traced[1]).records() if one.get("trace_id") == trace_id]
    assert [(one["message"], one["span_id"]) for one in lines] == [("adding", attempt.span_id)]


SET_UP = """
import logging
logging.basicConfig(format="%(levelname)s %(message)s")
from caraway.monitor.otel import set_up
print("on" if set_up("caraway-gateway") else "off")
from opentelemetry import trace
resource = getattr(trace.get_tracer_provider(), "resource", None)
print(resource and resource.attributes["service.name"])
"""


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "caraway-gateway"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.namespace=shop"}, "caraway-gateway"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=shop"}, "shop"),
        ({"OTEL_SERVICE_NAME": "shop"}, "shop"),
        ({"OTEL_TRACES_EXPORTER": "nowhere"}, "ERROR no traces: OTEL_TRACES_EXPORTER names nowhere"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "grpc and http/protobuf"),
        ({"OTEL_PROPAGATORS": "nobodys"}, "ERROR no traces: Propagator nobodys not found"),
    ],
)  # fmt: skip
def test_the_usual_variables_are_heeded_or_refused(environ: dict[str, str], said: str) -> None:
    running = Running([sys.executable, "-c", SET_UP], env={"OTEL_TRACES_EXPORTER": "console", **environ})
    try:
        running.wait_for_line(said)
        if said.startswith("ERROR"):
            running.wait_for_line("off")
    finally:
        running.stop()


# The store's driver loads OpenTelemetry's interfaces where they are installed; what costs is the exporter.
LOADED = """
import sys
{program}
parts = ('opentelemetry.exporter', 'opentelemetry.sdk.trace', 'prometheus_client', 'caraway.monitor.otel')
print(sorted(name for name in sys.modules if name.startswith(parts)))
"""
PROGRAMS = {
    "gateway": "from caraway_server.app import Gateway; from caraway_server.settings import Settings\n"
    "from caraway_server.edge import Edge; import asyncio\n"
    "async def main(): Gateway(Settings(), 'redis://localhost', Edge(Settings()))\nasyncio.run(main())",
    "supervisor": "import caraway_worker.cli",
    "child": "import caraway_worker.child",
    "caller": "from caraway import Caraway; from caraway.spec import fill; from caraway.v1 import task_pb2\n"
    "fill(task_pb2.TaskSpec(), 'id', 'name', (), {}, {})",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_nothing_of_it_is_loaded_where_it_is_off(program: str) -> None:
    running = Running([sys.executable, "-c", LOADED.format(program=program)])
    try:
        running.wait_for_line("[]")
    finally:
        running.stop()
