"""One gateway process, wired: store, duties, services, readiness."""

import asyncio
import logging
import random
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from caraway import tracing
from caraway.monitor.lag import watch_lag
from caraway.monitor.listener import Listener
from caraway.v1 import (
    admin_service_pb2,
    control_service_pb2,
    task_service_pb2,
    worker_service_pb2,
    workflow_service_pb2,
)
from caraway_server.api.admin_service import MIN_KEEPALIVE_SECONDS, AdminService
from caraway_server.api.control_service import ControlService
from caraway_server.api.handlers import bind
from caraway_server.api.hub import Hub
from caraway_server.api.inputs import InputPages
from caraway_server.api.loose_ends import LooseEnds
from caraway_server.api.polling import Polling
from caraway_server.api.queue_admin import QueueAdmin
from caraway_server.api.reports import loss_errors
from caraway_server.api.task_lists import TaskLists
from caraway_server.api.task_service import TaskService
from caraway_server.api.task_watch import TaskWatch
from caraway_server.api.worker_commands import WorkerCommands
from caraway_server.api.worker_service import WorkerService
from caraway_server.api.workflow_reading import WorkflowReading
from caraway_server.api.workflow_service import WorkflowService
from caraway_server.core.errors import StoreUnavailable
from caraway_server.edge import Edge
from caraway_server.maintenance.expirer import Expirer
from caraway_server.maintenance.loop import DutyLoop
from caraway_server.maintenance.prober import Prober
from caraway_server.maintenance.promoter import Promoter
from caraway_server.maintenance.pruner import Pruner
from caraway_server.maintenance.reaper import Reaper
from caraway_server.maintenance.relay import Relay
from caraway_server.settings import MAX_MESSAGE_BYTES, Settings
from caraway_server.store.connection import StoreFacts, connect
from caraway_server.store.notes import NoteReader
from caraway_server.store.observer import NOBODY
from caraway_server.store.store import Store

if TYPE_CHECKING:
    from caraway_server.http.listener import HttpListener
    from caraway_server.metrics.gateway import GatewayMetrics

_log = logging.getLogger(__name__)

STORE_PATIENCE_SECONDS = 30.0
STOP_SECONDS = 5.0

TASKS = task_service_pb2.DESCRIPTOR.services_by_name["TaskService"]
WORKERS = worker_service_pb2.DESCRIPTOR.services_by_name["WorkerService"]
ADMIN = admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"]
WORKFLOWS = workflow_service_pb2.DESCRIPTOR.services_by_name["WorkflowService"]
CONTROL = control_service_pb2.DESCRIPTOR.services_by_name["ControlService"]
REFLECTION = cast(ServiceDescriptor, reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"])
SERVICES = (TASKS.full_name, WORKERS.full_name, WORKFLOWS.full_name, ADMIN.full_name, CONTROL.full_name)


def channel_options(*, shared_port: bool) -> list[tuple[str, int]]:
    """gRPC's own defaults allow one ping in five minutes and close the connections of those that ping more often."""
    return [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", MIN_KEEPALIVE_SECONDS * 1000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.so_reuseport", int(shared_port)),
    ]


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancels tasks until they have ended: the store's driver loses a cancellation that meets it while it connects."""
    while pending := {task for task in tasks if not task.done()}:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.2)


async def examine_store(settings: Settings, url: str, stopped: asyncio.Event) -> None:
    """Judges a store before gateways are started on it.

    Raises:
        StoreUnfit, StoreUnavailable: as `Gateway.examine_store`.
    """
    redis = connect(url)
    try:
        await _facts_of(Store(redis, "", settings.limits, lambda _notes: None), stopped)
    finally:
        await redis.aclose()


async def _facts_of(store: Store, stopped: asyncio.Event) -> StoreFacts:
    deadline = asyncio.get_running_loop().time() + STORE_PATIENCE_SECONDS
    while True:
        try:
            return await store.facts()
        except StoreUnavailable:
            if stopped.is_set() or asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(random.uniform(0.1, 0.3))


class Gateway:
    """A gateway: stateless, as many as you like on one store.

    Args:
        settings: what it was started with.
        store_url: where the store is.
        edge: how it is reached, and who may call.
        shared_port: whether other processes of this server listen on the same port.
    """

    def __init__(self, settings: Settings, store_url: str, edge: Edge, *, shared_port: bool = False) -> None:
        self._settings = settings
        self._edge = edge
        self._shared_port = shared_port
        self._redis = connect(store_url)
        gateway_id = secrets.token_hex(5)  # short: watched tasks carry it
        self._hub = Hub(self._poke_duties, self._poke_relay)
        errors = loss_errors(settings.max_lost)
        self._traces = _traces()
        self._metrics = _metrics() if settings.metrics_bind else None
        observer = self._metrics or NOBODY
        self._store = Store(self._redis, gateway_id, settings.limits, self._hub.take_notes, errors, observer)
        self._notes = NoteReader(self._redis, gateway_id, self._hub.take_notes)
        self._health = health.aio.HealthServicer()
        self._loose_ends = LooseEnds()
        self._timed = [DutyLoop(Promoter(self._store)), DutyLoop(Expirer(self._store))]
        self._relay = DutyLoop(Relay(self._store))
        self._duties = [
            *self._timed,
            self._relay,
            DutyLoop(Reaper(self._store)),
            DutyLoop(Pruner(self._store)),
            DutyLoop(Prober(self._store), self._set_ready),
        ]
        self._ready: bool | None = None
        self._leaving = False
        self._background: set[asyncio.Task[None]] = set()

    async def examine_store(self, stopped: asyncio.Event) -> StoreFacts:
        """Waits for the store, and judges it.

        Args:
            stopped: ends the wait.

        Raises:
            StoreUnfit: it is not one to keep tasks in.
            StoreUnavailable: it did not answer in time, or before `stopped`.
        """
        return await _facts_of(self._store, stopped)

    @asynccontextmanager
    async def monitored(self) -> AsyncIterator[None]:
        """Lets metrics, health and readiness be asked for while the block lasts, where the settings say so.

        Raises:
            OSError: the address can't be listened on.
        """
        metrics = self._metrics
        if metrics is None:
            yield
            return
        metrics.show_queues(self._store.surveyor)
        listener = Listener(self._settings.metrics_bind, metrics.scrape, self._why_not_ready)
        _log.info("metrics: http://%s/metrics", await listener.start())
        lag = asyncio.create_task(watch_lag(metrics.observe_lag))
        try:
            yield
        finally:
            lag.cancel()
            await listener.close()

    async def serve(self, stopped: asyncio.Event, on_listening: Callable[[int], None]) -> None:
        """Serves until `stopped` is set, then sends workers elsewhere and finishes what is under way.

        Args:
            stopped: ends it.
            on_listening: told the port once it is open.

        Raises:
            OSError: the address can't be listened on.
        """
        interceptors = self._interceptors()
        server = grpc.aio.server(interceptors=interceptors, options=channel_options(shared_port=self._shared_port))
        # Until the first probe has shown that the store takes writes.
        await self._tell_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._add_services(server)
        port = self._edge.listen(server)
        http = await self._start_http(interceptors)  # what fails, fails before anybody is served
        await server.start()
        self._start(self._edge.run())
        self._start(self._notes.run())
        for duty in self._duties:
            self._start(duty.run())
        on_listening(port)
        await stopped.wait()
        if http is not None:
            await http.close()
        await self._stop(server)

    def _add_services(self, server: grpc.aio.Server) -> None:
        store, hub, settings, ends = self._store, self._hub, self._settings, self._loose_ends
        control = ControlService(store, settings)
        implementations: dict[ServiceDescriptor, tuple[object, ...]] = {
            TASKS: (
                TaskService(store, hub, settings, tracing.inject if self._traces else None),
                TaskLists(store, settings),
                TaskWatch(store, hub, settings),
            ),
            WORKERS: (
                WorkerService(store, hub, settings, ends),
                Polling(store, hub, settings, ends),
                InputPages(store),
            ),
            WORKFLOWS: (WorkflowService(store, settings), WorkflowReading(store, hub, settings)),
            ADMIN: (AdminService(store, settings), QueueAdmin(store, settings)),
            CONTROL: (control, WorkerCommands(store, hub, control, settings)),
        }
        confirm = store.replicas.confirm if settings.wait_replicas else None
        handlers = [bind(*item, confirm=confirm) for item in implementations.items()]
        reflected = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
        handlers.append(bind(REFLECTION, (reflection.aio.ReflectionServicer(reflected),)))
        self._handlers = self._edge.guard(handlers)
        server.add_generic_rpc_handlers(self._handlers)
        # Open to all, for load balancers and orchestrators have no token; it only tells whether the gateway works.
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)

    async def _start_http(self, interceptors: Sequence[grpc.aio.ServerInterceptor]) -> "HttpListener | None":
        settings = self._settings
        if not settings.http:
            return None
        try:
            # Who asks for no HTTP pays neither the library's memory nor its time to load.
            from caraway_server.http.listener import HttpListener  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise OSError(f"--http needs the package {error.name}: pip install 'caraway[http]'") from error

        services = (TASKS, WORKERS, WORKFLOWS, ADMIN, CONTROL)
        listener = HttpListener(
            settings.http, services, self._handlers, interceptors=interceptors, origins=settings.http_origins,
            tls=self._edge.http_tls(), shared_port=self._shared_port,
        )  # fmt: skip
        _log.info("JSON over HTTP: %s", await listener.start())
        return listener

    def _interceptors(self) -> list[grpc.aio.ServerInterceptor]:
        interceptors: list[grpc.aio.ServerInterceptor] = []
        if self._metrics is not None:
            from caraway_server.metrics.rpcs import RpcCounter  # noqa: PLC0415 - as in _metrics()

            services = (TASKS, WORKERS, WORKFLOWS, ADMIN, CONTROL)
            methods = frozenset(f"/{one.full_name}/{method.name}" for one in services for method in one.methods)
            interceptors.append(RpcCounter(self._metrics, methods))
        if self._traces:
            from caraway_server.tracing import CallTracer  # noqa: PLC0415 - as in _traces()

            interceptors.append(CallTracer())
        return interceptors

    async def _stop(self, server: grpc.aio.Server) -> None:
        self._leaving = True
        await self._health.enter_graceful_shutdown()
        self._hub.close_all("the gateway is shutting down")
        await server.stop(STOP_SECONDS)
        await self._loose_ends.finish()
        await _end(self._background)
        await self._redis.aclose()

    def _start(self, duty: "asyncio.Future[None] | object") -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(duty)  # type: ignore[arg-type]
        self._background.add(task)

    def _poke_relay(self) -> None:
        self._relay.poke()

    def _poke_duties(self) -> None:
        for duty in (*self._timed, self._relay):
            duty.poke()

    def _set_ready(self, ready: bool) -> None:
        if ready is self._ready:
            return
        self._ready = ready
        _log.log(logging.INFO if ready else logging.ERROR, "ready" if ready else "not ready: the store does not work")
        serving = health_pb2.HealthCheckResponse
        self._start(self._tell_health(serving.SERVING if ready else serving.NOT_SERVING))

    def _why_not_ready(self) -> str:
        if self._leaving:
            return "it is shutting down"
        return "" if self._ready else "it starts" if self._ready is None else "the store does not work"

    async def _tell_health(self, status: int) -> None:
        for service in ("", *SERVICES):
            await self._health.set(service, status)


def _metrics() -> "GatewayMetrics":
    # Who asks for no metrics pays neither the library's memory nor its time to load.
    from caraway_server.metrics.gateway import GatewayMetrics  # noqa: PLC0415

    return GatewayMetrics()


def _traces() -> bool:
    if not tracing.is_configured():
        return False
    if not tracing.is_installed():
        _log.warning("no traces, which OTEL_ variables ask for: pip install 'caraway[otel]'")
        return False
    # Who asks for no traces does not load the library.
    from caraway.monitor.otel import set_up  # noqa: PLC0415

    return set_up("caraway-gateway")
